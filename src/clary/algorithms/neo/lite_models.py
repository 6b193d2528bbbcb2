"""TensorFlow Lite's models as files, written as ONNX by tf2onnx and proved against TensorFlow Lite's interpreter."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

import numpy as np
import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]
import tf2onnx  # type: ignore[import-not-found,unused-ignore]

from clary.algorithms.neo.compiled import Compiled, Uncompilable, only_file
from clary.algorithms.neo.exporting import ONNX
from clary.algorithms.neo.networks import OPERATORS, check_inputs, only_onnx, simplified
from clary.algorithms.neo.tensorflow_models import as_the_model, proved
from clary.toolkit.sessions import Input

Array = Any


class Lite:
    """A `.tflite`, interpreted, asked by the names that its tensors have. Raises Uncompilable."""

    def __init__(self, path: Path) -> None:
        warnings.simplefilter("ignore")
        try:
            self._interpreter = tf.lite.Interpreter(str(path))
        except (ValueError, RuntimeError) as error:
            raise Uncompilable(f"TensorFlow Lite cannot load {path.name}: {error}") from error
        self.inputs = [_input(each) for each in self._interpreter.get_input_details()]

    def run(self, given: Mapping[str, Array]) -> Dict[str, Array]:
        """All outputs by name. Raises RuntimeError, ValueError."""
        for told in self._interpreter.get_input_details():
            self._interpreter.resize_tensor_input(told["index"], given[told["name"]].shape)
        self._interpreter.allocate_tensors()
        for told in self._interpreter.get_input_details():
            self._interpreter.set_tensor(told["index"], given[told["name"]])
        self._interpreter.invoke()
        return {
            told["name"]: self._interpreter.get_tensor(told["index"]) for told in self._interpreter.get_output_details()
        }


def from_folder(folder: Path, shapes: Mapping[str, Any], form: str = ONNX) -> Compiled:
    """The `.tflite` of a folder. Raises Uncompilable, and what tf2onnx raises."""
    only_onnx(form, "a model of TensorFlow Lite")
    path = only_file(folder, "a model", ".tflite")
    lite = Lite(path)
    named = as_the_model(lite.inputs, shapes)
    check_inputs(lite.inputs, named)
    made, _ = tf2onnx.convert.from_tflite(str(path), opset=OPERATORS)
    content = simplified(made.SerializeToString())
    return Compiled(content, proved(lite, content, named))


def _input(told: Mapping[str, Any]) -> Input:
    return Input(told["name"], np.dtype(told["dtype"]).name, _shape(told.get("shape_signature", told["shape"])))


def _shape(lengths: Sequence[int]) -> List[Any]:
    return [None if length < 0 else int(length) for length in lengths]
