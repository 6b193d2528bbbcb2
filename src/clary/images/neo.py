"""AWS's inference images of compiled models
(https://docs.aws.amazon.com/sagemaker/latest/dg/neo-deployment-hosting-services-container-images.html), run as one
environment: what compiles XGBoost's models and ONNX is in it too (docs/decisions/0045-models-compiled-to-onnx.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable

from clary.images.base import Image, Program
from clary.images.releases import NUMPY_2, ONNX_RUNTIME_VERSION, Choice, Framework, Release
from clary.images.repository import ENV, Repository, Tag

XGBOOST_IMAGE = ("xgboost-neo", "latest")
ONNX_IMAGE = ("sagemaker-neo-onnx", "1.5.0-cpu-py3")
"""Repository and tag."""

COMPILE = Program("clary.algorithms.neo.compile")
"""What a compilation job runs, here as in scikit-learn's images."""

ONNX, PMML, PFA = "onnx", "pmml", "pfa"
FORMS = (ONNX, PMML, PFA)
"""What a model may be written as."""

ONNX_RUNTIME = Framework(
    name="neo",
    distribution="onnxruntime",
    releases=(
        Release(
            ONNX_RUNTIME_VERSION,
            ("3.10", "3.11", "3.12", "3.13"),
            (*NUMPY_2, "skl2onnx", "xgboost==3.0.5", "scikit-learn"),
        ),
    ),
    preload=(
        "numpy",
        "scipy.sparse",
        "onnxruntime",
        "httptools",
        "clary.algorithms.neo.trees",
        "clary.algorithms.neo.tensors",
        "clary.algorithms.neo.documents",
        "clary.algorithms.neo.serve",
    ),
)


def form_of(options: str) -> str:
    """What CompilerOptions want a model written as: their `format`, ONNX where they say none."""
    try:
        found = json.loads(options or "{}")
    except (ValueError, RecursionError):
        return ONNX
    return str(found.get("format", ONNX)).lower() if isinstance(found, dict) else ONNX


def _image(program: Program) -> Callable[[str, str, Choice], Image]:
    def image(uri: str, _tag: str, choice: Choice) -> Image:
        return Image(
            uri=uri,
            environment=choice.environment(),
            train=COMPILE,
            serve=program,
            env={**ENV, "OMP_NUM_THREADS": "1"},
        )

    return image


REPOSITORIES = (
    Repository(
        name=XGBOOST_IMAGE[0],
        framework=ONNX_RUNTIME,
        tags={"latest": Tag(ONNX_RUNTIME_VERSION, "3.10")},
        image=_image(Program("clary.algorithms.neo.serve", ("trees",))),
    ),
    Repository(
        name=ONNX_IMAGE[0],
        framework=ONNX_RUNTIME,
        tags={"1.5.0": Tag(ONNX_RUNTIME_VERSION, "3.10")},
        image=_image(Program("clary.algorithms.neo.serve", ("tensors",))),
    ),
)
