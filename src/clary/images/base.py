"""What an image URI means here: an environment, and the two programs of the container contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clary.images.addresses import Address


@dataclass(frozen=True)
class Environment:
    """A Python with packages, built once by uv and mounted read-only. Equal content, equal `key`."""

    key: str
    """`sklearn-1.2.2-py311-<hash of the requirements>`: the name of its folder."""
    python: str
    """The Python wanted, `3.11`."""
    requirements: tuple[str, ...]
    preload: tuple[str, ...] = ()
    """Modules that its warm parent imports (and only imports)."""
    beside: tuple[str, ...] = ()
    """Packages, each with a module of its name, that are installed too where they can be had and imported. They are no
    part of the key: without them it is the same environment."""


@dataclass(frozen=True)
class Program:
    """One of the two programs of the contract, as a module of the environment's Python."""

    module: str
    """`clary.toolkit.train`; run as `python -m MODULE ARGS…` where no warm parent forks it."""
    args: tuple[str, ...] = ()


@dataclass(frozen=True)
class Command:
    """One of the two programs of the contract, as an executable of the image's own: a path, or a name in its PATH."""

    argv: tuple[str, ...]


@dataclass(frozen=True)
class Files:
    """A folder of the image's own, seen at `target`. Each container may change what it sees, and only that."""

    source: Path
    target: str


@dataclass(frozen=True)
class MetricDefinition:
    """A metric read from the log by a regular expression with one group."""

    name: str
    regex: str


@dataclass(frozen=True)
class Image:
    """An image that Clary runs: on this machine's Pythons, or by a container engine."""

    uri: str
    environment: Environment | None
    """None where an engine has all of it."""
    train: Program | Command
    serve: Program | Command
    engine: str = ""
    """Its name in the container engine that runs it: then `train` and `serve` are what its entry point is given, and
    nothing of this machine is seen inside."""
    registered: Address | None = None
    """Where it is in Clary's own registry, by its digest."""
    metric_definitions: tuple[MetricDefinition, ...] = ()
    """What AWS's own image defines; DescribeTrainingJob shows them for built-in algorithms."""
    built_in: bool = False
    """A built-in algorithm: hyperparameters are validated, no user code runs."""
    env: Mapping[str, str] = field(default_factory=dict)
    isolated_env: Mapping[str, str] = field(default_factory=dict)
    """What is set besides where the container has no network."""
    files: tuple[Files, ...] = ()
    modules: tuple[Path, ...] = ()
    """Python's modules of this machine that programs may import: files or folders, which containers cannot change."""
    folders: tuple[str, ...] = ()
    """Folders that are there and empty when a container begins."""
    path: tuple[str, ...] = ()
    """What comes first in PATH."""
    workdir: str = "/"
    notices: tuple[str, ...] = ()
    """Lines for the head of the log, such as a version that cannot be had and the nearest that is used."""
