"""From an image's address to something that can be started: its environment's Python, argv, mounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import clary
from clary.clients.environment import hook_dir
from clary.compute.base import Container, Mount, Warm
from clary.errors import ClaryError
from clary.images.base import Image, Program
from clary.images.catalogue import Catalogue, ImageNotFound
from clary.images.environments import Environments
from clary.settings import Settings
from clary.workload import environ
from clary.workload.environ import Identity
from clary.workload.errors import WorkloadError
from clary.workload.python import python_mounts

OnLine = Callable[[str], None]
"""Hears a line for the container's log."""


@dataclass(frozen=True)
class Run:
    """What one container runs, beside its image: `argv` replaces the image's program where the user gave one."""

    container: str
    program: Program
    mounts: tuple[Mount, ...]
    log: Path
    region: str
    role: str
    isolated: bool
    env: Mapping[str, str]
    """The user's own variables; they win."""
    contract: Mapping[str, str]
    """What the container contract sets."""
    argv: Sequence[str] = ()
    listens: int | None = None


class Runtimes:
    """Images as this machine runs them."""

    def __init__(
        self, settings: Settings, catalogue: Catalogue, environments: Environments, identity: Identity
    ) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._environments = environments
        self._identity = identity

    def image(self, uri: str) -> Image:
        """Raises WorkloadError where nothing here answers to `uri`."""
        try:
            return self._catalogue.resolve(uri)
        except ImageNotFound as error:
            raise WorkloadError(f"ClientError: Cannot find the image {uri}. {error.hint}".rstrip()) from None

    def ready(self, image: Image) -> bool:
        """Whether its environment stands already."""
        return self._environments.ready(image.environment) is not None

    def build(self, image: Image, on_line: OnLine) -> Path:
        """Its environment's Python, built first where it is not there. Raises WorkloadError."""
        try:
            return self._environments.build(image.environment, on_line)
        except ClaryError as error:
            raise WorkloadError(f"InternalServerError: {error}") from None

    def container(self, image: Image, run: Run) -> Container:
        """The container to start. Raises WorkloadError where its environment cannot be had any more."""
        python = self._environments.ready(image.environment) or self.build(image, lambda _: None)
        return Container(
            argv=tuple(run.argv) or (str(python), "-m", run.program.module, *run.program.args),
            env=self._env(image, run, python),
            log=str(run.log),
            mounts=(*python_mounts(python), *self._own_mounts(), *run.mounts),
            api=not run.isolated,
            listens=run.listens,
            warm=None if run.argv else self._warm(image, run, python),
        )

    def _env(self, image: Image, run: Run, python: Path) -> dict[str, str]:
        found = environ.base(python) | dict(image.env) | environ.regions(run.region)
        if not run.isolated:
            credentials = self._identity(run.role, run.container)
            found |= environ.aws(self._settings, run.region, credentials)
        return found | dict(run.contract) | dict(run.env)

    def _own_mounts(self) -> tuple[Mount, ...]:
        return environ.clary_mounts(Path(clary.__file__).parent, hook_dir())

    def _warm(self, image: Image, run: Run, python: Path) -> Warm | None:
        if environ.needs_cold_start(run.env):
            return None
        return Warm(str(python), image.environment.preload, run.program.module, run.program.args)
