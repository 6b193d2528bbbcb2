"""LightGBM and CatBoost, which AWS offers as JumpStart models: a script that it provides, in script mode
(https://docs.aws.amazon.com/sagemaker/latest/dg/lightgbm.html, …/catboost.html).

The repositories are Clary's own, in the accounts of AWS's deep learning containers, and only JumpStart's specs name
them: there the script installs its library into PyTorch's image whenever a job starts, here the environment has it.
"""

from __future__ import annotations

from clary.images.base import Image, Program
from clary.images.releases import Choice, Framework, Release
from clary.images.repository import ENV, Repository, Tag, notices

_TABLES = ("numpy>=2", "scipy", "pandas<3", "joblib")
_PYTHONS = ("3.10", "3.11", "3.12", "3.13")
_PRELOAD = (
    "numpy",
    "pandas",
    "joblib",
    "httptools",
    "clary.toolkit.entry",
    "clary.toolkit.source",
    "clary.toolkit.serve",
    "clary.toolkit.server.listener",
    "clary.algorithms.gradient_boosting.answers",
)

LIGHTGBM = Framework(
    name="lightgbm",
    distribution="lightgbm",
    releases=(Release("4.6.0", _PYTHONS, _TABLES),),
    preload=("lightgbm", *_PRELOAD, "clary.algorithms.gradient_boosting.lightgbm_training"),
)

CATBOOST = Framework(
    name="catboost",
    distribution="catboost",
    releases=(Release("1.2.10", _PYTHONS, _TABLES),),
    preload=("catboost", *_PRELOAD, "clary.algorithms.gradient_boosting.catboost_training"),
)


def _scripted(uri: str, _tag: str, choice: Choice) -> Image:
    return Image(
        uri=uri,
        environment=choice.environment(),
        train=Program("clary.toolkit.train"),
        serve=Program("clary.toolkit.serve"),
        env=ENV,
        notices=notices(choice),
    )


REPOSITORIES = (
    Repository(
        name="jumpstart-lightgbm",
        framework=LIGHTGBM,
        tags={"4.6.0": Tag("4.6.0", "3.11")},
        image=_scripted,
        aliases={"latest": "4.6.0"},
    ),
    Repository(
        name="jumpstart-catboost",
        framework=CATBOOST,
        tags={"1.2.10": Tag("1.2.10", "3.11")},
        image=_scripted,
        aliases={"latest": "1.2.10"},
    ),
)
