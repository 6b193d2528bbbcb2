"""What an image address means: AWS's built-in algorithms and framework images, by account and repository."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from clary.images.accounts import ACCOUNTS
from clary.images.base import Image, MetricDefinition, Program
from clary.images.pythons import Pythons
from clary.images.releases import SCIKIT_LEARN, XGBOOST, Choice, Framework, choose

_ADDRESS = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?P<domain>[a-z0-9.-]+)"
    r"/(?P<repository>[a-z0-9._/-]+?)(?::(?P<tag>[A-Za-z0-9._-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?\Z"
)
_TAG = re.compile(r"(?P<release>\d[\d.]*(?:-\d+)?)(?:-(?:cpu|gpu|arm64))?(?:-py\d*)?\Z")

_ENV: Mapping[str, str] = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "OMP_WAIT_POLICY": "PASSIVE",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONIOENCODING": "UTF-8",
    "PYTHONUNBUFFERED": "1",
}
"""What AWS's framework images set; and OpenMP's threads sleep while they wait, because here a job shares its cores:
spinning, a busy machine trains small models ten times slower."""

_XGBOOST_METRICS = (
    *("accuracy", "auc", "aucpr", "balanced_accuracy", "f1", "f1_binary", "f1_macro", "map", "ndcg", "precision"),
    *("r2", "recall", "precision_macro", "precision_micro", "recall_macro", "recall_micro"),
    *("aft-nloglik", "cox-nloglik", "error", "gamma-deviance", "gamma-nloglik", "interval-regression-accuracy"),
    *("logloss", "mae", "mape", "merror", "mlogloss", "mphe", "mse", "poisson-nloglik", "rmse", "rmsle"),
    "tweedie-nloglik",
)


class ImageNotFound(Exception):
    """No image is known by this address; the message is AWS's, `hint` says what is there instead."""

    def __init__(self, uri: str, hint: str = "") -> None:
        super().__init__(f"Requested image {uri} not found.")
        self.uri = uri
        self.hint = hint


@dataclass(frozen=True)
class Address:
    """An image address in ECR, taken apart."""

    account: str
    region: str
    repository: str
    tag: str
    """`latest` where the address names none."""

    @classmethod
    def parse(cls, uri: str) -> Address | None:
        """None where `uri` is no address in ECR."""
        found = _ADDRESS.match(uri)
        if not found:
            return None
        return cls(found["account"], found["region"], found["repository"], found["tag"] or "latest")


@dataclass(frozen=True)
class _Tag:
    """One published version of an image: the framework's version, and the Python inside AWS's own image."""

    version: str
    python: str


@dataclass(frozen=True)
class _Repository:
    """One repository of AWS's, its tags, and how Clary runs it."""

    framework: Framework
    tags: Mapping[str, _Tag]
    image: Callable[[str, str, Choice], Image]
    aliases: Mapping[str, str]


def _definitions(metrics: tuple[str, ...]) -> tuple[MetricDefinition, ...]:
    """As AWS's container publishes them
    (https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost-tuning.html)."""
    sets = [("train", name) for name in metrics] + [("validation", name) for name in metrics]
    return tuple(
        MetricDefinition(f"{data}:{name}", rf".*\[[0-9]+\].*#011{data}-{re.escape(name)}:(\S+)".replace("\\-", "-"))
        for data, name in sets
    )


_XGBOOST_DEFINITIONS = _definitions(_XGBOOST_METRICS)


def _notices(choice: Choice) -> tuple[str, ...]:
    return () if choice.exact else (choice.notice(),)


def _scikit_learn(uri: str, _tag: str, choice: Choice) -> Image:
    return Image(
        uri=uri,
        environment=choice.environment(),
        train=Program("clary.toolkit.train"),
        serve=Program("clary.toolkit.serve"),
        env={
            **_ENV,
            "SAGEMAKER_TRAINING_MODULE": "sagemaker_sklearn_container.training:main",
            "SAGEMAKER_SERVING_MODULE": "sagemaker_sklearn_container.serving:main",
        },
        notices=_notices(choice),
    )


def _xgboost(uri: str, tag: str, choice: Choice) -> Image:
    return Image(
        uri=uri,
        environment=choice.environment(),
        train=Program("clary.algorithms.xgboost.train", (tag,)),
        serve=Program("clary.algorithms.xgboost.serve", (tag,)),
        metric_definitions=_XGBOOST_DEFINITIONS,
        built_in=True,
        env={
            **_ENV,
            "SAGEMAKER_TRAINING_MODULE": "sagemaker_xgboost_container.training:main",
            "SAGEMAKER_SERVING_MODULE": "sagemaker_xgboost_container.serving:main",
        },
        notices=_notices(choice),
    )


_REPOSITORIES: Mapping[str, _Repository] = {
    "sagemaker-scikit-learn": _Repository(
        framework=SCIKIT_LEARN,
        tags={
            "0.20.0": _Tag("0.20.0", "3.7"),
            "0.23-1": _Tag("0.23.2", "3.7"),
            "1.0-1": _Tag("1.0.2", "3.8"),
            "1.2-1": _Tag("1.2.1", "3.9"),
            "1.4-2": _Tag("1.4.2", "3.10"),
        },
        image=_scikit_learn,
        aliases={},
    ),
    "sagemaker-xgboost": _Repository(
        framework=XGBOOST,
        tags={
            "0.90-1": _Tag("0.90", "3.7"),
            "0.90-2": _Tag("0.90", "3.7"),
            "1.0-1": _Tag("1.0.0", "3.7"),
            "1.2-1": _Tag("1.2.0", "3.7"),
            "1.2-2": _Tag("1.2.0", "3.7"),
            "1.3-1": _Tag("1.3.3", "3.7"),
            "1.5-1": _Tag("1.5.2", "3.8"),
            "1.7-1": _Tag("1.7.4", "3.9"),
            "3.0-5": _Tag("3.0.5", "3.10"),
        },
        image=_xgboost,
        aliases={},
    ),
    "xgboost": _Repository(
        framework=XGBOOST,
        tags={"1": _Tag("0.72", "3.7")},
        image=_xgboost,
        aliases={"latest": "1"},
    ),
}


class Catalogue:
    """Image addresses → images. Pure but for a look at which Pythons there are; answers are kept."""

    def __init__(self, pythons: Pythons | None = None) -> None:
        self._pythons = pythons or Pythons()
        self._known: dict[str, Image] = {}

    def resolve(self, uri: str) -> Image:
        """The image that `uri` means. Raises ImageNotFound."""
        if uri not in self._known:
            self._known[uri] = self._resolve(uri)
        return self._known[uri]

    def _resolve(self, uri: str) -> Image:
        address = Address.parse(uri)
        repository = _owned(address)
        if address is None or repository is None:
            raise ImageNotFound(uri, "It is no image of AWS's that Clary runs.")
        name = _release_of(address.tag, repository)
        if name is None:
            raise ImageNotFound(uri, f"Known tags of {address.repository}: {', '.join(repository.tags)}.")
        tag = repository.tags[name]
        choice = choose(repository.framework, tag.version, tag.python, self._has)
        if choice is None:
            raise ImageNotFound(uri, _no_python(repository.framework))
        return repository.image(uri, name, choice)

    def _has(self, python: str) -> bool:
        return self._pythons.find(python) is not None


def _owned(address: Address | None) -> _Repository | None:
    """The repository, where the account is AWS's own: an own account's `xgboost` is the user's."""
    if address is None or address.account not in ACCOUNTS.get(address.repository, frozenset()):
        return None
    return _REPOSITORIES[address.repository]


def _release_of(tag: str, repository: _Repository) -> str | None:
    """`1.2-1-cpu-py3` → `1.2-1`; None for a tag that was never published."""
    found = _TAG.match(tag)
    name = repository.aliases.get(tag) or (found["release"] if found else tag)
    return name if name in repository.tags else None


def _no_python(framework: Framework) -> str:
    versions = sorted({python for release in framework.releases for python in release.pythons})
    return f"{framework.distribution} needs one of Python {', '.join(versions)} on this machine."
