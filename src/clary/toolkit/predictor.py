"""A classifier's `predict` and `predict_proba`, and what is proved to give the same sooner
(docs/decisions/0037-compiled-where-proved-equal.md).

A classifier that is asked often is compiled to ONNX by a process beside this one (`compiling.py`). Until that is done,
and wherever it cannot be, scikit-learn itself answers.
"""

from __future__ import annotations

import copy
import importlib
import importlib.util
import json
import logging
import pickle
import subprocess
import sys
import threading
from typing import Any, Mapping, NamedTuple, Optional

import numpy as np

from clary.toolkit import packages, proofs

ASKED = 100
"""Predictions after which a model is compiled: an endpoint that is hardly asked costs no more than before."""
_MOST_BYTES = 64 * 2**20
"""A larger model is not compiled: the compiler holds it several times."""
_SECONDS = 300
_NEEDED = ("onnxruntime", "skl2onnx")
_OFF = "off"
_WATCHED = ("predict", "predict_proba")

logger = logging.getLogger("sagemaker-inference")

Array = Any
Model = Any


class _Compiled(NamedTuple):
    session: Any
    kind: str
    """Of the probabilities: `float64`."""


class NotCompiled(Exception):
    """Why scikit-learn goes on answering."""


def watch(model: Model, environ: Mapping[str, str]) -> None:
    """From here on the model's own methods are asked through a Predictor, whoever calls them, where it is one that may
    be compiled. `CLARY_COMPILE=off` leaves it as it is."""
    if environ.get("CLARY_COMPILE") != _OFF and _is_classifier(model):
        predictor = Predictor(model, environ)
        model.predict = predictor.predict
        if hasattr(model, "predict_proba"):
            model.predict_proba = predictor.predict_proba


def bare(model: Model) -> Model:
    """The same model with its class's methods."""
    copied = copy.copy(model)
    for name in _WATCHED:
        vars(copied).pop(name, None)
    return copied


class Predictor:
    """What stands before one model's methods."""

    def __init__(self, model: Model, environ: Mapping[str, str], asked: int = ASKED) -> None:
        self._model = model
        self._predict, self._predict_proba = model.predict, getattr(model, "predict_proba", None)
        self._environ = environ
        self._compiled: Optional[_Compiled] = None
        self._left = asked

    def predict(self, rows: Array, *given: Any, **named: Any) -> Array:  # noqa: ANN401 - as the model's own
        """The labels. Raises what the model raises."""
        compiled = self._asked(rows) if not given and not named else None
        if compiled is not None:
            return compiled.session.labels(np.ascontiguousarray(rows), self._model.classes_.dtype)
        return self._predict(rows, *given, **named)

    def predict_proba(self, rows: Array, *given: Any, **named: Any) -> Array:  # noqa: ANN401 - as above
        """The probabilities. Raises what the model raises."""
        compiled = self._asked(rows) if not given and not named else None
        if compiled is not None:
            return compiled.session.probabilities(np.ascontiguousarray(rows)).astype(compiled.kind, copy=False)
        assert self._predict_proba is not None  # noqa: S101 - for the type checker
        return self._predict_proba(rows, *given, **named)

    def __reduce__(self) -> Any:  # noqa: ANN401 - what pickle wants
        """Copies that a script sends to processes of its own are not compiled."""
        return _uncompiled, (bare(self._model),)

    def _asked(self, rows: Array) -> Optional[_Compiled]:
        if self._compiled is not None:
            return self._compiled if self._takes(rows) else None
        if self._left:
            self._left -= 1
            if not self._left and _can_be_compiled(self._model):
                threading.Thread(target=self._compile, name="compile", daemon=True).start()
        return None

    def _takes(self, table: Array) -> bool:
        """What was proved: float32 without gaps. Everything else is for scikit-learn, refusals above all."""
        return (
            isinstance(table, np.ndarray)
            and table.dtype == np.float32
            and table.ndim == 2
            and table.shape[1] == self._model.n_features_in_
            and len(table) > 0
            and bool(np.isfinite(table).all())
        )

    def _compile(self) -> None:
        try:
            told, content = _compiled(self._model, self._environ)
            session = importlib.import_module("clary.toolkit.sessions").Session(content)
            self._compiled = _Compiled(session, told["kind"])
        except Exception as error:  # the last line of defence of this thread: the model is served as it is
            logger.info("The model is not compiled: %s", error)
            return
        logger.info(
            "The model is compiled (CLARY_COMPILE=off leaves it as it is): for %d rows all labels, of %d kinds, are "
            "the same, and probabilities differ by %.2g at most.",
            told["rows"],
            told["labels"],
            told["difference"],
        )


def _uncompiled(model: Model) -> Predictor:
    return Predictor(model, {}, asked=0)


def _is_classifier(model: Model) -> bool:
    """Labels can be the same, numbers only nearly: classifiers alone are compiled."""
    return proofs.looks_known(model) and getattr(getattr(model, "classes_", None), "ndim", 0) == 1


def _can_be_compiled(model: Model) -> bool:
    """Looked at when it is to be done: an endpoint that is hardly asked costs no memory for it."""
    return proofs.known(model) and all(importlib.util.find_spec(name) is not None for name in _NEEDED)


def _compiled(model: Model, environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - what was proved, and the ONNX
    """Raises NotCompiled."""
    content = pickle.dumps(bare(model))
    if len(content) > _MOST_BYTES:
        raise NotCompiled(f"it has {len(content)} bytes, more than {_MOST_BYTES}")
    with subprocess.Popen(
        [sys.executable, "-m", "clary.toolkit.compiling"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environ, "PYTHONPATH": packages.python_path(environ), "OMP_NUM_THREADS": "1"},
    ) as process:
        try:
            output, _ = process.communicate(content, timeout=_SECONDS)
        finally:
            process.kill()
    head, _, compiled = output.partition(b"\n")
    told = json.loads(head) if head else {"refused": f"the compiler ended with code {process.returncode}"}
    if "refused" in told:
        raise NotCompiled(told["refused"])
    return told, compiled
