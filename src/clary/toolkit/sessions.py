"""A compiled classifier, ready to be asked (ONNX Runtime)."""

from __future__ import annotations

from typing import Any

import onnxruntime  # type: ignore[import-not-found,unused-ignore]

Array = Any

_ERRORS_ONLY = 3


class Session:
    """One thread computes: the rows of a request are few. Raises what the runtime raises for a model it cannot load."""

    def __init__(self, content: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._outputs = [output.name for output in self._session.get_outputs()]

    def labels(self, table: Array, kind: Any) -> Array:  # noqa: ANN401 - numpy's types of types differ by version
        """What the classifier predicts for rows of float32, in its own type."""
        return self._session.run(self._outputs[:1], {self._input: table})[0].astype(kind, copy=False)

    def probabilities(self, table: Array) -> Array:
        """(rows, classes)."""
        return self._session.run(self._outputs[1:2], {self._input: table})[0]
