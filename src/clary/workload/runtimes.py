"""From an image's address to something that can be started: its environment's Python, argv, mounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clary.clients.environment import hook_dir
from clary.compute.base import Container, Limits, Mount, Network, Warm
from clary.compute.host import python_folders
from clary.errors import AWSError, ClaryError
from clary.images.base import Image, Program
from clary.images.catalogue import Catalogue, ImageNotFound
from clary.images.environments import Environments
from clary.workload.environ import Identity, aws, hook_mount, regions
from clary.workload.errors import WorkloadError

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

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
    """Its ARN; empty where the container acts as nobody."""
    isolated: bool
    env: Mapping[str, str]
    """The user's own variables; they win."""
    contract: Mapping[str, str]
    """What the container contract sets."""
    argv: Sequence[str] = ()
    listens: int | None = None
    limits: Limits = field(default_factory=Limits)
    hostname: str = "algo-1"
    network: Network | None = None
    companions: tuple[tuple[str, ...], ...] = ()
    """Programs beside it, by argv; see compute.base."""


class Runtimes:
    """Images as this machine runs them."""

    def __init__(self, catalogue: Catalogue, environments: Environments, identity: Identity) -> None:
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
        python = str(self._environments.ready(image.environment) or self.build(image, lambda _: None))
        program = run.program
        return Container(
            argv=tuple(run.argv) or (python, "-m", program.module, *program.args),
            env=self._env(image, run, python),
            log=str(run.log),
            mounts=(*_python_mounts(python), hook_mount(hook_dir()), *run.mounts),
            api=not run.isolated,
            listens=run.listens,
            limits=run.limits,
            hostname=run.hostname,
            network=run.network,
            companions=run.companions,
            warm=None if run.argv else Warm(python, image.environment.preload, program.module, program.args),
        )

    def _env(self, image: Image, run: Run, python: str) -> dict[str, str]:
        found = {"PATH": f"{Path(python).parent}:{_SYSTEM_PATH}", **image.env, **regions(run.region)}
        if not run.isolated:
            found |= aws(self._credentials(run))
        return found | dict(run.contract) | dict(run.env)

    def _credentials(self, run: Run) -> Mapping[str, str]:
        if not run.role:
            return {}
        try:
            return self._identity(run.role, run.container)
        except AWSError as error:
            raise WorkloadError(f"ClientError: The role {run.role} cannot be assumed: {error.message}") from None


def _python_mounts(python: str) -> tuple[Mount, ...]:
    """The environment is seen inside also where the user's own program comes first."""
    return tuple(Mount(folder, folder) for folder in python_folders(python))
