"""Frameworks' environments: built once by uv, kept in the cache folder, mounted read-only into containers."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from uv import find_uv_bin

from clary.errors import ClaryError
from clary.images.base import Environment
from clary.images.pythons import Pythons
from clary.toolkit.packages import PUBLIC_NAMES

_MARK = ".ready"
_LAST_LINES = 12
_PIP_TO_UV = {"PIP_INDEX_URL": "UV_DEFAULT_INDEX", "PIP_EXTRA_INDEX_URL": "UV_INDEX", "PIP_FIND_LINKS": "UV_FIND_LINKS"}

_UNREACHABLE = re.compile(r"failed to fetch|dns error|connect|network|offline|timed? ?out", re.IGNORECASE)
_NO_WHEEL = re.compile(r"no wheels? |--no-build|only-binary|building source distributions is disabled", re.IGNORECASE)


class Environments:
    """Environments by key, below `cache_dir`. Several Clarys may share it; each environment is built by one of them."""

    def __init__(self, cache_dir: Path, pythons: Pythons | None = None) -> None:
        self._folder = cache_dir / "environments"
        self._pythons = pythons or Pythons()

    def ready(self, environment: Environment) -> Path | None:
        """The environment's Python (`…/bin/python`), or None where it has to be built first."""
        folder = self._folder / environment.key
        python = folder / "bin" / "python"
        # follows the link: a Python that was removed since leaves an environment that cannot start
        return python if (folder / _MARK).exists() and os.access(python, os.X_OK) else None

    def build(self, environment: Environment, on_line: Callable[[str], None], *, wheels_only: bool = False) -> Path:
        """Build it, or wait for whoever is building it; `on_line` hears of the progress. `wheels_only`: no package runs
        code of its own while it is installed.

        The mark is written last, so that a half-built environment is never ready and is built anew.
        Raises ClaryError naming what is missing: the Python, or packages and the way to them.
        """
        with self._held(environment) as lock:
            python = self.ready(environment)
            if python is None:
                python = self._build(environment, on_line, lock, wheels_only=wheels_only)
        return python

    def _build(self, environment: Environment, on_line: Callable[[str], None], lock: int, *, wheels_only: bool) -> Path:
        folder = self._folder / environment.key
        if folder.exists():
            shutil.rmtree(folder)
        base = self._base(environment)
        on_line(f"Building environment {environment.key} (once; it is kept for every later job).")
        _run(_venv(base, folder), on_line, environment, lock)
        python = folder / "bin" / "python"
        _install(python, environment, on_line, lock, wheels_only=wheels_only)
        for package in environment.beside:
            _install_beside(python, environment, package, on_line, lock)
        _offer_public_names(folder)
        _mark(folder, environment, base)
        on_line(f"Environment {environment.key} is ready.")
        return python

    def _base(self, environment: Environment) -> Path:
        base = self._pythons.find(environment.python)
        if base is None:
            raise ClaryError(
                f"Environment {environment.key} needs Python {environment.python}, which this machine does not have.",
                f"Install it (for example with `uv python install {environment.python}`) and start the job again.",
            )
        return base

    @contextlib.contextmanager
    def _held(self, environment: Environment) -> Iterator[int]:
        """The lock; whoever inherits it holds it too."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f".{environment.key}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                yield lock.fileno()
            finally:
                fcntl.flock(lock, fcntl.LOCK_UN)  # for all who hold it


def _venv(base: Path, folder: Path) -> list[str]:
    return [find_uv_bin(), "venv", "--quiet", "--no-project", "--no-config", "--python", str(base), str(folder)]


def _install(
    python: Path, environment: Environment, on_line: Callable[[str], None], lock: int, *, wheels_only: bool
) -> None:
    """Wheels only at first: nothing is compiled by surprise. What has no wheel is built in a second try, unless only
    wheels are wanted."""
    command = _installing(python, *environment.requirements)
    try:
        _run([*command, "--only-binary", ":all:"], on_line, environment, lock)
    except _NoWheel:
        if wheels_only:
            raise
        on_line("Not every package has a wheel for this machine: building from source.")
        _run(command, on_line, environment, lock)


def _install_beside(
    python: Path, environment: Environment, package: str, on_line: Callable[[str], None], lock: int
) -> None:
    """What is there already stays as it is; what cannot be imported beside it goes again."""
    install = [*_installing(python, *environment.requirements, package), "--only-binary", ":all:"]
    try:
        _run(install, _unheard, environment, lock)
        _run([str(python), "-c", f"import {package}"], _unheard, environment, lock)
    except ClaryError:
        on_line(
            f"{package} is not part of this environment: there is none here that fits it. Scripts cannot import it."
        )
        with contextlib.suppress(ClaryError):  # it is not there
            _run([find_uv_bin(), "pip", "uninstall", "--python", str(python), package], _unheard, environment, lock)


def _installing(python: Path, *requirements: str) -> list[str]:
    return [find_uv_bin(), "pip", "install", "--compile-bytecode", "--python", str(python), *requirements]


def _unheard(_line: str) -> None:
    pass


class _NoWheel(ClaryError):
    """A package has no wheel for this Python and machine."""


def _run(command: Sequence[str], on_line: Callable[[str], None], environment: Environment, lock: int) -> None:
    """It holds the lock as long as it lives: after a crash of ours nobody builds where it still does."""
    last: deque[str] = deque(maxlen=_LAST_LINES)
    with subprocess.Popen(
        command,
        cwd="/",  # uv would read the settings of a project that Clary happens to be started in
        env=_uv_env(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(lock,),
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            text = line.rstrip()
            if text:
                last.append(text)
                on_line(text)
    if process.returncode:
        raise _explain(environment, "\n".join(last))


def _explain(environment: Environment, output: str) -> ClaryError:
    what = f"Environment {environment.key} could not be built: {output or 'uv said nothing'}"
    if _NO_WHEEL.search(output):
        return _NoWheel(what)
    if _UNREACHABLE.search(output):
        wanted = " ".join(environment.requirements)
        return ClaryError(
            what,
            "The package index cannot be reached. Connect once, or fill a folder elsewhere with"
            f" `pip download --only-binary :all: --python-version {environment.python} {wanted}` and name it in"
            " UV_FIND_LINKS together with UV_NO_INDEX=1.",
        )
    return ClaryError(what)


def _uv_env(environ: Mapping[str, str]) -> dict[str, str]:
    """The user's own settings for uv hold; where pip alone was told of an index, uv is told the same."""
    env = dict(environ)
    for pip, uv in _PIP_TO_UV.items():
        if pip in env and uv not in env:
            env[uv] = env[pip]
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
        env.pop(name, None)
    env.update(UV_PYTHON_DOWNLOADS="never", UV_NO_PROGRESS="1", NO_COLOR="1")
    return env


def _offer_public_names(folder: Path) -> None:
    """Of what containers see only: the path is none outside, and comes after everything that is installed."""
    for packages in folder.glob("lib/python*/site-packages"):
        (packages / "public.pth").write_text(PUBLIC_NAMES + "\n")


def _mark(folder: Path, environment: Environment, base: Path) -> None:
    """Say what stands here, durably, and only now that it is whole."""
    fresh = folder / (_MARK + ".new")
    with fresh.open("w") as file:
        content = {"python": str(base), "requirements": list(environment.requirements)}
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / _MARK)
