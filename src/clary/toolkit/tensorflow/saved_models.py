"""SavedModels in a model folder: which there are, and one of them loaded.

Found as AWS's serving container finds them: `…/NAME/VERSION/saved_model.pb`, where VERSION is a number
(https://github.com/aws/sagemaker-tensorflow-serving-container); one at the folder's root is version 1 of `model`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, NamedTuple

import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]
from tensorflow.core.protobuf import saved_model_pb2  # type: ignore[import-untyped,import-not-found,unused-ignore]

_FILE = "saved_model.pb"
_SERVE = "serve"
_INTERNAL = "__saved_model_init_op"
_NO_MODEL = (
    "no SavedModel bundles found! One is looked for at NAME/VERSION/saved_model.pb, VERSION being a number, in"
    " model.tar.gz: save by `model.export('/opt/ml/model/1')` or `tf.saved_model.save(model, '/opt/ml/model/1')`."
)

Array = Any
"""numpy's: that of old TensorFlow has no types."""

Declared = Any
"""A `TensorInfo` of the file."""

Versions = Dict[int, Path]


class Input(NamedTuple):
    """A named tensor that a signature takes."""

    dtype: str
    """numpy's name of it, `object` for strings."""


class Signature(NamedTuple):
    """One of a model's functions. `method` is its name in TensorFlow Serving, `tensorflow/serving/predict`."""

    inputs: Mapping[str, Input]
    outputs: Mapping[str, str]
    """Name → numpy's name of its type."""
    method: str


class Model:
    """A SavedModel, loaded; `call` may be used by several threads. Raises what TensorFlow raises for a broken one."""

    def __init__(self, folder: Path) -> None:
        self.signatures = dict(_signatures(folder))
        self._loaded = tf.saved_model.load(str(folder))

    def call(self, signature: str, inputs: Mapping[str, Array]) -> Dict[str, Array]:
        """The signature's outputs by name, as numpy arrays. Raises TensorFlow's errors."""
        wanted = self.signatures[signature].inputs
        tensors = {name: tf.constant(array, tf.as_dtype(_np_or_string(wanted[name]))) for name, array in inputs.items()}
        found = self._loaded.signatures[signature](**tensors)
        return {name: tensor.numpy() for name, tensor in sorted(found.items())}


def find(folder: Path) -> Dict[str, Versions]:
    """Name → version → folder of every SavedModel below `folder`. Raises ValueError where there is none."""
    found: Dict[str, Versions] = {}
    for path in _bundles(folder):
        if path == folder:
            found.setdefault("model", {})[1] = path
        elif path.name.isdigit():
            found.setdefault(path.parent.name, {})[int(path.name)] = path
    if not found:
        raise ValueError(_NO_MODEL)
    return found


def _bundles(folder: Path) -> Iterator[Path]:
    for path, folders, files in os.walk(str(folder), followlinks=True):
        folders.sort()
        if _FILE in files:
            yield Path(path)


def _signatures(folder: Path) -> Iterator[Any]:
    """As the file declares them: TensorFlow itself forgets their methods while it loads."""
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((folder / _FILE).read_bytes())
    for graph in saved.meta_graphs:
        if _SERVE not in graph.meta_info_def.tags and len(saved.meta_graphs) > 1:
            continue
        for name, declared in graph.signature_def.items():
            if name != _INTERNAL:
                inputs = {key: Input(_dtype(info)) for key, info in declared.inputs.items()}
                outputs = {key: _dtype(info) for key, info in declared.outputs.items()}
                yield name, Signature(inputs, outputs, declared.method_name)


def _dtype(info: Declared) -> str:
    found = tf.as_dtype(info.dtype)
    return "object" if found == tf.string else str(found.name)


def _np_or_string(wanted: Input) -> str:
    return "string" if wanted.dtype == "object" else wanted.dtype
