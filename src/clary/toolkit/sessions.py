"""An ONNX model, ready to be asked (ONNX Runtime)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Type

import numpy as np
import onnxruntime  # type: ignore[import-not-found,unused-ignore]

Array = Any

_ERRORS_ONLY = 3
_TYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(int16)": "int16",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
    "tensor(string)": "object",
}
"""numpy's names of ONNX's types."""

_STATE = vars(onnxruntime.capi.onnxruntime_pybind11_state)
ERRORS: Tuple[Type[Exception], ...] = (
    *(ValueError, RuntimeError),
    *(each for each in _STATE.values() if isinstance(each, type) and issubclass(each, Exception)),
)
"""What the runtime raises for a model that it cannot load, and for what a model cannot be asked."""


class Input(NamedTuple):
    """What a model takes under one name."""

    name: str
    kind: str
    """numpy's name of its type; empty for what is no tensor."""
    shape: List[Any]
    """A number for each dimension, None where any will do."""


class Session:
    """One thread computes: the rows of a request are few. Raises what the runtime raises for a model it cannot load."""

    def __init__(self, content: bytes, optimized: Optional[Path] = None) -> None:
        """`optimized`: where the model is written as the runtime has simplified it, for any machine."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        if optimized is not None:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
            options.optimized_model_filepath = str(optimized)
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self.inputs = [_input(each) for each in self._session.get_inputs()]
        self.outputs = [output.name for output in self._session.get_outputs()]
        self.metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map

    def labels(self, table: Array, kind: Any) -> Array:  # noqa: ANN401 - numpy's types of types differ by version
        """What the classifier predicts for rows of float32, in its own type."""
        return self.first(table).astype(kind, copy=False)

    def probabilities(self, table: Array) -> Array:
        """(rows, classes)."""
        return self._session.run(self.outputs[1:2], {self.inputs[0].name: table})[0]

    def first(self, table: Array) -> Array:
        """The first output of a model with one input."""
        return self._session.run(self.outputs[:1], {self.inputs[0].name: table})[0]

    def run(self, given: Mapping[str, Array]) -> Dict[str, Array]:
        """All outputs, by name, for all inputs, by name. Raises what the runtime raises."""
        return dict(zip(self.outputs, self._session.run(self.outputs, dict(given))))  # noqa: B905 - Python 3.8


def _input(described: Any) -> Input:  # noqa: ANN401 - the runtime's, without types
    shape = [length if isinstance(length, int) else None for length in described.shape]
    return Input(described.name, _TYPES.get(described.type, ""), shape)


PREDICTION = "clary.prediction"
"""In a model's metadata: numpy's type of what the model that it was made of predicts."""


class OnnxModel:
    """A model given as ONNX, asked as scikit-learn's are. Raises what the runtime raises for one it cannot load."""

    def __init__(self, path: Path) -> None:
        self._session = Session(path.read_bytes())
        columns = self._session.inputs[0].shape[-1:]
        self.n_features_in_ = columns[0] if columns and columns[0] else 0
        self._kind = self._session.metadata.get(PREDICTION, "")

    def predict(self, table: Array) -> Array:
        """Labels, or numbers: a value a row. Raises what the runtime raises."""
        wanted = self._session.inputs[0].kind or "float32"
        found = self._session.first(np.ascontiguousarray(table, dtype=wanted))
        values = found.reshape(-1) if found.ndim == 2 and found.shape[1] == 1 else found
        return values.astype(self._kind, copy=False) if self._kind else values
