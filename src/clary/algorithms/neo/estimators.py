"""scikit-learn's models as ONNX: the script's `model_fn` loads them, or the one pickle of the archive is read."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Mapping

import joblib  # type: ignore[import-not-found,import-untyped,unused-ignore]
import numpy as np
import onnx  # type: ignore[import-not-found,unused-ignore]

from clary.algorithms.neo.compiled import Compiled, Uncompilable, check_columns, only_file
from clary.toolkit import compiling, inference, proving, samples
from clary.toolkit.sessions import PREDICTION, Session

_PROGRAM = "inference.py"
_PICKLES = (".joblib", ".pkl", ".pickle")

Model = Any


def from_folder(folder: Path, shapes: Mapping[str, Any]) -> Compiled:
    """The model of a folder. Raises Uncompilable, and what a script or a pickle raises."""
    model = _loaded(folder)
    columns = getattr(model, "n_features_in_", 0)
    if not hasattr(model, "predict") or not columns:
        name = type(model).__name__
        raise Uncompilable(f"{name} is no fitted estimator that predicts rows of numbers")
    check_columns(shapes, columns)
    content = compiling.compiled(model)
    table = samples.of(model, proving.ROWS)
    try:
        return Compiled(*_proved(model, content, table))
    except proving.Refused as refused:
        raise Uncompilable(f"the compiled model is not the same: {refused}") from refused


def _loaded(folder: Path) -> Model:
    code = folder / "code"
    program = _program(code)
    if program:
        sys.path[:0] = [str(code), str(code / "lib")]
        module = inference.import_script(program)
        if hasattr(module, "model_fn"):
            return module.model_fn(str(folder))
    return joblib.load(only_file(folder, "a model", *_PICKLES))


def _program(code: Path) -> str:
    """The script's name: what the environment says, `inference.py`, or the only one there is; else empty."""
    named = os.environ.get("SAGEMAKER_PROGRAM") or _PROGRAM
    if (code / named).is_file():
        return named
    scripts = sorted(code.glob("*.py"))
    return scripts[0].name if len(scripts) == 1 else ""


def _proved(model: Model, content: bytes, table: Any) -> Any:  # noqa: ANN401 - the old numpy has no types
    session = Session(content)
    wanted = model.predict(table)
    if hasattr(model, "classes_"):
        proof = proving.labels(model, session, table)
    else:
        proof = proving.numbers(np.asarray(wanted), session, table)
    return _saying(content, wanted.dtype), proof


def _saying(content: bytes, kind: Any) -> bytes:  # noqa: ANN401 - as above
    """The model, its answers' type written into it: ONNX has fewer."""
    if kind.kind == "O":
        return content
    model = onnx.load_from_string(content)
    onnx.helper.set_model_props(model, {PREDICTION: kind.str})
    found: bytes = model.SerializeToString()
    return found
