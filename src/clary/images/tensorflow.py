"""AWS's TensorFlow images (https://docs.aws.amazon.com/sagemaker/latest/dg/tf.html), run as environments.

Training images run scripts; inference images answer as TensorFlow Serving does, by TensorFlow itself
(docs/decisions/0022).
"""

from __future__ import annotations

import platform
from collections.abc import Mapping

from clary.images.base import Image, Program
from clary.images.releases import EXPORTER, NUMPY_1, NUMPY_2, NUMPY_124, NUMPY_OLD, Choice, Framework, Release
from clary.images.repository import ENV, Repository, Tag, minor_aliases, notices

_DATA = ("mpi4py", "openmpi", "pillow", "scikit-learn")
"""openmpi and mpi4py: `mpirun`, and Python's way to it."""
_OLD = (*NUMPY_OLD, *_DATA, "protobuf<3.20")
"""Until 2.11 the protocol buffers of that time are needed."""
_COMPILES = (*EXPORTER, "tf2onnx; python_version >= '3.10' and python_version < '3.14'")
"""Writes TensorFlow's models as ONNX: in those that compilation jobs may run in."""
_PY_OLD = ("3.8", "3.9", "3.10")
_PY_2_12 = ("3.8", "3.9", "3.10", "3.11")
_PY_2_16 = ("3.9", "3.10", "3.11", "3.12")

TENSORFLOW = Framework(
    name="tensorflow",
    # the wheel without CUDA is a third of the other's size; other machines have no wheel of that name
    distribution="tensorflow-cpu" if platform.machine() == "x86_64" else "tensorflow",
    releases=(
        Release("2.8.0", _PY_OLD, _OLD),
        Release("2.8.4", _PY_OLD, _OLD),
        Release("2.9.2", _PY_OLD, _OLD),
        Release("2.9.3", _PY_OLD, _OLD),
        Release("2.10.0", _PY_OLD, _OLD),
        Release("2.10.1", _PY_OLD, _OLD),
        Release("2.11.0", _PY_OLD, _OLD),
        Release("2.11.1", _PY_OLD, _OLD),
        Release("2.12.0", _PY_2_12, (*NUMPY_OLD, *_DATA)),
        Release("2.12.1", _PY_2_12, (*NUMPY_OLD, *_DATA)),
        Release("2.13.0", _PY_2_12, (*NUMPY_124, *_DATA)),
        Release("2.14.1", ("3.9", "3.10", "3.11"), (*NUMPY_1, *_DATA)),
        Release("2.16.1", _PY_2_16, (*NUMPY_1, *_DATA, "keras<3.5")),
        Release("2.16.2", _PY_2_16, (*NUMPY_1, *_DATA, "keras<3.5")),
        Release("2.18.0", _PY_2_16, (*NUMPY_2, *_DATA, "keras<3.9")),
        Release("2.19.0", _PY_2_16, (*NUMPY_2, *_DATA, *_COMPILES, "keras<3.11")),
        Release("2.20.0", (*_PY_2_16, "3.13"), (*NUMPY_2, *_DATA, *_COMPILES, "keras<3.13", "protobuf<7")),
    ),
    preload=(
        "numpy",
        "scipy.sparse",
        "pandas",
        "tensorflow",
        "httptools",
        "clary.toolkit.entry",
        "clary.toolkit.source",
        "clary.toolkit.tensorflow.train",
        "clary.toolkit.tensorflow.serve",
    ),
)

_PYTHONS: Mapping[str, str] = {
    **dict.fromkeys(("1.11.0", "1.12.0", "1.13.0", "1.13.1", "1.14.0", "1.15.0", "1.15.2", "1.15.3"), "3.6"),
    **dict.fromkeys(("1.15.4", "1.15.5"), "3.7"),
    **dict.fromkeys(("2.0.0", "2.0.1", "2.0.2", "2.0.3", "2.0.4", "2.1.0", "2.1.1", "2.1.2", "2.1.3"), "3.6"),
    **dict.fromkeys(("2.2.0", "2.2.1", "2.2.2", "2.3.0", "2.3.1", "2.3.2", "2.4.1", "2.4.3", "2.5.0", "2.5.1"), "3.7"),
    **dict.fromkeys(("2.6.0", "2.6.2", "2.6.3", "2.7.0", "2.7.1"), "3.8"),
    **dict.fromkeys(("2.8.0", "2.8.4", "2.9.1", "2.9.2", "2.9.3", "2.10.0", "2.10.1", "2.11.0", "2.11.1"), "3.9"),
    **dict.fromkeys(("2.12.0", "2.12.1", "2.13.0", "2.14.1", "2.16.1", "2.16.2", "2.18.0"), "3.10"),
    "2.19.0": "3.12",
}
"""Published version → the Python in AWS's own image
(https://github.com/aws/sagemaker-python-sdk, image_uri_config/tensorflow.json)."""

_TAGS: Mapping[str, Tag] = {version: Tag(version, python) for version, python in _PYTHONS.items()}
_ALIASES = minor_aliases(_PYTHONS)

_QUIET: Mapping[str, str] = {"TF_CPP_MIN_LOG_LEVEL": "1"}
"""Which instructions of the processor it uses is no news to the reader of a job's log."""


def _training(uri: str, _tag: str, choice: Choice) -> Image:
    return Image(
        uri=uri,
        environment=choice.environment(),
        train=Program("clary.toolkit.tensorflow.train"),
        serve=Program("clary.toolkit.tensorflow.serve"),
        env={
            **ENV,
            **_QUIET,
            "SAGEMAKER_TRAINING_MODULE": "sagemaker_tensorflow_container.training:main",
        },
        notices=notices(choice, uri),
    )


def _inference(uri: str, tag: str, choice: Choice) -> Image:
    return Image(
        uri=uri,
        environment=choice.environment(),
        train=Program("clary.toolkit.tensorflow.train"),
        serve=Program("clary.toolkit.tensorflow.serve"),
        env={**ENV, **_QUIET, "SAGEMAKER_TFS_VERSION": tag.rpartition(".")[0]},
        notices=notices(choice, uri),
    )


REPOSITORIES = (
    *(
        Repository(name, TENSORFLOW, _TAGS, _training, _ALIASES)
        for name in ("tensorflow-training", "sagemaker-tensorflow-scriptmode")
    ),
    *(
        Repository(name, TENSORFLOW, _TAGS, _inference, _ALIASES)
        for name in ("tensorflow-inference", "tensorflow-inference-graviton", "sagemaker-tensorflow-serving")
    ),
)
