"""Processes of models: each of many models has one of its own, so that their modules, their memory and their crashes
are theirs alone.

They are forked from a process that has the framework imported, one thread, and no connection open.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import tempfile
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, NamedTuple

from clary.toolkit.server import serving
from clary.toolkit.server.serving import Service

LoadFolder = Callable[[Path], Service]
"""Loads the model that lies in a folder."""

_MESSAGE_BYTES = 65536
_CANNOT_LOAD = 1
_MOST_SAID = 4096


class Gone(Exception):
    """The process that forks has ended, and all models with it."""


class Started(NamedTuple):
    """A model's process."""

    pid: int
    place: str
    """The Unix socket on which it answers as a model server does, once it has loaded."""


class Forks:
    """The way to the process that forks. Made before this process has threads; used by one thread at a time."""

    def __init__(self, load: LoadFolder) -> None:
        self._folder = tempfile.mkdtemp(prefix="models-")
        self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._count = 0
        child = os.fork()
        if child == 0:
            try:
                self._link.close()
                signal.signal(signal.SIGTERM, signal.SIG_IGN)  # all of a container is told to end: the front says when
                _fork_as_asked(theirs, load)
                shutil.rmtree(self._folder, ignore_errors=True)
            finally:
                os._exit(0)
        self._pid = child
        theirs.close()

    def begin(self, folder: str) -> Started:
        """A process that loads the model in that folder. Raises OSError where none can be had, Gone."""
        self._count += 1
        place = str(Path(self._folder) / str(self._count))
        return Started(self._ask({"begin": folder, "place": place})["pid"], place)

    def end(self, started: Started) -> None:
        """The process is gone when this returns."""
        with contextlib.suppress(Gone):
            self._ask({"end": started.pid})
        for path in (Path(started.place), _failure(started.place)):
            if path.exists():
                path.unlink()

    def why(self, started: Started) -> str:
        """Why it could not load: the error's text and its traceback; empty where it said nothing."""
        said = _failure(started.place)
        return said.read_text(encoding="utf-8", errors="replace") if said.exists() else ""

    def close(self) -> None:
        """All processes end."""
        self._link.close()
        os.waitpid(self._pid, 0)
        shutil.rmtree(self._folder, ignore_errors=True)  # where it was killed it could not

    def _ask(self, message: Dict[str, Any]) -> Dict[str, Any]:
        try:
            self._link.sendall(json.dumps(message).encode())
            raw = self._link.recv(_MESSAGE_BYTES)
        except OSError:
            raw = b""
        if not raw:
            raise Gone("the process that starts models has ended")
        answer: Dict[str, Any] = json.loads(raw)
        if "error" in answer:
            raise OSError(answer["error"])
        return answer


def _failure(place: str) -> Path:
    return Path(place + ".failure")


def _fork_as_asked(link: socket.socket, load: LoadFolder) -> None:
    """Until the other end is closed, however it came to that; then all of them have to end."""
    alive = set()
    while True:
        raw = link.recv(_MESSAGE_BYTES)
        if not raw:
            break
        message = json.loads(raw)
        answer: Dict[str, Any] = {}
        if "begin" in message:
            try:
                answer["pid"] = _fork(link, load, Path(message["begin"]), message["place"])
                alive.add(answer["pid"])
            except OSError as error:
                answer["error"] = str(error)
        else:
            alive.discard(message["end"])
            _kill(message["end"])
        link.sendall(json.dumps(answer).encode())
    for pid in alive:
        _kill(pid)


def _kill(pid: int) -> None:
    """Not reaped by anyone else, so that its id is still its own."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _fork(link: socket.socket, load: LoadFolder, folder: Path, place: str) -> int:
    """The new process's id; its socket takes connections already."""
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    bound.bind(place)
    bound.listen()
    child = os.fork()
    if child == 0:
        code = _CANNOT_LOAD
        try:
            link.close()
            serving.end_with_parent()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            code = serving.work(lambda: _loaded(load, folder, place), bound, alone=True)
        finally:
            os._exit(code)
    bound.close()
    return child


def _loaded(load: LoadFolder, folder: Path, place: str) -> Service:
    try:
        return load(folder)
    except BaseException as error:  # a script may also call sys.exit: whoever asked for the model is told
        text = f"{error}\n{traceback.format_exc()}"
        _failure(place).write_text(text[:_MOST_SAID], encoding="utf-8", errors="replace")
        raise
