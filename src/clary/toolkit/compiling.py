"""`python -m clary.toolkit.compiling`: a scikit-learn classifier as ONNX, proved to give the same answers.

A program of its own: the replica goes on answering meanwhile, and the compiler's memory goes with it. It reads a pickle
of the model from standard input, which the replica wrote, and writes one line of JSON, then the ONNX.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import time
import warnings
from typing import Any, Callable, Dict

import numpy as np
from onnx import TensorProto  # type: ignore[import-not-found,unused-ignore]
from skl2onnx import to_onnx, update_registered_converter  # type: ignore[import-not-found,unused-ignore]
from skl2onnx.algebra.onnx_ops import OnnxCast, OnnxDiv, OnnxSub  # type: ignore[import-not-found,unused-ignore]
from skl2onnx.shape_calculators import scaler as scalers  # type: ignore[import-not-found,unused-ignore]
from sklearn.preprocessing import StandardScaler

from clary.toolkit import histograms, proving, samples
from clary.toolkit.forests import count_votes
from clary.toolkit.proving import ROWS, Proof, Refused
from clary.toolkit.server.serving import end_with_parent
from clary.toolkit.sessions import Session

_TOGETHER = 32
_SOONER = 1.5
_TRIES = 10
_NICE = 19
_MOST_SAID = 400
"""Characters of a refusal: the compiler's may hold whole trees."""
_OPERATORS = 17
"""The version of ONNX's operators: every runtime since 2022 knows them; the compiler's newest may be too new for it."""
_OPERATORS_OF_MODELS = 3

Array = Any
Model = Any


def main() -> int:
    """The exit code; why a model is not compiled is said in the line."""
    end_with_parent()
    os.nice(_NICE)
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever libraries print
    warnings.simplefilter("ignore")
    content = b""
    try:
        model = pickle.load(sys.stdin.buffer)  # noqa: S301 - the replica's own model
        content = compiled(model)
        told: Dict[str, Any] = prove(model, content)._asdict()
    except Exception as error:  # the compiler's and the model's libraries may raise anything: the model stays as it is
        told = {"refused": f"{type(error).__name__}: {error}"[:_MOST_SAID]}
    output.write(json.dumps(told).encode() + b"\n" + content)
    output.close()
    return 0


def compiled(model: Model) -> bytes:
    """ONNX that takes float32; it gives a classifier's labels and probabilities, any other model's numbers. Raises what
    the compiler raises."""
    for part in [model, *model.get_params(deep=True).values()]:
        if getattr(part, "flatten_transform", False):
            part.flatten_transform = False  # the compiler stumbles over it, though predictions do not depend on it
    example = np.zeros((1, model.n_features_in_), np.float32)
    update_registered_converter(
        StandardScaler, "ExactScaler", scalers.calculate_sklearn_scaler_output_shapes, _scaled, overwrite=True
    )
    histograms.register()
    found = _converted(model, example)
    count_votes(found)
    content: bytes = found.SerializeToString()
    return content


def _converted(model: Model, example: Array) -> Any:  # noqa: ANN401 - the compiler's own, without types
    versions = {"": _OPERATORS, "ai.onnx.ml": _OPERATORS_OF_MODELS}
    options = {id(model): {"zipmap": False}} if hasattr(model, "classes_") else None
    try:
        return to_onnx(model, example, options=options, target_opset=versions)
    except NameError:  # a classifier without probabilities, which has nothing to zip
        return to_onnx(model, example, target_opset=versions)


def _scaled(scope: Any, operator: Any, container: Any) -> None:  # noqa: ANN401 - the compiler's own, without types
    """A StandardScaler's arithmetic as it is: the compiler's own rounds otherwise, and trees behind it then branch
    otherwise. float32 less or by float64 is computed in float64, and each result rounded to float32."""
    scaler = operator.raw_operator
    steps = ((OnnxSub, scaler.mean_, scaler.with_mean), (OnnxDiv, scaler.scale_, scaler.with_std))
    node: Any = operator.inputs[0].full_name
    for function, values, wanted in steps:
        if wanted and values is not None:
            wide = OnnxCast(node, to=TensorProto.DOUBLE, op_version=_OPERATORS)
            result = function(wide, np.asarray(values, np.float64), op_version=_OPERATORS)
            node = OnnxCast(result, to=TensorProto.FLOAT, op_version=_OPERATORS)
    last = OnnxCast(node, to=TensorProto.FLOAT, op_version=_OPERATORS, output_names=[operator.outputs[0].full_name])
    last.add_to(scope, container)


def prove(model: Model, content: bytes) -> Proof:
    """Raises Refused where answers differ, or take as long as the model's own."""
    session = Session(content)
    table = samples.of(model, ROWS)
    proof = proving.labels(model, session, table)
    _check_pays(model, session, table)
    return proof


def _check_pays(model: Model, session: Session, table: Array) -> None:
    """Raises Refused where it takes as long: one row at a time, or several."""
    kind = model.predict(table[:1]).dtype
    for rows in (table[:1], table[:_TOGETHER]):
        own, compiled_ = _seconds(model.predict, rows), _seconds(lambda each: session.labels(each, kind), rows)
        if compiled_ * _SOONER > own:
            raise Refused(f"{compiled_ * 1e6:.0f} µs for {len(rows)} rows instead of {own * 1e6:.0f} are not worth it")


def _seconds(predict: Callable[[Array], Array], rows: Array) -> float:
    """The best of several tries: the machine has other work."""
    taken = []
    for _ in range(_TRIES):
        began = time.perf_counter()
        predict(rows)
        taken.append(time.perf_counter() - began)
    return min(taken)


if __name__ == "__main__":
    sys.exit(main())
