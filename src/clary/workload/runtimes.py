"""From an image's address to something that can be started: its environment's Python, argv, mounts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clary.clients.environment import hook_dir
from clary.compute.base import Container, Feed, Limits, Mount, Network, Warm, folder
from clary.compute.docker_api import EngineError
from clary.compute.host import python_folders
from clary.errors import AWSError, ClaryError
from clary.images.base import Command, Image, Program
from clary.images.catalogue import Catalogue, ImageNotFound
from clary.images.engine import EngineImages
from clary.images.environments import Environments
from clary.workload.environ import Identity, aws, hook_mount, regions
from clary.workload.errors import WorkloadError

_MODULES = "/opt/clary/modules"
_PIPES = "/opt/clary/pipes"
_FEEDER = ("-m", "clary.toolkit.pipes", _PIPES, "/opt/ml/input/data", "/opt/ml/output/failure")
_TOOLKIT_PATH = "/opt/clary/clary/toolkit/bin"
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

OnLine = Callable[[str], None]
"""Hears a line for the container's log."""


@dataclass(frozen=True)
class Run:
    """What one container runs, beside its image: `argv` replaces the image's program where the user gave one."""

    container: str
    program: Program | Command
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
    feed: Feed | None = None
    """Its pipes, if it has any."""


class Runtimes:
    """Images as this machine runs them."""

    def __init__(
        self, catalogue: Catalogue, environments: Environments, identity: Identity, containers_dir: Path
    ) -> None:
        self._catalogue = catalogue
        self._environments = environments
        self._identity = identity
        self._containers_dir = containers_dir

    def image(self, uri: str) -> Image:
        """Raises WorkloadError where nothing here answers to `uri`."""
        try:
            return self._catalogue.resolved(uri)
        except ImageNotFound as error:
            raise WorkloadError(f"ClientError: Cannot find the image {uri}. {error.hint}".rstrip()) from None

    def ready(self, image: Image) -> bool:
        """Whether its environment stands already, or the engine has it. Raises WorkloadError."""
        if image.environment is not None:
            return self._environments.ready(image.environment) is not None
        try:
            return self._engine(image).has(image.engine)
        except ClaryError as error:
            raise WorkloadError(f"ClientError: Cannot pull algorithm container. {error}") from None

    def build(self, image: Image, on_line: OnLine) -> None:
        """Make it ready: build its environment, or have the engine pull it. Raises WorkloadError."""
        try:
            if image.environment is not None:
                self._environments.build(image.environment, on_line)
            else:
                for line in self._engine(image).pull(image):
                    on_line(line)
        except (ClaryError, EngineError, OSError) as error:
            raise WorkloadError(f"ClientError: Cannot pull algorithm container. {error}") from None

    def _engine(self, image: Image) -> EngineImages:
        """Raises WorkloadError where Clary was started without engines since."""
        if self._catalogue.engine is None:
            raise WorkloadError(f"ClientError: {image.uri} needs a container engine; see `clary up --compute`.")
        return self._catalogue.engine

    def container(self, image: Image, run: Run) -> Container:
        """The container to start. Raises WorkloadError where its environment cannot be had any more."""
        if image.environment is None:
            return self._of_engine(image, run)
        python = self.python(image)
        warm = None if run.argv else _warm(image, run.program, python)
        return Container(
            argv=tuple(run.argv) or _argv(run.program, python),
            env=self._env(image, run, python),
            log=str(run.log),
            mounts=(
                *_python_mounts(python, own=warm is None),
                hook_mount(hook_dir()),
                *_module_mounts(image),
                *self._own_mounts(image, run),
                *((Mount(run.feed.plans, _PIPES),) if run.feed else ()),
                *run.mounts,
            ),
            workdir=image.workdir,
            api=not run.isolated,
            listens=run.listens,
            limits=run.limits,
            hostname=run.hostname,
            network=run.network,
            companions=((python, *_FEEDER),) if run.feed else (),
            warm=warm,
        )

    def python(self, image: Image) -> str:
        """Its environment's Python, built where it is not there. Raises WorkloadError where that cannot be had."""
        if image.environment is None:
            raise WorkloadError(f"ClientError: {image.uri} has no environment of this machine.")
        try:
            return str(
                self._environments.ready(image.environment)
                or self._environments.build(image.environment, lambda _: None)
            )
        except ClaryError as error:
            raise WorkloadError(f"ClientError: Cannot pull algorithm container. {error}") from None

    def _of_engine(self, image: Image, run: Run) -> Container:
        """A real image brings its programs; it is told where it is, and who it is. Raises WorkloadError.

        Its pipes are fed from outside: whether it has a Python nobody knows (docs/decisions/0033)."""
        ways = {} if run.isolated else aws(self._credentials(run))
        program = run.program.argv if isinstance(run.program, Command) else run.program.args
        return Container(
            image=image.engine,
            entrypoint=tuple(run.argv),
            argv=() if run.argv else program,
            env={**regions(run.region), **ways, **run.contract, **run.env},
            log=str(run.log),
            mounts=(*(() if run.isolated else (hook_mount(hook_dir()),)), *run.mounts),
            workdir=image.workdir,
            api=not run.isolated,
            listens=run.listens,
            limits=run.limits,
            hostname=run.hostname,
            network=run.network,
            feed=run.feed,
        )

    def _own_mounts(self, image: Image, run: Run) -> Iterator[Mount]:
        """The image's own files, by links of this container's: the image may be gone while it runs."""
        root = folder(self._containers_dir, run.container) / "image"
        for number, files in enumerate(image.files):
            source = _linked(files.source, root / f"files-{number}")
            yield Mount(source, files.target, writable=True, copy_on_write=True)
        for number, target in enumerate(image.folders):
            path = root / f"folder-{number}"
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o777)  # the user inside need not be the server's
            yield Mount(str(path), target, writable=True)

    def _env(self, image: Image, run: Run, python: str) -> dict[str, str]:
        path = ":".join([*image.path, str(Path(python).parent), _TOOLKIT_PATH, _SYSTEM_PATH])
        found = {"PATH": path, **image.env, **regions(run.region)}
        found |= image.isolated_env if run.isolated else aws(self._credentials(run))
        if image.modules:
            found["PYTHONPATH"] = ":".join(path for path in (found.get("PYTHONPATH"), _MODULES) if path)
        return found | dict(run.contract) | dict(run.env)

    def _credentials(self, run: Run) -> Mapping[str, str]:
        if not run.role:
            return {}
        try:
            return self._identity(run.role, run.container)
        except AWSError as error:
            raise WorkloadError(f"ClientError: The role {run.role} cannot be assumed: {error.message}") from None


def _argv(program: Program | Command, python: str) -> tuple[str, ...]:
    return program.argv if isinstance(program, Command) else (python, "-m", program.module, *program.args)


def _warm(image: Image, program: Program | Command, python: str) -> Warm | None:
    """Programs of the image's own are not Python's modules: nothing can be kept warm for them."""
    if isinstance(program, Command):
        return None
    preload = image.environment.preload if image.environment else ()
    return Warm(python, preload, program.module, program.args)


def _linked(source: Path, target: Path) -> str:
    """A tree of links to the files below `source`; made once. Raises WorkloadError where the image is gone."""
    if target.exists():
        return str(target)
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        shutil.copytree(source, fresh, symlinks=True, copy_function=_link)
    except FileNotFoundError:
        raise WorkloadError("ClientError: The image was removed or replaced meanwhile.") from None
    fresh.rename(target)
    return str(target)


def _link(source: str, target: str, *, follow_symlinks: bool = True) -> None:
    os.link(source, target, follow_symlinks=follow_symlinks)


def _module_mounts(image: Image) -> Iterator[Mount]:
    for path in image.modules:
        yield Mount(str(path), f"{_MODULES}/{path.name}")


def _python_mounts(python: str, *, own: bool) -> Iterator[Mount]:
    """The environment is seen inside also where the user's own program comes first. That one may install into it what
    it likes, as into an image's: it is the container's `own`."""
    environment = str(Path(python).parent.parent)
    for path in python_folders(python):
        changes = own and path == environment
        yield Mount(path, path, writable=changes, copy_on_write=changes)
