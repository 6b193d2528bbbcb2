"""Containers of this machine, each with a process of its own beside it: a shim, or a keeper where an engine runs it.

The backend writes what to run into the container's folder, asks the launcher once, and from then on only reads records
and talks to that process. It keeps nothing that a crash could lose.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from clary.compute import record, shims, tries
from clary.compute.base import Absent, Container, Exited, Lost, Running, State, Usage, folder
from clary.compute.launch import Launch
from clary.compute.removal import remove
from clary.compute.watch import Watcher
from clary.errors import ClaryError
from clary.settings import Settings

_log = logging.getLogger(__name__)

_ASK_SECONDS = 60.0  # a launcher that was killed is back in a moment; on a machine with much else to do it takes some
_ANSWER_SECONDS = 10.0
_ASK_AGAIN_SECONDS = 0.1
_RESUME_SECONDS = 1.0
_SHIM_SECONDS = 5.0
_KILL_SECONDS = 60.0  # an engine of a busy machine takes some
_USAGE_SECONDS = 5.0
_CANNOT_BEGIN = 126


class Planner(Protocol):
    """How containers are to be run."""

    def check(self) -> None:
        """Raises ClaryError where this machine can run none."""
        ...

    def plan(self, place: Path, container: Container) -> Launch:
        """The document for the container whose folder is `place`.

        Raises FileNotFoundError where a mount's source is not there, ClaryError where this machine cannot run it."""
        ...


class LocalBackend:
    """Implements `compute.base.Backend`. The launcher listens at `settings.run_dir / "launcher.sock"`."""

    def __init__(self, settings: Settings, planner: Planner) -> None:
        self._settings = settings
        self._planner = planner
        self._watcher: Watcher | None = None
        self._closed = threading.Event()

    def check(self) -> None:
        """Find out now, not with the first container. Raises ClaryError where this machine can run none."""
        self._planner.check()

    def start(self, container_id: str, container: Container) -> None:
        """As the protocol. A mount that is not there ends the container with that reason; OSError where the launcher
        does not answer for a minute, or this backend is closed before."""
        place = self._folder(container_id)
        if not isinstance(_state(place), Absent):
            return
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            document = self._planner.plan(place, container)
        except FileNotFoundError as missing:
            _never_ran(place, str(missing))
        else:
            record.write(str(place), record.LAUNCH, dict(document), durable=False)
            self._ask_launcher({"op": "start", "id": container_id})
        if self._watcher:
            self._watcher.follow(place)

    def poll(self, container_id: str) -> State:
        """As the protocol; some 20 µs."""
        return _state(self._folder(container_id))

    def usage(self, container_id: str) -> Usage | None:
        """As the protocol; None also where the process beside it does not answer within 5 seconds."""
        try:
            with shims.connect(self._folder(container_id), _USAGE_SECONDS) as shim:
                shims.ask(shim, {"op": "usage"})
                told, _ = shims.answer(shim)
        except OSError:
            return None
        if "cpu_seconds" not in told:
            return None
        return Usage(told["seconds"], told["cpu_seconds"], told["memory_bytes"], told["disk_bytes"])

    def stop(self, container_id: str, grace: float) -> None:
        """As the protocol: the shim counts the grace."""
        self._tell(container_id, {"op": "stop", "grace": grace})

    def enter(self, container_id: str, argv: Sequence[str], streams: tuple[int, int, int]) -> int:
        """As the protocol; 137 where the container ends first."""
        if not isinstance(self.poll(container_id), Running):
            raise FileNotFoundError(f"container {container_id} does not run")
        with shims.connect(self._folder(container_id), _SHIM_SECONDS) as shim:
            shims.ask(shim, {"op": "enter", "argv": list(argv), "term": os.environ.get("TERM", "dumb")}, streams)
            shim.settimeout(None)
            try:
                answer, _ = shims.answer(shim)
            except FileNotFoundError:
                return 128 + signal.SIGKILL
        if "code" not in answer:
            raise FileNotFoundError(f"container {container_id} is not ready")
        return int(answer["code"])

    def remove(self, container_id: str) -> None:
        """As the protocol. Raises TimeoutError where the kernel does not let it end within 60 seconds."""
        place = self._folder(container_id)
        self._tell(container_id, {"op": "kill"})
        deadline = time.monotonic() + _KILL_SECONDS
        while record.is_locked(str(place)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"container {container_id} does not end")
            time.sleep(0.002)
        if place.exists():
            (place / record.HANDLE).unlink(missing_ok=True)  # first: without its end it would look abandoned
            _delete(place)

    def list(self) -> Iterable[str]:
        """As the protocol."""
        try:
            return sorted(entry.name for entry in os.scandir(self._settings.containers_dir) if entry.is_dir())
        except FileNotFoundError:
            return []

    def watch(self, on_change: Callable[[str], None]) -> None:
        """As the protocol; once."""

        def hear(container_id: str) -> None:
            on_change(container_id)
            if is_abandoned(self._folder(container_id)):
                threading.Thread(target=self._resume, args=[container_id], daemon=True).start()

        self._watcher = Watcher(hear)
        for container_id in self.list():
            if isinstance(self.poll(container_id), Running):
                self._watcher.follow(self._folder(container_id))

    def close(self) -> None:
        """As the protocol."""
        self._closed.set()
        if self._watcher:
            self._watcher.close()

    def _folder(self, container_id: str) -> Path:
        return folder(self._settings.containers_dir, container_id)

    def _tell(self, container_id: str, message: dict[str, Any]) -> None:
        """Say it to the shim, if there is one: the message is in its queue when this returns."""
        place = self._folder(container_id)
        if is_abandoned(place):
            self._ask_launcher({"op": "start", "id": container_id})
        try:
            with shims.connect(place, _SHIM_SECONDS) as shim:
                shims.ask(shim, message)
        except FileNotFoundError:
            return

    def _resume(self, container_id: str) -> None:
        """An engine's container whose keeper has gone gets another, however long the launcher is away. Keepers that
        fail come at growing intervals, until one of them, or the launcher's refusals, give the container an end."""
        place, refused = self._folder(container_id), 0
        self._closed.wait(tries.pause(tries.count(str(place))))
        while is_abandoned(place) and not self._closed.is_set():
            try:
                self._ask_launcher({"op": "start", "id": container_id})
            except OSError as error:
                _log.warning("container %s has no keeper yet: %s", container_id, error)
                self._closed.wait(_RESUME_SECONDS)
            except ClaryError as error:
                refused += 1
                _log.warning("container %s has no keeper yet: %s", container_id, error)
                if refused >= tries.MOST:
                    _abandon(place, str(error))
                self._closed.wait(tries.pause(refused))
        if self._watcher and place.exists() and not self._closed.is_set():
            self._watcher.follow(place)

    def _ask_launcher(self, request: dict[str, Any]) -> None:
        """Ask until it answers: starting is idempotent, and a launcher that was killed is back in a moment."""
        deadline = time.monotonic() + _ASK_SECONDS
        while True:
            try:
                answer = _exchange(self._settings.run_dir, request)
                break
            except OSError:
                if time.monotonic() > deadline or self._closed.wait(_ASK_AGAIN_SECONDS):
                    raise
        if "error" in answer:
            raise ClaryError(f"The launcher could not start container {request['id']}: {answer['error']}.")


def _exchange(run_dir: Path, request: dict[str, Any]) -> dict[str, Any]:
    directory = os.open(run_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(_ANSWER_SECONDS)
            sock.connect(f"/proc/self/fd/{directory}/launcher.sock")
            sock.sendall(json.dumps(request).encode() + b"\n")
            with sock.makefile("rb") as file:
                line = file.readline()
    finally:
        os.close(directory)
    if not line.endswith(b"\n"):
        raise ConnectionResetError("the launcher went away")
    loaded: dict[str, Any] = json.loads(line)
    return loaded


def is_abandoned(place: Path) -> bool:
    """Whether an engine has the container, and nobody stands beside it."""
    here = str(place)
    handle = record.read(here, record.HANDLE)
    if not handle or not handle.get("engine") or record.is_locked(here):
        return False
    return not (place / record.EXIT).exists() and (place / record.HANDLE).exists()


def _state(place: Path) -> State:
    """The handle is read first: written under the lock, it tells one that has lost its shim from one that is begun
    between two of these looks."""
    here = str(place)
    handle = record.read(here, record.HANDLE)
    ended = record.read(here, record.EXIT)
    if ended is None and record.is_locked(here):
        handle = handle or record.read(here, record.HANDLE)
        return Running(since=handle["since"] if handle else time.time())
    ended = ended or record.read(here, record.EXIT)  # it may have ended between the two looks
    if ended is not None:
        return Exited(
            at=ended["at"],
            code=ended["code"],
            signal=ended["signal"],
            out_of_memory=ended["oom"],
            reason=ended["reason"],
            since=ended["since"],
        )
    if not handle or not (place / record.HANDLE).exists():  # it may just be being removed
        return Absent()
    return Running(since=handle["since"]) if handle.get("engine") else Lost()


def _abandon(place: Path, why: str) -> None:
    """Nobody can stand beside it: it has an end here, and the engine is cleared by the next keeper of another."""
    lock = record.take_lock(str(place))
    if lock is not None:
        _never_ran(place, why)
        os.close(lock)
        (place.parent.parent / record.LEFT).touch()


def _never_ran(place: Path, reason: str) -> None:
    now = time.time()
    ended = {"code": _CANNOT_BEGIN, "signal": None, "oom": False, "reason": reason, "at": now, "since": None}
    record.write(str(place), record.EXIT, {"protocol": record.PROTOCOL, **ended})


def _delete(place: Path) -> None:
    """All of it. Raises OSError where something stays."""
    remove(str(place))
    if place.exists():
        raise OSError(f"{place} cannot be removed")
