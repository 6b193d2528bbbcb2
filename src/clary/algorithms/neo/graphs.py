"""A model that is ONNX already: simplified by the runtime, for any machine, and proved to answer as before."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Dict, List, Mapping

import numpy as np

from clary.algorithms.neo.compiled import Compiled, Uncompilable, only_file
from clary.algorithms.neo.exporting import ONNX
from clary.toolkit.proving import MOST_DIFFERENCE, Proof
from clary.toolkit.sessions import ERRORS, Input, Session

_TRIES = 16
_SEED = 45

Array = Any


def from_folder(folder: Path, shapes: Mapping[str, Any], form: str = ONNX) -> Compiled:
    """The `.onnx` of a folder. Raises Uncompilable."""
    if form != ONNX:
        raise Uncompilable(f"a model that is ONNX already is not written as {form.upper()}")
    content = only_file(folder, "a model", ".onnx").read_bytes()
    try:
        before = Session(content)
    except ERRORS as error:
        raise Uncompilable(f"ONNX Runtime cannot load the model: {error}") from error
    check_inputs(before.inputs, shapes)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "model.onnx")
        Session(content, optimized=path)
        simplified = path.read_bytes()
    return Compiled(simplified, _same(before, Session(simplified), shapes))


def check_inputs(inputs: List[Input], shapes: Mapping[str, Any]) -> None:
    """Raises Uncompilable where DataInputConfig names other inputs than the model has, or other shapes."""
    names = {each.name for each in inputs}
    if not shapes:
        return
    if set(shapes) != names:
        said, has = ", ".join(sorted(shapes)), ", ".join(sorted(names))
        raise Uncompilable(f"DataInputConfig names the inputs {said}; the model has {has}")
    for each in inputs:
        if not _fits(each.shape, shapes[each.name]):
            raise Uncompilable(f"DataInputConfig says {each.name}: {shapes[each.name]}, the model takes {each.shape}")


def _fits(known: List[Any], said: Any) -> bool:  # noqa: ANN401 - whatever the request holds there
    if not isinstance(said, list) or len(said) != len(known):
        return False
    return all(length is None or wanted in (length, None, -1) for length, wanted in zip(known, said))  # noqa: B905


def _same(before: Session, after: Session, shapes: Mapping[str, Any]) -> Proof:
    """Raises Uncompilable where an output differs by more than MOST_DIFFERENCE, in relation to the largest number."""
    random = np.random.RandomState(_SEED)
    worst = 0.0
    for _ in range(_TRIES):
        given = {each.name: _drawn(each, shapes.get(each.name), random) for each in before.inputs}
        try:
            wanted, found = before.run(given), after.run(given)
        except ERRORS as error:
            raise Uncompilable(f"the model cannot be tried: {error}") from error
        worst = max(worst, _difference(wanted, found))
    if not worst <= MOST_DIFFERENCE:
        raise Uncompilable(f"the compiled model is not the same: outputs differ by {worst:.2g}")
    return Proof(_TRIES, 0, worst, "float32")


def _drawn(taken: Input, said: Any, random: Any) -> Array:  # noqa: ANN401 - as above; old numpy has no types
    """Random floats, as they are after scaling; zeros of all other types, which may be places in a table."""
    shape = [length or 1 for length in (said if isinstance(said, list) else taken.shape)]
    shape = [max(length, 1) for length in shape]
    if not taken.kind:
        raise Uncompilable(f"the model's input {taken.name} is no tensor")
    if taken.kind.startswith("float"):
        return random.uniform(size=shape).astype(taken.kind)
    return np.full(shape, "" if taken.kind == "object" else 0, taken.kind)


def _difference(wanted: Dict[str, Array], found: Dict[str, Array]) -> float:
    worst = 0.0
    for name, one in wanted.items():
        other = found[name]
        if not isinstance(one, np.ndarray) or one.dtype.kind not in "fiub":
            worst = max(worst, 0.0 if np.array_equal(np.asarray(one), np.asarray(other)) else np.inf)
        elif one.size:
            scale = max(1.0, float(np.max(np.abs(one.astype(float)))))
            worst = max(worst, float(np.max(np.abs(one.astype(float) - other.astype(float)))) / scale)
    return worst
