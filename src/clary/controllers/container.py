"""Containers as the controllers see them: the only file that calls compute."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from clary.compute.base import Backend, Container, Running, State, Usage
from clary.serving.slots import acknowledged
from clary.store.rows import Key

RETIRE_KIND = "container"
"""Not a kind of row: the key under which the loop sees a container that nobody wants any more."""

RETIRE_GRACE = 30.0
"""SIGTERM to SIGKILL for a replica that is not routed to any more, as on AWS."""

DRAIN_SECONDS = 3660.0
"""A replica that is not routed to any more ends after so long, whatever edges say of it: an asynchronous request may
take an hour (InvocationTimeoutSeconds), and nothing longer than that."""

_ACKNOWLEDGE_SECONDS = 0.05
_ACKNOWLEDGE_LAST_SECONDS = 1.0
"""Edges are looked at ever less often while they are busy."""

_WATCH_SECONDS = 5.0
"""Should an event be missed."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Retiring:
    """A container that nobody wants any more."""

    generation: int
    """Of the routes that name it no more."""
    since: float
    """Seconds of the monotonic clock."""

    def waited(self) -> float:
        """Seconds."""
        return time.monotonic() - self.since


class Containers:
    """Starts, watches and ends containers, and knows which resource each belongs to."""

    def __init__(self, backend: Backend, run_dir: Path, wake: Callable[[Key], None]) -> None:
        self._backend = backend
        self._run_dir = run_dir
        self._wake = wake
        self._lock = threading.Lock()
        self._owners: dict[str, Key] = {}
        self._retiring: dict[str, _Retiring] = {}

    def watch(self) -> None:
        """From now on owners are woken when their containers change."""
        self._backend.watch(self._changed)

    def own(self, container: str, owner: Key) -> None:
        """`owner` is woken when this container changes."""
        with self._lock:
            self._owners[container] = owner

    def owned_by(self, owner: Key) -> set[str]:
        """The containers that `owner` has and that are not retiring."""
        with self._lock:
            return {container for container, key in self._owners.items() if key == owner}

    def start(self, container: str, what: Container, owner: Key) -> None:
        """Start it, unless it was started before. Where it is not `owner`'s any more it ends again.

        Its row may be renamed or deleted while it starts: who then let go of it had nothing to end yet.
        """
        self._backend.start(container, what)
        self.end_unless_owned(container, owner)

    def end_unless_owned(self, container: str, owner: Key) -> None:
        """Let go of what was made for a container that `owner` has lost meanwhile."""
        with self._lock:
            lost = self._owners.get(container) != owner
        if lost:
            self.retire([container])

    def poll(self, container: str) -> State:
        """What it is doing."""
        return self._backend.poll(container)

    def usage(self, container: str) -> Usage | None:
        """What it uses; None where it does not run."""
        return self._backend.usage(container)

    def known(self) -> set[str]:
        """All that are there, running or ended."""
        return set(self._backend.list())

    def stop(self, container: str, grace: float) -> None:
        """SIGTERM now, SIGKILL after `grace` seconds."""
        self._backend.stop(container, grace)

    def retire(self, containers: Iterable[str], generation: int = 0) -> None:
        """End and remove them, once every edge has come to `generation` of the routes and has no request with them, or
        after `DRAIN_SECONDS`."""
        for container in containers:
            key = Key(RETIRE_KIND, "", "", container)
            with self._lock:
                self._owners[container] = key
                before = self._retiring.get(container, _Retiring(0, time.monotonic()))
                self._retiring[container] = _Retiring(max(generation, before.generation), before.since)
            self._wake(key)

    def retire_all_but(self, wanted: Callable[[], set[str]], generation: int) -> None:
        """End and remove those that no row names.

        They are listed before the rows are read: a row names its container before that is started.
        """
        known = set(self._backend.list())
        self.retire(known - wanted(), generation)

    def reconcile(self, key: Key) -> float | None:
        """Bring a retiring container to its end."""
        container = key.name
        with self._lock:
            retiring = self._retiring.get(container)
        if retiring is None:
            return None
        if not self._drained(container, retiring):
            return min(max(_ACKNOWLEDGE_SECONDS, retiring.waited() / 10), _ACKNOWLEDGE_LAST_SECONDS)
        if isinstance(self._backend.poll(container), Running):
            self._backend.stop(container, RETIRE_GRACE)
            return _WATCH_SECONDS
        self._backend.remove(container)
        with self._lock:
            self._retiring.pop(container, None)
            self._owners.pop(container, None)
        return None

    def _drained(self, container: str, retiring: _Retiring) -> bool:
        """Whether no request is with it, or it has had its time."""
        if acknowledged(self._run_dir, retiring.generation, container):
            return True
        if retiring.waited() < DRAIN_SECONDS:
            return False
        _log.warning("container %s ends although an edge may have a request with it", container)
        return True

    def _changed(self, container: str) -> None:
        with self._lock:
            owner = self._owners.get(container)
        if owner is not None:
            self._wake(owner)
