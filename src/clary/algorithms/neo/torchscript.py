"""PyTorch's models as files: TorchScript, written as ONNX by PyTorch itself, and proved to answer as before
(https://docs.aws.amazon.com/sagemaker/latest/dg/neo-compilation-preparing-model.html).

What rows a model takes is part of no TorchScript: DataInputConfig says it, or the inputs that it was traced with, which
PyTorch has kept beside the program since 1.12.
"""

from __future__ import annotations

import io
import itertools
import zipfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Type

import torch  # type: ignore[import-not-found,unused-ignore]
from torch.onnx import (  # type: ignore[import-not-found,unused-ignore]
    symbolic_helper,
    symbolic_opset13,
)

from clary.algorithms.neo.compiled import Compiled, Uncompilable, only_file
from clary.algorithms.neo.exporting import ONNX
from clary.algorithms.neo.networks import OPERATORS, is_shape, only_onnx, same, simplified
from clary.toolkit.sessions import ERRORS, Input, Session

_TRACED = "traced_inputs"
_ARCHIVE_PARTS = ("version", "byteorder")
_METHOD = "forward"
_KINDS = ("float32", "int64")
"""What an input may hold of which nothing but the shape is known; the first that the model takes."""
_MOST_GUESSED = 4
"""Inputs whose kinds are tried in all ways; of more all are of one kind."""
_OTHER_ROWS = 3
_NOT_SO: Tuple[Type[Exception], ...] = (Uncompilable, *ERRORS)
"""What PyTorch and the runtime raise where a network is for one number of rows only, and what the proof does."""
_LIMIT = 2**31
"""Bytes: ONNX's own, for one file."""
_SHAPES_WANTED = (
    'DataInputConfig must say the shapes, such as {"input0": [1, 3, 224, 224]}: the model was not traced, or not by a'
    " PyTorch that keeps what it was traced with"
)

Array = Any
Tensor = Any
Module = Any


class Traced(NamedTuple):
    """An input that a model was traced with."""

    shape: List[int]
    kind: str


class Script:
    """TorchScript, asked by names that its inputs are given. Raises Uncompilable where it takes no such inputs."""

    def __init__(self, module: Module, inputs: Sequence[Input]) -> None:
        self.inputs = list(inputs)
        self._module = module
        try:
            self.outputs = [f"output{place}" for place, _ in enumerate(self._called(self.examples()))]
        except RuntimeError as error:
            raise Uncompilable(f"the model does not take the inputs of DataInputConfig: {_last(error)}") from error

    def examples(self) -> Tuple[Tensor, ...]:
        """Zeros, one for each input."""
        return tuple(torch.zeros(each.shape, dtype=getattr(torch, each.kind)) for each in self.inputs)

    def run(self, given: Mapping[str, Array]) -> Dict[str, Array]:
        """All outputs by name. Raises RuntimeError."""
        tensors = [torch.from_numpy(given[each.name]) for each in self.inputs]
        return {name: tensor.numpy() for name, tensor in zip(self.outputs, self._called(tensors))}  # noqa: B905

    def _called(self, tensors: Sequence[Tensor]) -> List[Tensor]:
        try:
            with torch.no_grad():
                return list(_tensors(self._module(*tensors)))
        except (IndexError, ValueError, TypeError, NotImplementedError) as error:  # a place beyond a table's end, …
            raise RuntimeError(str(error)) from error


def from_folder(folder: Path, shapes: Any, form: str = ONNX) -> Compiled:  # noqa: ANN401 - as the request says them
    """The `.pt` or `.pth` of a folder; `shapes` by name, or a list of them. Raises Uncompilable, and what PyTorch
    raises for what it cannot write."""
    only_onnx(form, "a model of PyTorch")
    path = only_file(folder, "a TorchScript model", ".pt", ".pth")
    module = _loaded(path)
    script = _asked(module, said(shapes), traced(path))
    return _compiled(module, script)


def _loaded(path: Path) -> Module:
    try:
        return torch.jit.load(str(path), map_location="cpu").eval()
    except RuntimeError as error:
        remedy = "save `torch.jit.trace(model.eval(), example)` or `torch.jit.script(model)` by torch.jit.save"
        raise Uncompilable(f"{path.name} is no TorchScript that PyTorch can load ({_last(error)}): {remedy}") from error


def said(shapes: Any) -> Dict[str, List[int]]:  # noqa: ANN401 - as above
    """Shapes by name, in order; those of a list are called as AWS calls them. Raises Uncompilable."""
    named = {f"input{place}": each for place, each in enumerate(shapes)} if isinstance(shapes, list) else shapes
    for name, shape in named.items():
        if not is_shape(shape):
            raise Uncompilable(f"DataInputConfig says {name}: {shape}, which is no shape")
    return {name: [1 if length in (None, -1) else length for length in shape] for name, shape in named.items()}


def traced(path: Path) -> List[Traced]:
    """What PyTorch has kept of the inputs, without their content; empty where the model was scripted."""
    with zipfile.ZipFile(path) as archive:
        found = [name for name in archive.namelist() if name.endswith(f"/{_TRACED}.pkl")]
        kept = _tensors_file(archive, found[0].rpartition("/")[0]) if found else None
    if kept is None:
        return []
    tensors = torch.load(kept, map_location="meta", weights_only=False).get(_METHOD, [])  # a sandbox is around it
    if not all(isinstance(each, torch.Tensor) for each in tensors):
        return []
    return [Traced(list(each.shape), str(each.dtype).rpartition(".")[2]) for each in tensors]


def _tensors_file(archive: zipfile.ZipFile, root: str) -> io.BytesIO:
    """That part of a TorchScript file as a file of its own, which `torch.load` reads."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as parts:
        for name in archive.namelist():
            part = name[len(root) + 1 :]
            if part.startswith(_TRACED) or part in _ARCHIVE_PARTS:
                parts.writestr(f"{root}/{part.replace(_TRACED, 'data', 1)}", archive.read(name))
    made.seek(0)
    return made


def _asked(module: Module, shapes: Mapping[str, List[int]], known: Sequence[Traced]) -> Script:
    """Raises Uncompilable."""
    if not shapes and not known:
        raise Uncompilable(_SHAPES_WANTED)
    if not shapes:
        return Script(module, [Input(f"input{place}", each.kind, each.shape) for place, each in enumerate(known)])
    refused: Optional[Uncompilable] = None
    for kinds in _kinds(len(shapes), known):
        try:
            return Script(module, [Input(name, kind, shape) for kind, (name, shape) in zip(kinds, shapes.items())])  # noqa: B905
        except Uncompilable as error:
            refused = refused or error
    raise refused or Uncompilable(_SHAPES_WANTED)


def _kinds(count: int, known: Sequence[Traced]) -> Iterator[Sequence[str]]:
    if len(known) == count:
        yield [each.kind for each in known]
    elif count <= _MOST_GUESSED:
        yield from itertools.product(_KINDS, repeat=count)
    else:
        yield from ([kind] * count for kind in _KINDS)


def _compiled(module: Module, script: Script) -> Compiled:
    """For any number of rows where it answers so with another number of them as well, else for those that were said."""
    shapes = {each.name: each.shape for each in script.inputs}
    try:
        content = _written(module, script, any_rows=True)
        same(script, Session(content), shapes, rows=_OTHER_ROWS)
    except _NOT_SO:
        content = _written(module, script, any_rows=False)
    return Compiled(content, same(script, Session(content), shapes))


def _unflatten(graph: Any, values: Any, dimension: Any, lengths: Any) -> Any:  # noqa: ANN401 - PyTorch's, without types
    """PyTorch's own, which forgets how many dimensions there are then; attention cannot be written without that."""
    found = symbolic_opset13.unflatten(graph, values, dimension, lengths)
    rank = symbolic_helper._get_tensor_rank(values)
    if rank is not None and lengths.node().kind() == "prim::ListConstruct":
        parts = len(list(lengths.node().inputs()))
        found.setType(values.type().with_sizes([None] * (rank - 1 + parts)))
    return found


def _written(module: Module, script: Script, *, any_rows: bool) -> bytes:
    """Raises RuntimeError (of which PyTorch's own errors are) for what ONNX has no operator for."""
    torch.onnx.register_custom_op_symbolic("aten::unflatten", _unflatten, OPERATORS)
    stream = io.BytesIO()
    names = [each.name for each in script.inputs]
    torch.onnx.export(
        module,
        script.examples(),
        stream,
        input_names=names,
        output_names=script.outputs,
        dynamic_axes={each.name: {0: "rows"} for each in script.inputs if each.shape} if any_rows else None,
        opset_version=OPERATORS,
        dynamo=False,  # the other exporter wants the program that TorchScript was made of
    )
    content = stream.getvalue()
    if len(content) >= _LIMIT:
        raise Uncompilable(f"its ONNX has {len(content)} bytes, more than one file can have")
    return simplified(content)


def _tensors(found: Any) -> Iterator[Tensor]:  # noqa: ANN401 - whatever the model gives
    """Those of an answer, in order. Raises RuntimeError for what is no tensor."""
    if isinstance(found, torch.Tensor):
        yield found.detach()
    elif isinstance(found, (tuple, list)):
        for each in found:
            yield from _tensors(each)
    else:
        raise RuntimeError(  # noqa: TRY004 - no caller's mistake: a model that cannot be asked
            f"it answers with {type(found).__name__}, and ONNX has tensors and tuples of them only"
        )


def _last(error: Exception) -> str:
    """What an error of PyTorch's says at last, without the places in its sources."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said_ = next((line for line in reversed(lines) if line.startswith("RuntimeError: ")), lines[0] if lines else "")
    return said_.partition("RuntimeError: ")[2] or said_
