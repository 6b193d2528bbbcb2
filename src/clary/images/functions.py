"""The Python runtimes of Lambda (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html) as environments:
a Python with boto3, and the runtime of the toolkit."""

from __future__ import annotations

from dataclasses import dataclass

from clary.images.base import Environment, Image, Program
from clary.images.pythons import Pythons, minor
from clary.images.releases import environment_key

RUNTIMES = tuple(f"python3.{number}" for number in range(8, 15))
"""Those that are offered."""

RETIRED = ("python2.7", "python3.6", "python3.7")
"""AWS creates no functions with them any more."""

PACKAGES = ("boto3",)

PRELOAD = (
    "boto3",
    "boto3.s3.transfer",
    "botocore.auth",
    "botocore.client",
    "botocore.httpsession",
    "botocore.parsers",
    "botocore.retries.standard",
    "botocore.session",
    "botocore.signers",
    "concurrent.futures",
    "decimal",
    "logging",
    "urllib.request",
    "uuid",
    "clary.toolkit.function.serve",
)
"""What a warm parent imports. boto3 takes a quarter of a second."""

PRELOADED = frozenset({"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six"})
"""Packages that a fork of it has imported. A function that brings one is started cold: on AWS its own wins."""

_FEWEST = 8
"""The runtime needs Python 3.8."""


class NoPython(Exception):
    """This machine has no Python that a function could run on."""


@dataclass(frozen=True)
class Runtime:
    """A runtime as this machine has it."""

    image: Image
    python: str


class FunctionRuntimes:
    """Finds them. Keep one: Pythons are looked for once."""

    def __init__(self, pythons: Pythons | None = None) -> None:
        self._pythons = pythons or Pythons()

    def find(self, runtime: str) -> Runtime:
        """The runtime `python3.12`, on that Python or the nearest. Raises NoPython."""
        wanted = runtime.removeprefix("python")
        found = next((each for each in self._nearest_first(wanted) if self._pythons.find(each)), None)
        if found is None:
            raise NoPython(f"No Python of 3.{_FEWEST} or later is on this machine.")
        notices = () if found == wanted else (_notice(wanted, found),)
        key = environment_key("lambda", found, found, PACKAGES)
        program = Program("clary.toolkit.function.begin")
        environment = Environment(key, found, PACKAGES, PRELOAD)
        return Runtime(Image(runtime, environment, program, program, notices=notices, workdir="/var/task"), found)

    def _nearest_first(self, wanted: str) -> list[str]:
        """Newer ones before older ones of the same distance."""
        number = minor(wanted)[1]
        there = [each for each in self._pythons.versions() if minor(each)[0] == 3 and minor(each)[1] >= _FEWEST]
        return sorted(there, key=lambda each: (abs(minor(each)[1] - number), -minor(each)[1]))


def _notice(wanted: str, found: str) -> str:
    return f"Python {wanted} cannot be had on this machine; Python {found} is used instead."
