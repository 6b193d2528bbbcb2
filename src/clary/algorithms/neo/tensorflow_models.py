"""TensorFlow's models as files: a SavedModel's signature, written as ONNX by tf2onnx and proved to answer as before.

Inputs and outputs are called as the signature calls them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Sequence

import numpy as np
import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]
import tf2onnx  # type: ignore[import-not-found,unused-ignore]
from tensorflow.python.framework import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    convert_to_constants,
)

from clary.algorithms.neo.compiled import Compiled, Uncompilable
from clary.algorithms.neo.exporting import ONNX
from clary.algorithms.neo.networks import OPERATORS, check_inputs, fits, only_onnx, same, simplified, takes
from clary.toolkit.sessions import Input, Session
from clary.toolkit.tensorflow import saved_models

_DEFAULT = "serving_default"
_OTHER_ROWS = 3
_IMAGE_DIMENSIONS = 4
_PREFIXES = ("serving_default_",)

Array = Any
Function = Any
"""A ConcreteFunction."""
Ask = Callable[[Dict[str, Any]], Dict[str, Any]]
"""Tensors by name to tensors by name."""


class Graph:
    """A function of TensorFlow's that gives outputs by name, and the same with its variables made constants."""

    def __init__(self, function: Function, inputs: Sequence[str], ask: Ask) -> None:
        """`inputs` are the names of its tensors, in their order."""
        self.frozen = convert_to_constants.convert_variables_to_constants_v2(function)
        outputs = sorted(function.structured_outputs)  # as TensorFlow flattens them
        self.names = dict(zip([*_names(self.frozen.inputs), *_names(self.frozen.outputs)], [*inputs, *outputs]))  # noqa: B905
        self.inputs = [_input(name, tensor) for name, tensor in zip(inputs, self.frozen.inputs)]  # noqa: B905
        self._ask = ask

    def run(self, given: Mapping[str, Array]) -> Dict[str, Array]:
        """All outputs by name. Raises RuntimeError."""
        try:
            found = self._ask({each.name: tf.constant(given[each.name]) for each in self.inputs})
        except (tf.errors.OpError, TypeError) as error:
            raise RuntimeError(str(error)) from error
        return {name: tensor.numpy() for name, tensor in found.items()}


def from_folder(folder: Path, shapes: Mapping[str, Any], form: str = ONNX) -> Compiled:
    """The SavedModel of a folder, its newest version. Raises Uncompilable, and what TensorFlow raises."""
    only_onnx(form, "a model of TensorFlow")
    return compiled(_saved(_only_model(folder)), shapes)


def compiled(graph: Graph, shapes: Mapping[str, Any]) -> Compiled:
    """Raises Uncompilable, and what tf2onnx raises."""
    named = as_the_model(graph.inputs, shapes)
    check_inputs(graph.inputs, named)
    made, _ = tf2onnx.convert.from_graph_def(
        graph.frozen.graph.as_graph_def(),
        input_names=_names(graph.frozen.inputs),
        output_names=_names(graph.frozen.outputs),
        tensors_to_rename=graph.names,
        opset=OPERATORS,
    )
    content = simplified(made.SerializeToString())
    return Compiled(content, proved(graph, content, named))


def proved(network: Any, content: bytes, shapes: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a Network, a Proof
    """Also with another number of rows, where the network takes that. Raises Uncompilable."""
    session = Session(content)
    is_open = all(each.shape and each.shape[0] is None for each in network.inputs)
    if is_open and takes(network, shapes, _OTHER_ROWS):
        same(network, session, shapes, rows=_OTHER_ROWS)
    return same(network, session, shapes)


def as_the_model(inputs: Sequence[Input], shapes: Mapping[str, Any]) -> Dict[str, Any]:
    """DataInputConfig by the model's own names and in its order of dimensions: AWS has tensors' names
    (`serving_default_x:0`) as well, and of Keras' images the channels first."""
    found: Dict[str, Any] = {}
    for name, shape in shapes.items():
        taken = next((each for each in inputs if plain(each.name) == plain(name)), None)
        found[taken.name if taken else name] = _channels_last(taken.shape, shape) if taken else shape
    return found


def plain(name: str) -> str:
    """A tensor's name as a signature has it: `serving_default_x:0` → `x`."""
    bare = name.partition(":")[0]
    for prefix in _PREFIXES:
        bare = bare[len(prefix) :] if bare.startswith(prefix) else bare
    return bare


def _channels_last(known: Sequence[Any], said: Any) -> Any:  # noqa: ANN401 - as the request says it
    if isinstance(said, list) and len(said) == _IMAGE_DIMENSIONS and not fits(known, said):
        turned = [said[0], *said[2:], said[1]]
        return turned if fits(known, turned) else said
    return said


def _only_model(folder: Path) -> Path:
    try:
        found = saved_models.find(folder)
    except ValueError as error:
        raise Uncompilable(str(error).rstrip(".")) from error
    if len(found) != 1:
        raise Uncompilable(f"the archive must hold one SavedModel; it holds {', '.join(sorted(found))}")
    versions = next(iter(found.values()))
    return versions[max(versions)]


def _saved(folder: Path) -> Graph:
    loaded = tf.saved_model.load(str(folder))
    name = _DEFAULT if _DEFAULT in loaded.signatures else next(iter(loaded.signatures), "")
    if not name or (name != _DEFAULT and len(loaded.signatures) > 1):
        names = ", ".join(sorted(loaded.signatures)) or "none"
        raise Uncompilable(f"the SavedModel must have the signature {_DEFAULT}, or only one; it has {names}")
    function = loaded.signatures[name]
    function._backref = loaded  # its variables live as long as what was loaded
    return Graph(function, _in_order(function), lambda given: dict(function(**given)))


def _in_order(function: Function) -> List[str]:
    """The names of a signature's inputs in the order of its tensors, which come before those that it has captured."""
    named = function.structured_input_signature[1]
    own = {spec.name: name for name, spec in named.items()}
    tensors = [each.name.partition(":")[0] for each in function.inputs[: len(named)]]
    return [own.get(name, name) for name in tensors]


def _names(tensors: Sequence[Any]) -> List[str]:
    return [each.name for each in tensors]


def _input(name: str, tensor: Any) -> Input:  # noqa: ANN401 - TensorFlow's
    if tensor.shape.rank is None:
        raise Uncompilable(f"the input {name} of the model has no number of dimensions")
    kind = "object" if tensor.dtype == tf.string else str(np.dtype(tensor.dtype.as_numpy_dtype).name)
    return Input(name, kind, list(tensor.shape.as_list()))
