"""The feeder of pipes of an engine's container: its image need not have a Python, so it is fed from outside
(docs/decisions/0033). One process beside the keeper, which it outlives: were it ended with a keeper that is killed, the
program would read an end of file and take it for the end of its data.

    feeder.lock   held as long as it lives
    feeder.json   {pid}: it feeds; {pid, reason}: it has given up
"""

# ruff: noqa: PTH110, PTH118
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
import traceback
from pathlib import Path
from typing import BinaryIO, NoReturn, Optional

from clary.compute import record
from clary.compute.launch import EngineFeed
from clary.launcher import process
from clary.launcher.guards import Verdict
from clary.toolkit import pipes

LOCK = "feeder.lock"
TOLD = "feeder.json"

_BEGIN_SECONDS = 30.0
_END_SECONDS = 10.0
_PAUSE = 0.01
_HOME_SECONDS = 1.0

_GONE = "The process that feeds the pipes has ended. Start the job again."


class Feeder:
    """That of the container in `folder`, whoever has begun it."""

    def __init__(self, folder: str, feed: EngineFeed) -> None:
        self._folder = folder
        self._feed = feed

    def begin(self) -> None:
        """It feeds afterwards; one that a keeper before has begun is left alone. Raises TimeoutError."""
        deadline = time.monotonic() + _BEGIN_SECONDS
        if record.read(self._folder, TOLD) is None:
            _fork(self._folder, self._feed)
        while record.read(self._folder, TOLD) is None:
            if time.monotonic() > deadline:
                raise TimeoutError("the process that feeds the pipes does not begin")
            time.sleep(_PAUSE)

    def verdict(self) -> Optional[Verdict]:
        """Why the container must end, if it must: what its program reads is not all that there is."""
        told = record.read(self._folder, TOLD) or {}
        if told.get("reason"):
            return Verdict(str(told["reason"]))
        if told and not record.is_locked(self._folder, LOCK) and os.path.exists(os.path.join(self._folder, TOLD)):
            return Verdict(_GONE)
        return None

    def end(self) -> None:
        """It has gone, or is on its way out."""
        told = record.read(self._folder, TOLD)
        deadline = time.monotonic() + _END_SECONDS
        while told and record.is_locked(self._folder, LOCK) and time.monotonic() < deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(told["pid"], signal.SIGKILL)
            time.sleep(_PAUSE)


def _fork(folder: str, feed: EngineFeed) -> None:
    """Nobody's child: no keeper has to wait for it."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        if os.fork() == 0:
            _live(folder, feed)
    except BaseException:
        traceback.print_exc()
    os._exit(0)


def _live(folder: str, feed: EngineFeed) -> NoReturn:
    """Until it is ended, or nobody is left to feed."""
    os.setsid()
    process.default_signals()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # readers may close early
    process.keep_only([])
    if record.take_lock(folder, LOCK) is None:  # a keeper that was killed has begun one
        os._exit(0)
    told = {"pid": os.getpid()}
    record.write(folder, TOLD, told, durable=False)
    threading.Thread(target=_look_at_home, args=[folder], daemon=True).start()

    def give_up(why: str, _sink: Optional[BinaryIO]) -> None:
        """The pipe stays open until the keeper has ended who reads it."""
        record.write(folder, TOLD, {**told, "reason": f"Data download failed: {why}"}, durable=False)
        threading.Event().wait()

    pipes.feed(Path(feed["plans"]), Path(feed["data"]), give_up)
    os._exit(0)


def _look_at_home(folder: str) -> None:
    """A container whose folder was deleted, or that has ended, is fed no more, though no keeper has come to say so."""
    while os.path.exists(os.path.join(folder, record.HANDLE)) and record.read(folder, record.EXIT) is None:
        time.sleep(_HOME_SECONDS)
    os._exit(0)
