"""A machine with a launcher on it: what the contract of `compute.base.Backend` is tried on."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

import clary
from clary.compute.base import Container, Exited, Running, State, Warm
from clary.compute.dial import SandboxDial
from clary.compute.docker import DockerBackend
from clary.compute.docker_api import Engine
from clary.compute.local import LocalBackend
from clary.compute.sandbox import SandboxBackend
from clary.settings import Settings
from clary.telemetry.logfile import LogReader
from tests import engine as engines
from tests import memory

LAUNCHER = Path(clary.__file__).parent / "launcher" / "main.py"
SECONDS = 60.0
"""How long to wait on a machine that has much else to do."""


def until(condition: Callable[[], object], seconds: float = SECONDS) -> None:
    """Wait for what has no event to wait on."""
    deadline, tick = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        tick.wait(0.005)


class Machine:
    """A data folder, a launcher, a backend that is watched."""

    def __init__(self, data_dir: Path, unconfined: bool, engine: Engine | None = None) -> None:
        self.settings = Settings(data_dir=data_dir, unconfined=unconfined)
        self.engine = engine
        self.image = engines.base(engine) if engine else ""
        self.settings.containers_dir.mkdir(parents=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.settings.run_dir / "launcher.sock"))
        self.listener.listen()
        self.dial = SandboxDial(self.settings.containers_dir)
        self._changed = threading.Condition()
        self.ended: list[str] = []
        self.launcher = self.start_launcher()
        self.backend = self.new_backend()

    def start_launcher(self, *options: str) -> subprocess.Popen[bytes]:
        """A fresh launcher on the socket that outlives it."""
        command = [sys.executable, "-I", "-S", str(LAUNCHER), "--listen-fd", str(self.listener.fileno())]
        command += ["--containers", str(self.settings.containers_dir)]
        command += ["--api-socket", str(self.settings.run_dir / "api.sock")]
        self.launcher = subprocess.Popen([*command, *options], pass_fds=[self.listener.fileno()])
        return self.launcher

    def new_backend(self) -> LocalBackend:
        """As control has it after it was started anew."""
        environ = {"DOCKER_HOST": f"unix://{self.engine.path}"} if self.engine else {}
        backend = DockerBackend(self.settings, environ) if self.engine else SandboxBackend(self.settings)
        backend.watch(self._note)
        return backend

    def _note(self, container_id: str) -> None:
        with self._changed:
            self.ended.append(container_id)
            self._changed.notify_all()

    def folder(self, container_id: str) -> Path:
        return self.settings.containers_dir / container_id

    def start(self, container_id: str, container: Container) -> str:
        log = str(self.settings.logs_dir / container_id)
        self.backend.start(container_id, replace(container, log=log, image=self.image))
        return container_id

    def shell(self, container_id: str, script: str, **more: object) -> str:
        return self.start(container_id, Container(argv=("sh", "-c", script), env={}, log="", **more))

    def end(self, container_id: str, seconds: float = SECONDS) -> State:
        """How it ended, once the watch has said that it may have."""
        with self._changed:
            assert self._changed.wait_for(lambda: container_id in self.ended, seconds), "nobody was told of the end"
        state = self.backend.poll(container_id)
        assert not isinstance(state, Running)
        return state

    def run(self, script: str, **more: object) -> tuple[Exited, str]:
        """A shell script's end and its output."""
        container_id = self.shell(f"run-{len(self.ended)}", script, **more)
        state = self.end(container_id)
        assert isinstance(state, Exited), state
        return state, self.output(container_id)

    def lines(self, container_id: str) -> list[str]:
        path = self.settings.logs_dir / container_id
        return [event.message for event in LogReader(path).forward(0)] if path.exists() else []

    def output(self, container_id: str) -> str:
        return "\n".join(self.lines(container_id))

    def says(self, container_id: str, line: str) -> None:
        until(lambda: line in self.lines(container_id))

    def close(self) -> None:
        for container_id in self.backend.list():
            self.backend.remove(container_id)
        self.backend.close()
        self.launcher.kill()
        self.launcher.wait()
        self.listener.close()


@pytest.fixture(
    params=["confined", "unconfined", pytest.param("engine", marks=pytest.mark.xdist_group("engine"))],
)
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """All ways to run a container."""
    if request.param == "engine":
        yield from _machine(unconfined=False, engine=request.getfixturevalue("engine"))
    else:
        yield from _machine(request.param == "unconfined")


@pytest.fixture(params=["confined", "unconfined"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """Without an engine."""
    yield from _machine(request.param == "unconfined")


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A container engine, or the test is skipped."""
    with engines.engine() as found:
        yield found


@pytest.fixture
def docker(engine: Engine) -> Iterator[Machine]:
    """A machine whose containers are an engine's."""
    yield from _machine(unconfined=False, engine=engine)


@pytest.fixture
def confined() -> Iterator[Machine]:
    """A machine whose containers are separated."""
    yield from _machine(unconfined=False)


def _machine(unconfined: bool, engine: Engine | None = None) -> Iterator[Machine]:
    with tempfile.TemporaryDirectory(prefix="clary-test-", dir=memory.chosen()) as data_dir:
        machine = Machine(Path(data_dir), unconfined, engine)
        try:
            yield machine
        finally:
            machine.close()


def warm(module: str, *args: str, preload: tuple[str, ...] = (), env: Mapping[str, str] | None = None) -> Container:
    """A container that a warm parent of this Python may fork."""
    python = sys.executable
    return Container(
        argv=(python, "-m", module, *args),
        env=dict(env or {}),
        log="",
        warm=Warm(python=python, preload=preload, module=module, args=args),
    )
