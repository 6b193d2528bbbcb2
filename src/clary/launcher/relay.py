"""Connections carried from one socket to another, by a thread each: bytes both ways, half-closes too."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from typing import Callable, Dict, Optional, Protocol, Tuple

_PIECE = 262_144
_PARALLEL = 256
_AWAY_SECONDS = 10.0
_RETRY_SECONDS = 0.05

Serve = Callable[[socket.socket], None]


class Stream(Protocol):
    """One end of what is carried: a socket, or what is used as one."""

    def fileno(self) -> int:
        """As a socket's."""
        ...

    def setblocking(self, flag: bool, /) -> None:
        """As a socket's."""
        ...

    def recv(self, size: int, /) -> bytes:
        """As a socket's."""
        ...

    def send(self, data: memoryview, flags: int, /) -> int:
        """As a socket's."""
        ...

    def shutdown(self, how: int, /) -> None:
        """As a socket's. Raises BlockingIOError where its last word has no room yet: it is to be called again then."""
        ...


class Acceptor:
    """Hands each connection of a listening socket to a thread of its own; more than 256 at once wait in the queue."""

    def __init__(self, listener: socket.socket, serve: Serve) -> None:
        self._listener = listener
        self._serve = serve
        self._places = threading.Semaphore(_PARALLEL)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            self._places.acquire()
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # the container has ended
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._serve(connection)
        except OSError:
            return  # one of the two has gone: so has the connection
        finally:
            self._places.release()


class Watching(Protocol):
    """Whose loop tells when there is something to read."""

    def watch(self, source: socket.socket, on_ready: Callable[[socket.socket], None]) -> None:
        """Call when readable."""

    def unwatch(self, source: socket.socket) -> None:
        """No more."""


class Door:
    """As an Acceptor, by a loop that is there anyway: a thread that only waits would cost its memory."""

    def __init__(self, listener: socket.socket, serve: Serve, loop: Watching) -> None:
        self._listener = listener
        self._serve = serve
        self._loop = loop
        self._lock = threading.Lock()
        self._inside = 0
        listener.setblocking(False)
        loop.watch(listener, self._accept)

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # it has gone again
        except OSError:
            self._loop.unwatch(listener)  # the container has ended
            return
        connection.setblocking(True)
        self._enter()
        try:
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()
        except RuntimeError:  # the machine has no room for one more thread
            connection.close()
            self._leave()

    def _enter(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == _PARALLEL:
                self._loop.unwatch(self._listener)

    def _run(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._serve(connection)
        except OSError:
            return  # one of the two has gone: so has the connection
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._lock:
            if self._inside == _PARALLEL:
                self._loop.watch(self._listener, self._accept)
            self._inside -= 1


def to_unix(path: str) -> Serve:
    """Serve a connection by the Unix socket at `path`. A server that is being started anew is waited for."""
    upstream = Upstream(path)

    def serve(connection: socket.socket) -> None:
        with upstream.connect() as server:
            carry(connection, server)

    return serve


class Upstream:
    """A server that may be away for a moment; all connections together wait for it, and no longer than that."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._away_since: Optional[float] = None

    def connect(self) -> socket.socket:
        """Raises OSError where the server has been away for too long."""
        while True:
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                server.connect(self._path)
            except (FileNotFoundError, ConnectionRefusedError):
                server.close()
                if self._too_long(time.monotonic()):
                    raise
                time.sleep(_RETRY_SECONDS)
            else:
                self._away_since = None
                return server

    def _too_long(self, now: float) -> bool:
        self._away_since = now if self._away_since is None else self._away_since
        return now - self._away_since >= _AWAY_SECONDS


def carry(one: Stream, other: Stream) -> None:
    """Bytes in both directions until both have said all, or one fails (OSError)."""
    one.setblocking(False)
    other.setblocking(False)
    with selectors.DefaultSelector() as selector:
        ways = (_Way(one, other), _Way(other, one))
        while not all(way.done for way in ways):
            _watch(selector, ways)
            for key, events in selector.select():
                for way in ways:
                    way.turn(key.fileobj, events)


def _watch(selector: selectors.BaseSelector, ways: Tuple[_Way, ...]) -> None:
    wanted: Dict[Stream, int] = {}
    for way in ways:
        sock, event = way.wants()
        if sock is not None:
            wanted[sock] = wanted.get(sock, 0) | event
    for watched in [key.fileobj for key in selector.get_map().values()]:
        if watched not in wanted:
            selector.unregister(watched)
    for sock, events in wanted.items():
        if sock not in selector.get_map():
            selector.register(sock, events)
        elif selector.get_key(sock).events != events:
            selector.modify(sock, events)


class _Way:
    """One direction: at most one piece is held, so a slow reader slows its writer."""

    def __init__(self, source: Stream, sink: Stream) -> None:
        self._source = source
        self._sink = sink
        self._held = memoryview(b"")
        self._said_all = False
        self.done = False

    def wants(self) -> Tuple[Stream | None, int]:
        if self.done:
            return None, 0
        told = not self._held and not self._said_all
        return (self._source, selectors.EVENT_READ) if told else (self._sink, selectors.EVENT_WRITE)

    def turn(self, sock: object, events: int) -> None:
        wanted, event = self.wants()
        if wanted is not sock or not event & events:
            return
        if event == selectors.EVENT_READ:
            self._read()
        if self._held:
            self._write()
        elif self._said_all:
            self._end()

    def _read(self) -> None:
        try:
            data = self._source.recv(_PIECE)
        except BlockingIOError:
            return
        self._said_all = not data
        self._held = memoryview(data)

    def _write(self) -> None:
        try:
            self._held = self._held[self._sink.send(self._held, socket.MSG_NOSIGNAL) :]
        except BlockingIOError:
            return

    def _end(self) -> None:
        try:
            self._sink.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            return
        self.done = True
