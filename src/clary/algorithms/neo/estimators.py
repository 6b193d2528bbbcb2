"""scikit-learn's models as files: the script's `model_fn` loads them, or the one pickle of the archive is read."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Mapping

import joblib  # type: ignore[import-not-found,import-untyped,unused-ignore]
import numpy as np
import onnx  # type: ignore[import-not-found,unused-ignore]

from clary.algorithms.neo import estimator_formulas, exporting
from clary.algorithms.neo.compiled import Compiled, Uncompilable, check_columns, only_file
from clary.toolkit import compiling, inference, proving, samples
from clary.toolkit.sessions import PREDICTION, Session

_PROGRAM = "inference.py"
_PICKLES = (".joblib", ".pkl", ".pickle")

Model = Any


def from_folder(folder: Path, shapes: Mapping[str, Any], form: str = exporting.ONNX) -> Compiled:
    """The model of a folder. Raises Uncompilable, and what a script or a pickle raises."""
    model = _loaded(folder)
    columns = getattr(model, "n_features_in_", 0)
    if not hasattr(model, "predict") or not columns:
        name = type(model).__name__
        raise Uncompilable(f"{name} is no fitted estimator that predicts rows of numbers")
    check_columns(shapes, columns)
    try:
        return _exported(model, form) if form != exporting.ONNX else _compiled(model)
    except proving.Refused as refused:
        raise Uncompilable(f"the compiled model is not the same: {refused}") from refused


def _compiled(model: Model) -> Compiled:
    content = compiling.compiled(model)
    proof = _proved(model, Session(content), samples.of(model, proving.ROWS))
    return Compiled(_saying(content, model.predict(samples.of(model, 1)).dtype), proof)


def _exported(model: Model, form: str) -> Compiled:
    written = estimator_formulas.written(model)
    content = exporting.content(form, written)
    asked = exporting.asked(form, content, written.formula)
    table = exporting.suited(samples.of(model, proving.ROWS), written.formula)
    if not _takes(model, table):  # there are releases whose centres take no float32
        table = table.astype(np.float64)
    proof = _proved(model, asked, table)
    gaps = exporting.with_gaps(table)
    if form == exporting.PMML and _takes(model, gaps):
        _proved(model, asked, gaps)
    return Compiled(content, proof)


def _takes(model: Model, table: Any) -> bool:  # noqa: ANN401 - the old numpy has no types
    """Whether a model answers such rows."""
    try:
        model.predict(table)
    except ValueError:
        return False
    return True


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


def _proved(model: Model, asked: proving.Asked, table: Any) -> proving.Proof:  # noqa: ANN401 - as above
    """Raises Refused."""
    if hasattr(model, "classes_"):
        return proving.labels(model, asked, table)
    return proving.numbers(np.asarray(model.predict(table)), asked, table)


def _saying(content: bytes, kind: Any) -> bytes:  # noqa: ANN401 - as above
    """The model, its answers' type written into it: ONNX has fewer."""
    if kind.kind == "O":
        return content
    model = onnx.load_from_string(content)
    onnx.helper.set_model_props(model, {PREDICTION: kind.str})
    found: bytes = model.SerializeToString()
    return found
