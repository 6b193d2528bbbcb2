"""Hearing of containers' ends: a connection to each shim, which closes when the shim has written its record."""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from clary.compute import record, shims

_log = logging.getLogger(__name__)

_SECONDS = 1.0
_SETTLE_SECONDS = 10.0


class Watcher:
    """One thread that calls `on_change(id)` when a followed container may have ended."""

    def __init__(self, on_change: Callable[[str], None]) -> None:
        self._on_change = on_change
        self._lock = threading.Lock()
        self._followed: dict[str, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._wake, self._waker = socket.socketpair()
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="container-watch", daemon=True)
        self._thread.start()

    def follow(self, container: Path) -> None:
        """Hear of this container from now on; where it has ended already, at once."""
        with self._lock:
            if container.name in self._followed:
                return
            followed = self._connect(container)
        if not followed:
            self._tell(container.name)

    def _connect(self, container: Path) -> bool:
        try:
            connection = shims.connect(container, _SECONDS)
        except (FileNotFoundError, TimeoutError):
            return False
        self._followed[container.name] = connection
        self._selector.register(connection, selectors.EVENT_READ, container)
        return True

    def close(self) -> None:
        """End the thread; idempotent."""
        self._waker.close()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._wake:
                    self._let_go()
                    return
                self._forget(key.data.name)
                _settle(key.data)
                self._tell(key.data.name)

    def _forget(self, container_id: str) -> None:
        """A shim never speaks first: whatever is readable is its end."""
        with self._lock:
            connection = self._followed.pop(container_id)
            self._selector.unregister(connection)
            connection.close()

    def _let_go(self) -> None:
        with self._lock:
            for connection in self._followed.values():
                connection.close()
            self._selector.close()
            self._wake.close()

    def _tell(self, container_id: str) -> None:
        try:
            self._on_change(container_id)
        except Exception:
            _log.exception("the end of container %s was not taken note of", container_id)


def _settle(container: Path) -> None:
    """Of a process that was killed, the kernel closes its connections a moment before its lock; on a busy machine
    that moment is long, and who looks before it is over sees a container that runs."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while record.is_locked(str(container)) and record.read(str(container), record.EXIT) is None:
        if time.monotonic() > deadline:
            return
        time.sleep(0.001)
