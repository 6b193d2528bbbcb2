"""Hugging Face's images on AWS (https://huggingface.co/docs/sagemaker), run as environments: Transformers on PyTorch.

Their tags name both. PyTorch is the one that can be had; Transformers is the version that the tag names, or the
nearest.
"""

from __future__ import annotations

from collections.abc import Mapping

from clary.images.base import Image, Program
from clary.images.releases import NUMPY_1, NUMPY_2, Choice, Framework, Release
from clary.images.repository import ENV, Repository, Tag, notices

_TORCH = "2.13.0"
_LIBRARIES = ("datasets", "evaluate", "pillow", "safetensors", "scikit-learn", "sentencepiece")
_BESIDES = (f"torch=={_TORCH}", "mpi4py", "openmpi", *_LIBRARIES)
_OLD_PYTHONS = ("3.10", "3.11")
_PYTHONS = ("3.10", "3.11", "3.12")
_ALL_PYTHONS = (*_PYTHONS, "3.13")

TRANSFORMERS = Framework(
    name="huggingface",
    distribution="transformers",
    releases=(
        Release("4.26.0", _OLD_PYTHONS, (*_BESIDES, *NUMPY_1, "accelerate<0.21")),
        Release("4.28.1", _OLD_PYTHONS, (*_BESIDES, *NUMPY_1, "accelerate<0.21")),
        Release("4.36.0", _PYTHONS, (*_BESIDES, *NUMPY_1, "accelerate<0.29")),
        Release("4.37.0", _PYTHONS, (*_BESIDES, *NUMPY_1, "accelerate<0.29")),
        Release("4.46.1", _PYTHONS, (*_BESIDES, *NUMPY_1, "accelerate<1.3")),
        Release("4.48.0", _ALL_PYTHONS, (*_BESIDES, *NUMPY_2, "accelerate<1.5")),
        Release("4.49.0", _ALL_PYTHONS, (*_BESIDES, *NUMPY_2, "accelerate<1.5")),
        Release("4.51.3", _ALL_PYTHONS, (*_BESIDES, *NUMPY_2, "accelerate<1.8")),
        Release("4.55.0", _ALL_PYTHONS, (*_BESIDES, *NUMPY_2, "accelerate<1.11")),
        Release("4.56.2", _ALL_PYTHONS, (*_BESIDES, *NUMPY_2, "accelerate<1.11")),
    ),
    preload=(
        "numpy",
        "scipy.sparse",
        "pandas",
        "torch",
        "transformers",
        "httptools",
        "clary.toolkit.entry",
        "clary.toolkit.source",
        "clary.toolkit.pytorch.train",
        "clary.toolkit.huggingface.serve",
    ),
    large="torch",
)

_TRAINING: Mapping[str, str] = {
    **dict.fromkeys(("1.6.0-transformers4.4.2", "1.6.0-transformers4.5.0", "1.6.0-transformers4.6.1"), "3.6"),
    **dict.fromkeys(("1.7.1-transformers4.6.1", "1.8.1-transformers4.6.1", "1.8.1-transformers4.10.2"), "3.6"),
    **dict.fromkeys(("1.9.0-transformers4.10.2", "1.9.0-transformers4.11.0", "1.9.1-transformers4.12.3"), "3.8"),
    "1.10.2-transformers4.17.0": "3.8",
    "1.13.1-transformers4.26.0": "3.9",
    "2.0.0-transformers4.28.1": "3.10",
    "2.1.0-transformers4.36.0": "3.10",
    "2.3.0-transformers4.46.1": "3.11",
    "2.3.0-transformers4.48.0": "3.11",
    "2.5.1-transformers4.49.0": "3.11",
    "2.7.1-transformers4.55.0": "3.12",
    "2.8.0-transformers4.56.2": "3.12",
}
"""Published tag → the Python in the image (https://github.com/aws/sagemaker-python-sdk, image_uri_config)."""

_INFERENCE: Mapping[str, str] = {
    **dict.fromkeys(("1.7.1-transformers4.6.1", "1.8.1-transformers4.6.1", "1.8.1-transformers4.10.2"), "3.6"),
    **dict.fromkeys(("1.9.0-transformers4.10.2", "1.9.0-transformers4.11.0", "1.9.1-transformers4.12.3"), "3.8"),
    "1.10.2-transformers4.17.0": "3.8",
    "1.13.1-transformers4.26.0": "3.9",
    "2.0.0-transformers4.28.1": "3.10",
    "2.1.0-transformers4.37.0": "3.10",
    "2.3.0-transformers4.48.0": "3.11",
    "2.6.0-transformers4.49.0": "3.12",
    "2.6.0-transformers4.51.3": "3.12",
}

_OFFLINE: Mapping[str, str] = {"HF_DATASETS_OFFLINE": "1", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
"""Without network the libraries say at once what they miss, in place of trying for a minute."""


def _aliases(published: Mapping[str, str]) -> dict[str, str]:
    """`2.0-transformers4.28` → `2.0.0-transformers4.28.1`: an address may leave out the patches."""
    parts = {name: name.split("-transformers") for name in published}
    return {"-transformers".join(part.rpartition(".")[0] for part in both): name for name, both in parts.items()}


def _tags(published: Mapping[str, str]) -> dict[str, Tag]:
    return {name: Tag(name.partition("-transformers")[2], python) for name, python in published.items()}


def _hugging_face(uri: str, tag: str, choice: Choice) -> Image:
    return Image(
        uri=uri,
        environment=choice.environment(),
        train=Program("clary.toolkit.pytorch.train"),
        serve=Program("clary.toolkit.huggingface.serve"),
        env={
            **ENV,
            "HF_HOME": "/tmp/huggingface",  # noqa: S108 - the container's own
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "SAGEMAKER_TRAINING_MODULE": "sagemaker_pytorch_container.training:main",
            "TOKENIZERS_PARALLELISM": "false",
        },
        isolated_env=_OFFLINE,
        notices=(*notices(choice, uri), _torch(tag.partition("-transformers")[0])),
    )


def _torch(wanted: str) -> str:
    return f"torch {wanted} cannot be had on this machine; torch {_TORCH} is used instead."


REPOSITORIES = (
    Repository("huggingface-pytorch-training", TRANSFORMERS, _tags(_TRAINING), _hugging_face, _aliases(_TRAINING)),
    Repository("huggingface-pytorch-inference", TRANSFORMERS, _tags(_INFERENCE), _hugging_face, _aliases(_INFERENCE)),
)
