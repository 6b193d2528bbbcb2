"""Which framework versions can be had on which Pythons, and what an environment with one of them holds.

A framework image names an exact version. Where no Python of this machine can run it, the nearest version that one of
them can run stands in, and a notice says so.
"""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from clary.images.base import Environment
from clary.images.pythons import minor

_RECIPE = "2"
"""Changed whenever environments are made otherwise: those made before are not used any more."""

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
    large: str = ""
    """A distribution in it whose wheels are so large that those on this machine come before all others (wheels.py)."""
    beside: tuple[str, ...] = ()
    """As `Environment.beside`."""


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
        return f"{name} {self.wanted} cannot be had on this machine; {name} {got} is used instead."

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
            key=environment_key(self.framework.name, release.version, self.python, requirements),
            python=self.python,
            requirements=requirements,
            preload=self.framework.preload,
            beside=self.framework.beside,
        )


def environment_key(name: str, version: str, python: str, requirements: Sequence[str]) -> str:
    """The name of the folder of an environment with this content."""
    content = "\n".join((_RECIPE, platform.machine(), python, *sorted(requirements)))
    digest = hashlib.sha256(content.encode()).hexdigest()[:10]
    return f"{name}-{version}-py{python.replace('.', '')}-{digest}"


def choose(framework: Framework, wanted: str, preferred: str, has: Callable[[str], bool]) -> Choice | None:
    """The release nearest to `wanted` for which this machine has a Python; None where there is none at all.

    `preferred` is the Python of AWS's own image, `has` tells whether a Python is there. Newer releases are tried
    before older ones: scripts break less often forwards than backwards.
    """
    for release in nearest_first(framework.releases, wanted):
        for python in _by_distance(release.pythons, preferred):
            if has(python):
                return Choice(framework, release, python, wanted)
    return None


def nearest_first(releases: Sequence[Release], wanted: str) -> Iterator[Release]:
    """The release itself, then newer ones, then older ones, each from the nearest on."""
    place = number(wanted)
    exact = [release for release in releases if release.version == wanted]
    newer = [release for release in releases if number(release.version) > place]
    older = [release for release in releases if number(release.version) < place]
    yield from exact
    yield from newer
    yield from reversed(older)


def number(version: str) -> tuple[int, ...]:
    """`1.10.2` as numbers, for comparing."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _by_distance(pythons: Sequence[str], preferred: str) -> list[str]:
    wanted = minor(preferred)[1]
    return sorted(pythons, key=lambda version: (abs(minor(version)[1] - wanted), -minor(version)[1]))


def compiles(environment: Environment) -> bool:
    """Whether it holds a compiler of the framework's models."""
    held = [requirement.partition(";") for requirement in environment.requirements]
    return any(name.startswith("onnxruntime") and _holds(marker, environment.python) for name, _, marker in held)


def _holds(marker: str, python: str) -> bool:
    """Whether a marker of COMPILER or EXPORTER, or none, lets a package in."""
    bounds = re.findall(r"python_version (>=|<) '([\d.]+)'", marker)
    return all((number(python) < number(bound)) is (sign == "<") for sign, bound in bounds)


COMPILER = tuple(f"{name}; python_version >= '3.9' and python_version < '3.14'" for name in ("onnxruntime", "skl2onnx"))
"""Compiles scikit-learn's classifiers (toolkit/predictor.py); on the Pythons that have wheels of all of it."""
ONNX_RUNTIME_VERSION = "1.23.2"
"""What compiled models are served by."""
EXPORTER = tuple(
    f"{name}; python_version >= '3.10' and python_version < '3.14'"
    for name in ("onnx", f"onnxruntime=={ONNX_RUNTIME_VERSION}")
)
"""Writes a network as ONNX, and proves it by the runtime that will serve it."""
ARROW_1 = "pyarrow<22"
"""The last that works with numpy 1."""
NUMPY_OLD = ("numpy<1.24", "scipy<1.11", "pandas<1.6", ARROW_1)
"""Until numpy 1.24 `np.float` and its kin exist, which the frameworks and scripts of that time use."""
NUMPY_124 = ("numpy<1.25", "scipy<1.12", "pandas<1.6", ARROW_1)
NUMPY_1 = ("numpy<1.27", "scipy<1.14", "pandas<2.3", ARROW_1)
NUMPY_2 = ("numpy>=2", "scipy", "pandas<3", "pyarrow")
