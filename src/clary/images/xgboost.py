"""AWS's XGBoost images (https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost.html), run as environments."""

from __future__ import annotations

from clary.images.base import Image, MetricDefinition, Program
from clary.images.releases import NUMPY_1, NUMPY_2, NUMPY_124, NUMPY_OLD, Choice, Framework, Release
from clary.images.repository import ENV, Repository, Tag, notices

_LEARN_OLD = ("scikit-learn<1.2",)
_LEARN_1 = ("scikit-learn<1.4",)

XGBOOST = Framework(
    name="xgboost",
    distribution="xgboost",
    releases=(
        Release("0.90", ("3.8", "3.9", "3.10", "3.11"), (*NUMPY_OLD, *_LEARN_OLD)),
        Release("1.0.0", ("3.8", "3.9", "3.10", "3.11"), (*NUMPY_OLD, *_LEARN_OLD)),
        Release("1.2.0", ("3.8", "3.9", "3.10", "3.11"), (*NUMPY_OLD, *_LEARN_OLD)),
        Release("1.3.3", ("3.8", "3.9", "3.10", "3.11"), (*NUMPY_OLD, *_LEARN_OLD)),
        Release("1.5.2", ("3.8", "3.9", "3.10", "3.11"), (*NUMPY_OLD, *_LEARN_OLD)),
        Release("1.7.4", ("3.8", "3.9", "3.10", "3.11"), (*NUMPY_124, *_LEARN_1)),
        Release("1.7.6", ("3.8", "3.9", "3.10", "3.11", "3.12"), (*NUMPY_1, *_LEARN_1)),
        Release("2.1.4", ("3.9", "3.10", "3.11", "3.12", "3.13"), (*NUMPY_2, "scikit-learn<1.6")),
        Release("3.0.5", ("3.10", "3.11", "3.12", "3.13", "3.14"), (*NUMPY_2, "scikit-learn")),
    ),
    preload=(
        "numpy",
        "scipy.sparse",
        "scipy.stats",
        "pandas",
        "joblib",
        "xgboost",
        "sklearn.metrics",
        "sklearn.model_selection",
        "httptools",
        "clary.algorithms.xgboost.serve",
        "clary.algorithms.xgboost.train",
    ),
)

_XGBOOST_METRICS = (
    *("accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision"),
    *("r2", "recall", "precision_macro", "precision_micro", "recall_macro", "recall_micro"),
    *("aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy"),
    *("logloss", "mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle"),
    "tweedie-nloglik",
)


_NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*"


def _definitions(metrics: tuple[str, ...]) -> tuple[MetricDefinition, ...]:
    """As DescribeTrainingJob shows them for jobs of AWS's image
    (https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost-tuning.html has the names)."""
    return tuple(
        MetricDefinition(f"{data}:{name}", rf".*\[[0-9]+\].*#011{data}-{name}:{_NUMBER}")
        for data in ("train", "validation")
        for name in metrics
    )


_XGBOOST_DEFINITIONS = _definitions(_XGBOOST_METRICS)


def _xgboost(uri: str, tag: str, choice: Choice) -> Image:
    return Image(
        uri=uri,
        environment=choice.environment(),
        train=Program("clary.algorithms.xgboost.train", (tag,)),
        serve=Program("clary.algorithms.xgboost.serve", (tag,)),
        metric_definitions=_XGBOOST_DEFINITIONS,
        built_in=True,
        env={
            **ENV,
            "SAGEMAKER_TRAINING_MODULE": "sagemaker_xgboost_container.training:main",
            "SAGEMAKER_SERVING_MODULE": "sagemaker_xgboost_container.serving:main",
        },
        notices=notices(choice),
    )


REPOSITORIES = (
    Repository(
        name="sagemaker-xgboost",
        framework=XGBOOST,
        tags={
            "0.90-1": Tag("0.90", "3.7"),
            "0.90-2": Tag("0.90", "3.7"),
            "1.0-1": Tag("1.0.0", "3.7"),
            "1.2-1": Tag("1.2.0", "3.7"),
            "1.2-2": Tag("1.2.0", "3.7"),
            "1.3-1": Tag("1.3.3", "3.7"),
            "1.5-1": Tag("1.5.2", "3.8"),
            "1.7-1": Tag("1.7.4", "3.9"),
            "3.0-5": Tag("3.0.5", "3.10"),
        },
        image=_xgboost,
    ),
    Repository(
        name="xgboost",
        framework=XGBOOST,
        tags={"1": Tag("0.72", "3.7")},
        image=_xgboost,
        aliases={"latest": "1"},
    ),
)
