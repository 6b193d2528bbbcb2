"""`model.predict`, and what is proved to give the same sooner (docs/decisions/0037-compiled-where-proved-equal.md).

A classifier that is asked often is compiled to ONNX by a process beside this one (`compiling.py`). Until that is done,
and wherever it cannot be, scikit-learn itself answers.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import logging
import pickle
import subprocess
import sys
import threading
from typing import Any, Mapping, Optional

import numpy as np

from clary.toolkit import packages, proofs

ASKED = 100
"""Predictions after which a model is compiled: an endpoint that is hardly asked costs no more than before."""
_MOST_BYTES = 64 * 2**20
"""A larger model is not compiled: the compiler holds it several times."""
_SECONDS = 300
_NEEDED = ("onnxruntime", "skl2onnx")
_OFF = "off"

logger = logging.getLogger("sagemaker-inference")

Array = Any
Model = Any


class NotCompiled(Exception):
    """Why scikit-learn goes on answering."""


class Predictor:
    """One model. Asked by one thread."""

    def __init__(self, model: Model, environ: Mapping[str, str]) -> None:
        self.model = model
        self._environ = environ
        self._session: Optional[Any] = None
        self._left = ASKED if environ.get("CLARY_COMPILE") != _OFF and _may_be_compiled(model) else 0
        self._columns = getattr(model, "n_features_in_", 0)

    def predict(self, table: Array) -> Array:
        """`model.predict`. Raises what that raises."""
        session = self._session
        if session is not None and self._takes(table):
            try:
                return session.labels(np.ascontiguousarray(table), self.model.classes_.dtype)
            except Exception:  # the runtime's own errors: scikit-learn answers as before
                logger.exception("The compiled model failed; it is not used any more.")
                self._session = None
        elif self._left:
            self._left -= 1
            if not self._left:
                threading.Thread(target=self._compile, name="compile", daemon=True).start()
        return self.model.predict(table)

    def _takes(self, table: Array) -> bool:
        """What was proved: float32 without gaps. Everything else is for scikit-learn, refusals above all."""
        return (
            isinstance(table, np.ndarray)
            and table.dtype == np.float32
            and table.ndim == 2
            and table.shape[1] == self._columns
            and len(table) > 0
            and bool(np.isfinite(table).all())
        )

    def _compile(self) -> None:
        try:
            told, content = _compiled(self.model, self._environ)
            self._session = importlib.import_module("clary.toolkit.sessions").Session(content)
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


def _may_be_compiled(model: Model) -> bool:
    """Labels can be the same, numbers only nearly: classifiers alone are compiled."""
    return (
        all(importlib.util.find_spec(name) is not None for name in _NEEDED)
        and getattr(getattr(model, "classes_", None), "ndim", 0) == 1
        and proofs.known(model)
    )


def _compiled(model: Model, environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - what was proved, and the ONNX
    """Raises NotCompiled."""
    content = pickle.dumps(model)
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
