"""A model that is ONNX already: simplified by the runtime, for any machine, and proved to answer as before."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping

from clary.algorithms.neo.compiled import Compiled, Uncompilable, only_file
from clary.algorithms.neo.exporting import ONNX
from clary.algorithms.neo.networks import check_inputs, only_onnx, same, simplified
from clary.toolkit.sessions import ERRORS, Session


def from_folder(folder: Path, shapes: Mapping[str, Any], form: str = ONNX) -> Compiled:
    """The `.onnx` of a folder. Raises Uncompilable."""
    only_onnx(form, "a model that is ONNX already")
    content = only_file(folder, "a model", ".onnx").read_bytes()
    try:
        before = Session(content)
    except ERRORS as error:
        raise Uncompilable(f"ONNX Runtime cannot load the model: {error}") from error
    check_inputs(before.inputs, shapes)
    after = simplified(content)
    return Compiled(after, same(before, Session(after), shapes))
