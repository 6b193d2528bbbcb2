"""Which framework versions can be had on which Pythons, and what an environment with one of them holds.

A framework image names an exact version. Where no Python of this machine can run it, the nearest version that one of
them can run stands in, and a notice says so.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from clary.images.base import Environment
from clary.images.pythons import minor

_ALWAYS = ("boto3", "httptools>=0.6", "pip", "wheel")
"""boto3: scripts call AWS. httptools: the model server. pip and wheel: requirements.txt, and clients that call pip."""

_SETUPTOOLS = "setuptools<81"
"""Old scripts import pkg_resources, which later ones lack."""


@dataclass(frozen=True)
class Release:
    """One version of a framework: the Pythons that have a wheel of it, and its companions of the same time."""

    version: str
    pythons: tuple[str, ...]
    companions: tuple[str, ...]


@dataclass(frozen=True)
class Framework:
    """A framework that images are built around."""

    name: str
    distribution: str
    releases: tuple[Release, ...]
    """Oldest first."""
    preload: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """The release that runs, on which Python, and how far it is from what was asked for."""

    framework: Framework
    release: Release
    python: str
    wanted: str

    @property
    def exact(self) -> bool:
        """Whether it is the very version that the image names."""
        return self.release.version == self.wanted

    def notice(self) -> str:
        """The line for the head of the log where the version is another."""
        name, got = self.framework.distribution, self.release.version
        return f"{name} {self.wanted} cannot be had for the Pythons of this machine; {name} {got} is used instead."

    def environment(self) -> Environment:
        """The environment that holds it."""
        release = self.release
        requirements = (
            f"{self.framework.distribution}=={release.version}",
            *release.companions,
            *_ALWAYS,
            _SETUPTOOLS,
        )
        return Environment(
            key=_key(self.framework.name, release.version, self.python, requirements),
            python=self.python,
            requirements=requirements,
            preload=self.framework.preload,
        )


def _key(name: str, version: str, python: str, requirements: Sequence[str]) -> str:
    content = "\n".join((platform.machine(), python, *sorted(requirements)))
    digest = hashlib.sha256(content.encode()).hexdigest()[:10]
    return f"{name}-{version}-py{python.replace('.', '')}-{digest}"


def choose(framework: Framework, wanted: str, preferred: str, has: Callable[[str], bool]) -> Choice | None:
    """The release nearest to `wanted` for which this machine has a Python; None where there is none at all.

    `preferred` is the Python of AWS's own image, `has` tells whether a Python is there. Newer releases are tried
    before older ones: scripts break less often forwards than backwards.
    """
    for release in _nearest_first(framework.releases, wanted):
        for python in _by_distance(release.pythons, preferred):
            if has(python):
                return Choice(framework, release, python, wanted)
    return None


def _nearest_first(releases: Sequence[Release], wanted: str) -> Iterator[Release]:
    place = _number(wanted)
    exact = [release for release in releases if release.version == wanted]
    newer = [release for release in releases if _number(release.version) > place]
    older = [release for release in releases if _number(release.version) < place]
    yield from exact
    yield from newer
    yield from reversed(older)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _by_distance(pythons: Sequence[str], preferred: str) -> list[str]:
    wanted = minor(preferred)[1]
    return sorted(pythons, key=lambda version: (abs(minor(version)[1] - wanted), -minor(version)[1]))


_ARROW_1 = "pyarrow<22"
"""The last that works with numpy 1."""
_NUMPY_OLD = ("numpy<1.24", "scipy<1.11", "pandas<1.6", _ARROW_1)
"""Until numpy 1.24 `np.float` and its kin exist, which the frameworks and scripts of that time use."""
_NUMPY_124 = ("numpy<1.25", "scipy<1.12", "pandas<1.6", _ARROW_1)
_NUMPY_1 = ("numpy<1.27", "scipy<1.14", "pandas<2.3", _ARROW_1)
_NUMPY_2 = ("numpy>=2", "scipy", "pandas<3", "pyarrow")

SCIKIT_LEARN = Framework(
    name="sklearn",
    distribution="scikit-learn",
    releases=(
        Release("0.22.2", ("3.8",), _NUMPY_OLD),
        Release("0.23.2", ("3.8",), _NUMPY_OLD),
        Release("0.24.2", ("3.8", "3.9"), _NUMPY_OLD),
        Release("1.0.2", ("3.8", "3.9", "3.10"), _NUMPY_OLD),
        Release("1.1.3", ("3.8", "3.9", "3.10", "3.11"), _NUMPY_OLD),
        Release("1.2.1", ("3.8", "3.9", "3.10", "3.11"), _NUMPY_124),
        Release("1.3.2", ("3.8", "3.9", "3.10", "3.11", "3.12"), _NUMPY_1),
        Release("1.4.2", ("3.9", "3.10", "3.11", "3.12"), _NUMPY_1),
        Release("1.5.2", ("3.9", "3.10", "3.11", "3.12", "3.13"), _NUMPY_2),
        Release("1.7.2", ("3.10", "3.11", "3.12", "3.13", "3.14"), _NUMPY_2),
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
        "clary.toolkit.entry",
        "clary.toolkit.source",
        "clary.toolkit.server.listener",
    ),
)

_LEARN_OLD = ("scikit-learn<1.2",)
_LEARN_1 = ("scikit-learn<1.4",)

XGBOOST = Framework(
    name="xgboost",
    distribution="xgboost",
    releases=(
        Release("0.90", ("3.8", "3.9", "3.10", "3.11"), (*_NUMPY_OLD, *_LEARN_OLD)),
        Release("1.0.0", ("3.8", "3.9", "3.10", "3.11"), (*_NUMPY_OLD, *_LEARN_OLD)),
        Release("1.2.0", ("3.8", "3.9", "3.10", "3.11"), (*_NUMPY_OLD, *_LEARN_OLD)),
        Release("1.3.3", ("3.8", "3.9", "3.10", "3.11"), (*_NUMPY_OLD, *_LEARN_OLD)),
        Release("1.5.2", ("3.8", "3.9", "3.10", "3.11"), (*_NUMPY_OLD, *_LEARN_OLD)),
        Release("1.7.4", ("3.8", "3.9", "3.10", "3.11"), (*_NUMPY_124, *_LEARN_1)),
        Release("1.7.6", ("3.8", "3.9", "3.10", "3.11", "3.12"), (*_NUMPY_1, *_LEARN_1)),
        Release("2.1.4", ("3.9", "3.10", "3.11", "3.12", "3.13"), (*_NUMPY_2, "scikit-learn<1.6")),
        Release("3.0.5", ("3.10", "3.11", "3.12", "3.13", "3.14"), (*_NUMPY_2, "scikit-learn")),
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
        "clary.algorithms.xgboost.training",
        "clary.algorithms.xgboost.serving",
    ),
)

FRAMEWORKS: Mapping[str, Framework] = {framework.name: framework for framework in (SCIKIT_LEARN, XGBOOST)}
