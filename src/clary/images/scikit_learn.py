"""AWS's scikit-learn image (https://github.com/aws/sagemaker-scikit-learn-container), run as an environment."""

from __future__ import annotations

from clary.images.base import Image, Program
from clary.images.releases import COMPILER, NUMPY_1, NUMPY_2, NUMPY_124, NUMPY_OLD, Choice, Framework, Release
from clary.images.repository import ENV, Repository, Tag, notices

SCIKIT_LEARN = Framework(
    name="sklearn",
    distribution="scikit-learn",
    releases=(
        Release("0.22.2", ("3.8",), NUMPY_OLD),
        Release("0.23.2", ("3.8",), NUMPY_OLD),
        Release("0.24.2", ("3.8", "3.9"), NUMPY_OLD),
        Release("1.0.2", ("3.8", "3.9", "3.10"), NUMPY_OLD),
        Release("1.1.3", ("3.8", "3.9", "3.10", "3.11"), NUMPY_OLD),
        Release("1.2.1", ("3.8", "3.9", "3.10", "3.11"), (*NUMPY_124, *COMPILER)),
        Release("1.3.2", ("3.8", "3.9", "3.10", "3.11", "3.12"), (*NUMPY_1, *COMPILER)),
        Release("1.4.2", ("3.9", "3.10", "3.11", "3.12"), (*NUMPY_1, *COMPILER)),
        Release("1.5.2", ("3.9", "3.10", "3.11", "3.12", "3.13"), (*NUMPY_2, *COMPILER)),
        Release("1.7.2", ("3.10", "3.11", "3.12", "3.13", "3.14"), (*NUMPY_2, *COMPILER)),
    ),
    preload=(
        "numpy",
        "scipy.sparse",
        "scipy.stats",
        "pandas",
        "joblib",
        "sklearn.cluster",
        "sklearn.compose",
        "sklearn.datasets",
        "sklearn.decomposition",
        "sklearn.ensemble",
        "sklearn.feature_extraction.text",
        "sklearn.impute",
        "sklearn.linear_model",
        "sklearn.metrics",
        "sklearn.model_selection",
        "sklearn.naive_bayes",
        "sklearn.neighbors",
        "sklearn.neural_network",
        "sklearn.pipeline",
        "sklearn.preprocessing",
        "sklearn.svm",
        "sklearn.tree",
        "httptools",
        "clary.toolkit.serve",
        "clary.toolkit.train",
    ),
)


def _scikit_learn(uri: str, _tag: str, choice: Choice) -> Image:
    return Image(
        uri=uri,
        environment=choice.environment(),
        train=Program("clary.toolkit.train"),
        serve=Program("clary.toolkit.serve"),
        env={
            **ENV,
            "SAGEMAKER_TRAINING_MODULE": "sagemaker_sklearn_container.training:main",
            "SAGEMAKER_SERVING_MODULE": "sagemaker_sklearn_container.serving:main",
        },
        notices=notices(choice),
    )


REPOSITORIES = (
    Repository(
        name="sagemaker-scikit-learn",
        framework=SCIKIT_LEARN,
        tags={
            "0.20.0": Tag("0.20.0", "3.7"),
            "0.23-1": Tag("0.23.2", "3.7"),
            "1.0-1": Tag("1.0.2", "3.8"),
            "1.2-1": Tag("1.2.1", "3.9"),
            "1.4-2": Tag("1.4.2", "3.10"),
        },
        image=_scikit_learn,
    ),
)
