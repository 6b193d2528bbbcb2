"""A network and what was compiled of it, asked the same: all inputs by name, all outputs by name."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Dict, List, Mapping, Protocol, Sequence

import numpy as np

from clary.algorithms.neo.compiled import Uncompilable
from clary.algorithms.neo.exporting import ONNX
from clary.toolkit.proving import MOST_DIFFERENCE, Proof
from clary.toolkit.sessions import ERRORS, Input, Session

TRIES = 16
OPERATORS = 17
"""The version of ONNX's operators that is written: every runtime since 2022 knows them."""
_SEED = 45
_REACHES = (1000, 100, 10, 2)
"""Whole numbers below these are tried, the first that the network takes: they may be places in a table."""

Array = Any


class Network(Protocol):
    """Whatever takes tensors and gives tensors."""

    @property
    def inputs(self) -> List[Input]: ...

    def run(self, given: Mapping[str, Array]) -> Dict[str, Array]:
        """All outputs, by name, for all inputs, by name. Raises one of ERRORS."""
        ...


def only_onnx(form: str, model: str) -> None:
    """Raises Uncompilable for any other form."""
    if form != ONNX:
        raise Uncompilable(f"{model} is not written as {form.upper()}")


def simplified(content: bytes) -> bytes:
    """The same model as the runtime has simplified it, for any machine. Raises what the runtime raises."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "model.onnx")
        Session(content, optimized=path)
        return path.read_bytes()


def check_inputs(inputs: Sequence[Input], shapes: Mapping[str, Any]) -> None:
    """Raises Uncompilable where DataInputConfig names other inputs than the model has, or other shapes."""
    names = {each.name for each in inputs}
    if not shapes:
        return
    if set(shapes) != names:
        said, has = ", ".join(sorted(shapes)), ", ".join(sorted(names))
        raise Uncompilable(f"DataInputConfig names the inputs {said}; the model has {has}")
    for each in inputs:
        if not fits(each.shape, shapes[each.name]):
            raise Uncompilable(f"DataInputConfig says {each.name}: {shapes[each.name]}, the model takes {each.shape}")


def fits(known: Sequence[Any], said: Any) -> bool:  # noqa: ANN401 - whatever the request holds there
    """Whether a shape that the request says is one that the model takes."""
    if not is_shape(said) or len(said) != len(known):
        return False
    return all(length is None or wanted in (length, None, -1) for length, wanted in zip(known, said))  # noqa: B905


def is_shape(said: Any) -> bool:  # noqa: ANN401 - as above
    """`[1, 3, 224, 224]`; None or -1 where any length will do."""
    return isinstance(said, list) and all(
        each is None or (type(each) is int and (each == -1 or each > 0)) for each in said
    )


def same(before: Network, after: Network, shapes: Mapping[str, Any], rows: int = 0) -> Proof:
    """`rows`, where it is not 0, is the length of the first dimension, whatever the shapes say of it. Raises
    Uncompilable where an output differs by more than MOST_DIFFERENCE, in relation to the largest number."""
    random = np.random.RandomState(_SEED)
    wholes = _reach(before, shapes)
    worst = 0.0
    for _ in range(TRIES):
        given = {each.name: _drawn(each, shapes.get(each.name), random, wholes, rows) for each in before.inputs}
        try:
            wanted, found = before.run(given), after.run(given)
        except ERRORS as error:
            tried = ", ".join(f"{name} of shape {list(value.shape)}" for name, value in given.items())
            raise Uncompilable(
                f"the model cannot be tried with {tried} (as DataInputConfig may say): {error}"
            ) from error
        worst = max(worst, _difference(wanted, found))
    if not worst <= MOST_DIFFERENCE:
        raise Uncompilable(f"the compiled model is not the same: outputs differ by {worst:.2g}")
    return Proof(TRIES, 0, worst, "float32")


def takes(network: Network, shapes: Mapping[str, Any], rows: int) -> bool:
    """Whether a network answers that many rows at all."""
    random = np.random.RandomState(_SEED)
    try:
        network.run({each.name: _drawn(each, shapes.get(each.name), random, 1, rows) for each in network.inputs})
    except ERRORS:
        return False
    return True


def _reach(network: Network, shapes: Mapping[str, Any]) -> int:
    """Below what the whole numbers may be that the network is tried with; 1 where it takes none but zeros."""
    if all(each.kind[:3] not in ("int", "uin") for each in network.inputs):
        return 1
    for highest in _REACHES:
        random = np.random.RandomState(_SEED)
        given = {each.name: _drawn(each, shapes.get(each.name), random, highest, 0) for each in network.inputs}
        for name, value in given.items():
            if value.dtype.kind in "iu" and value.size:
                given[name].flat[0] = min(highest - 1, np.iinfo(value.dtype).max)
        try:
            network.run(given)
        except ERRORS:
            continue
        return highest
    return 1


def _drawn(taken: Input, said: Any, random: Any, wholes: int, rows: int) -> Array:  # noqa: ANN401 - as above
    """Random floats, as they are after scaling, and whole numbers; zeros of all other types."""
    shape = [max(length or 1, 1) for length in (said if isinstance(said, list) else taken.shape)]
    if rows and shape:
        shape[0] = rows
    if not taken.kind:
        raise Uncompilable(f"the model's input {taken.name} is no tensor")
    if taken.kind.startswith("float"):
        return random.uniform(size=shape).astype(taken.kind)
    if taken.kind[:3] in ("int", "uin"):
        return random.randint(0, min(wholes, np.iinfo(taken.kind).max), shape).astype(taken.kind)
    return np.full(shape, "" if taken.kind == "object" else 0, taken.kind)


def _difference(wanted: Dict[str, Array], found: Dict[str, Array]) -> float:
    return max((_apart(one, found[name]) for name, one in wanted.items()), default=0.0)


def _apart(one: Any, other: Any) -> float:  # noqa: ANN401 - a tensor, or what else a model of ONNX gives
    """How far two outputs are from one another; infinite where they are of other kinds, or one has a number where the
    other has none."""
    if not isinstance(one, np.ndarray) or one.dtype.kind not in "fiub":
        return 0.0 if np.array_equal(np.asarray(one), np.asarray(other)) else float("inf")
    if one.shape != np.shape(other):
        return float("inf")
    left, right = one.astype(float), np.asarray(other).astype(float)
    usual = np.isfinite(left) & np.isfinite(right)
    if not np.array_equal(left[~usual], right[~usual], equal_nan=True):
        return float("inf")
    scale = float(np.max(np.abs(left[usual]), initial=1.0))
    return float(np.max(np.abs(left[usual] - right[usual]), initial=0.0)) / scale
