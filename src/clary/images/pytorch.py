"""AWS's PyTorch images (https://docs.aws.amazon.com/sagemaker/latest/dg/pytorch.html), run as environments.

The wheels of the package index hold CUDA for Linux; `UV_TORCH_BACKEND=cpu` gives those without, as uv knows how, and a
wheel in a folder named by UV_FIND_LINKS is used before any other. torchvision works with the torch that it was built
for: what an index has for the one with CUDA cannot be imported beside the one without.
"""

from __future__ import annotations

from collections.abc import Mapping

from clary.images.base import Image, Program
from clary.images.releases import EXPORTER, NUMPY_1, NUMPY_2, NUMPY_124, NUMPY_OLD, Choice, Framework, Release, number
from clary.images.repository import ENV, Repository, Tag, minor_aliases, notices

_BESIDES = ("mpi4py", "openmpi", "pillow", "scikit-learn", "tqdm")
"""openmpi and mpi4py: `mpirun`, and Python's way to it."""
_OLD = (*NUMPY_OLD, *_BESIDES)
_FROM_1_13 = (*NUMPY_124, *_BESIDES)
_FROM_2_0 = (*NUMPY_1, *_BESIDES)
_NOW = (*NUMPY_2, *_BESIDES)
_COMPILES = (*_NOW, *EXPORTER)
"""What writes TorchScript as ONNX is in those that compilation jobs may run in."""

_PY_1_7 = ("3.8", "3.9")
_PY_1_11 = ("3.8", "3.9", "3.10")
_PY_2_0 = ("3.8", "3.9", "3.10", "3.11")
_PY_2_2 = ("3.8", "3.9", "3.10", "3.11", "3.12")
_PY_2_5 = ("3.9", "3.10", "3.11", "3.12")
_PY_2_6 = ("3.9", "3.10", "3.11", "3.12", "3.13")
_PY_2_9 = ("3.10", "3.11", "3.12", "3.13", "3.14")

PYTORCH = Framework(
    name="pytorch",
    distribution="torch",
    releases=(
        Release("1.4.0", ("3.8",), _OLD),
        Release("1.5.0", ("3.8",), _OLD),
        Release("1.6.0", ("3.8",), _OLD),
        Release("1.7.1", _PY_1_7, _OLD),
        Release("1.8.0", _PY_1_7, _OLD),
        Release("1.8.1", _PY_1_7, _OLD),
        Release("1.9.0", _PY_1_7, _OLD),
        Release("1.9.1", _PY_1_7, _OLD),
        Release("1.10.0", _PY_1_7, _OLD),
        Release("1.10.2", _PY_1_7, _OLD),
        Release("1.11.0", _PY_1_11, _OLD),
        Release("1.12.0", _PY_1_11, _OLD),
        Release("1.12.1", _PY_1_11, _OLD),
        Release("1.13.1", _PY_2_0, _FROM_1_13),
        Release("2.0.0", _PY_2_0, _FROM_2_0),
        Release("2.0.1", _PY_2_0, _FROM_2_0),
        Release("2.1.0", _PY_2_0, _FROM_2_0),
        Release("2.2.0", _PY_2_2, _FROM_2_0),
        Release("2.2.1", _PY_2_2, _FROM_2_0),
        Release("2.3.0", _PY_2_2, _FROM_2_0),
        Release("2.4.0", _PY_2_2, _FROM_2_0),
        Release("2.5.1", _PY_2_5, _NOW),
        Release("2.6.0", _PY_2_6, _NOW),
        Release("2.7.1", _PY_2_6, _NOW),
        Release("2.8.0", _PY_2_6, _NOW),
        Release("2.9.0", _PY_2_9, _COMPILES),
        Release("2.10.0", _PY_2_9, _COMPILES),
        Release("2.13.0", _PY_2_9, _COMPILES),
    ),
    preload=(
        "numpy",
        "scipy.sparse",
        "pandas",
        "torch",
        "httptools",
        "clary.toolkit.entry",
        "clary.toolkit.mpi.launcher",
        "clary.toolkit.pytorch.torchrun",
        "clary.toolkit.pytorch.warm",
        "clary.toolkit.pytorch.serve",
        "clary.toolkit.pytorch.train",
    ),
    large="torch",
    beside=("torchvision",),
)

_PYTHONS: Mapping[str, str] = {
    **dict.fromkeys(("0.4.0", "1.0.0", "1.1.0", "1.2.0", "1.3.1"), "3.6"),
    **dict.fromkeys(("1.4.0", "1.5.0", "1.6.0", "1.7.1", "1.8.0", "1.8.1"), "3.6"),
    **dict.fromkeys(("1.9.0", "1.9.1", "1.10.0", "1.10.2", "1.11.0", "1.12.0", "1.12.1"), "3.8"),
    "1.13.1": "3.9",
    **dict.fromkeys(("2.0.0", "2.0.1", "2.1.0", "2.2.0", "2.2.1"), "3.10"),
    **dict.fromkeys(("2.3.0", "2.4.0", "2.5.1"), "3.11"),
    **dict.fromkeys(("2.6.0", "2.7.1", "2.8.0", "2.9.0"), "3.12"),
    "2.10.0": "3.13",
}
"""Published version → the Python in AWS's own image
(https://github.com/aws/sagemaker-python-sdk, image_uri_config/pytorch.json of its generations 2 and 3)."""

_TAGS: Mapping[str, Tag] = {version: Tag(version, python) for version, python in _PYTHONS.items()}
_ALIASES = {**minor_aliases(_PYTHONS), "2.2": "2.2.0", "1.3.0": "1.3.1"}

_WEIGHTS_ONLY = (2, 6)
"""From here on `torch.load` reads tensors only, where it is not told otherwise."""

_WHOLE_MODELS: Mapping[str, str] = {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"}
"""Scripts that ask for an older PyTorch load their own whole models, by its default of that time."""


def _pytorch(uri: str, _tag: str, choice: Choice) -> Image:
    return Image(
        uri=uri,
        environment=choice.environment(),
        train=Program("clary.toolkit.pytorch.train"),
        serve=Program("clary.toolkit.pytorch.serve"),
        env={
            **ENV,
            **(_WHOLE_MODELS if number(choice.wanted) < _WEIGHTS_ONLY else {}),
            "SAGEMAKER_TRAINING_MODULE": "sagemaker_pytorch_container.training:main",
            "SAGEMAKER_SERVING_MODULE": "sagemaker_pytorch_serving_container.serving:main",
        },
        notices=notices(choice, uri),
    )


REPOSITORIES = tuple(
    Repository(name, PYTORCH, _TAGS, _pytorch, _ALIASES)
    for name in (
        "pytorch-inference",
        "pytorch-inference-arm64",
        "pytorch-inference-graviton",
        "pytorch-training",
        "sagemaker-pytorch",
    )
)
