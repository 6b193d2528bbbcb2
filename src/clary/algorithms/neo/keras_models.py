"""Keras' models as files: `.h5` of any age that Keras 3 reads, and `.keras`; the rest is `tensorflow_models`'."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]

from clary.algorithms.neo.compiled import Compiled, Uncompilable, only_file
from clary.algorithms.neo.exporting import ONNX
from clary.algorithms.neo.networks import only_onnx
from clary.algorithms.neo.tensorflow_models import Graph, compiled, plain

_FILES = (".h5", ".hdf5", ".keras")
_REMEDY = (
    "save it as a SavedModel (`model.export(folder)`, `model.save(folder)` before Keras 3) by the version that has made"
    " it, and ask with Framework TENSORFLOW"
)

Model = Any
Tensor = Any


def from_folder(folder: Path, shapes: Mapping[str, Any], form: str = ONNX) -> Compiled:
    """The model of a folder. Raises Uncompilable, and what tf2onnx raises."""
    only_onnx(form, "a model of Keras")
    return compiled(_called(_loaded(only_file(folder, "a model", *_FILES))), shapes)


def _loaded(path: Path) -> Model:
    """Raises Uncompilable."""
    try:  # a sandbox is around it: layers of a model may be code
        return tf.keras.models.load_model(str(path), compile=False, safe_mode=False)
    except (TypeError, ValueError, OSError, ImportError, KeyError, AttributeError) as error:
        said = str(error).strip().partition("\n")[0]
        raise Uncompilable(f"Keras {tf.keras.__version__} cannot load {path.name} ({said}): {_REMEDY}") from error


def _called(model: Model) -> Graph:
    """A model as a function of its inputs. Raises Uncompilable for one that was never built."""
    if not getattr(model, "inputs", None):
        raise Uncompilable("the model of Keras has no inputs of known shapes: call it once before it is saved")
    specs = [tf.TensorSpec(each.shape, each.dtype, name=plain(each.name)) for each in model.inputs]
    outputs = _told_apart([plain(each.name) for each in model.outputs])

    @tf.function  # type: ignore[untyped-decorator,unused-ignore]
    def function(*given: Tensor) -> Dict[str, Tensor]:
        found = model(given[0] if len(given) == 1 else list(given), training=False)
        return found if isinstance(found, dict) else dict(zip(outputs, tf.nest.flatten(found)))  # noqa: B905

    inputs = [spec.name for spec in specs]
    return Graph(
        function.get_concrete_function(*specs), inputs, lambda given: function(*[given[name] for name in inputs])
    )


def _told_apart(names: Sequence[str]) -> List[str]:
    """As they are called, unless two are called the same."""
    return list(names) if len(set(names)) == len(names) else [f"output_{place}" for place, _ in enumerate(names)]
