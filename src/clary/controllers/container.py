"""Containers as the controllers see them: the only file that calls compute."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from clary.compute.base import Backend, Container, Running, State
from clary.serving.slots import acknowledged
from clary.store.rows import Key

RETIRE_KIND = "container"
"""Not a kind of row: the key under which the loop sees a container that nobody wants any more."""

RETIRE_GRACE = 30.0
"""SIGTERM to SIGKILL for a replica that is not routed to any more, as on AWS."""

_ACKNOWLEDGE_SECONDS = 0.05
_WATCH_SECONDS = 5.0
"""Should an event be missed."""


class Containers:
    """Starts, watches and ends containers, and knows which resource each belongs to."""

    def __init__(self, backend: Backend, run_dir: Path, wake: Callable[[Key], None]) -> None:
        self._backend = backend
        self._run_dir = run_dir
        self._wake = wake
        self._lock = threading.Lock()
        self._owners: dict[str, Key] = {}
        self._retiring: dict[str, int] = {}

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

    def known(self) -> set[str]:
        """All that are there, running or ended."""
        return set(self._backend.list())

    def stop(self, container: str, grace: float) -> None:
        """SIGTERM now, SIGKILL after `grace` seconds."""
        self._backend.stop(container, grace)

    def retire(self, containers: Iterable[str], generation: int = 0) -> None:
        """End and remove them, once every edge has come to `generation` of the routes and has no request with them."""
        for container in containers:
            key = Key(RETIRE_KIND, "", "", container)
            with self._lock:
                self._owners[container] = key
                self._retiring[container] = max(generation, self._retiring.get(container, 0))
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
            generation = self._retiring.get(container)
        if generation is None:
            return None
        if not acknowledged(self._run_dir, generation, container):
            return _ACKNOWLEDGE_SECONDS
        if isinstance(self._backend.poll(container), Running):
            self._backend.stop(container, RETIRE_GRACE)
            return _WATCH_SECONDS
        self._backend.remove(container)
        with self._lock:
            self._retiring.pop(container, None)
            self._owners.pop(container, None)
        return None

    def _changed(self, container: str) -> None:
        with self._lock:
            owner = self._owners.get(container)
        if owner is not None:
            self._wake(owner)
