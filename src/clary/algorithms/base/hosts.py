"""Several hosts that train one model: they add up what each has found, through the first of them, over plain TCP."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from typing import Any, Callable, Iterator, List, Sequence

import numpy as np

from clary.toolkit.errors import AlgorithmError

Array = Any
"""A numpy array."""

PORT = 27891
_CONNECT_SECONDS = 300.0
_RETRY_SECONDS = 0.1
_EXCHANGE_SECONDS = 3600.0
"""How long one host may be busy with its data before the others give up."""
_LENGTH = struct.Struct("<Q")


class Hosts:
    """This host among its peers; alone, everything is only its own. Raises AlgorithmError where another has gone."""

    def __init__(self, current: str, peers: Sequence[socket.socket] = (), *, first: bool = True) -> None:
        self.current = current
        self.first = first
        """Whether it is the one that writes the model."""
        self.several = bool(peers)
        self._peers = list(peers)

    def total(self, values: Array) -> Array:
        """The sum of every host's array; all have one shape and type."""
        return self._combined(values, lambda arrays: np.sum(arrays, axis=0)) if self.several else values

    def most(self, values: Array) -> Array:
        """The elementwise maximum of every host's array."""
        return self._combined(values, lambda arrays: np.max(arrays, axis=0)) if self.several else values

    def joined(self, values: Array) -> Array:
        """The rows of every host's array, one below the other, in the order of the hosts."""
        if not self.several:
            return values
        return self._combined(values, np.concatenate)

    def agreed(self, values: Array) -> Array:
        """The first host's array, on every host."""
        return self._combined(values, lambda arrays: arrays[0]) if self.several else values

    def _combined(self, values: Array, combine: Callable[[List[Array]], Array]) -> Array:
        """The first host gathers, combines and tells the result."""
        try:
            return self._gathered(values, combine) if self.first else self._told(values)
        except OSError as error:
            raise AlgorithmError(f"Lost the connection between the hosts of this job: {error}") from error

    def _gathered(self, values: Array, combine: Callable[[List[Array]], Array]) -> Array:
        result = combine([values, *(_receive(peer, values) for peer in self._peers)]).astype(values.dtype)
        for peer in self._peers:
            _send(peer, result)
        return result

    def _told(self, values: Array) -> Array:
        _send(self._peers[0], values)
        return _receive(self._peers[0], values)

    def close(self) -> None:
        """End the connections."""
        for peer in self._peers:
            peer.close()


def _send(peer: socket.socket, values: Array) -> None:
    data = np.ascontiguousarray(values).tobytes()
    peer.sendall(_LENGTH.pack(len(data)) + data)


def _receive(peer: socket.socket, like: Array) -> Array:
    """An array of the same type and the same columns; the number of rows may be another."""
    (size,) = _LENGTH.unpack(_exactly(peer, _LENGTH.size))
    return np.frombuffer(_exactly(peer, size), dtype=like.dtype).reshape((-1, *like.shape[1:]))


def _exactly(peer: socket.socket, size: int) -> bytes:
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        count = peer.recv_into(view[done:])
        if count == 0:
            raise ConnectionError("another host has ended")
        done += count
    return bytes(data)


@contextlib.contextmanager
def joined(current: str, hosts: Sequence[str]) -> Iterator[Hosts]:
    """This host, connected: the first (by name) listens, the others come to it. Raises AlgorithmError."""
    ordered = sorted(hosts, key=_by_number)
    try:
        if len(ordered) == 1:
            found = Hosts(current)
        elif current == ordered[0]:
            found = Hosts(current, _gather(ordered))
        else:
            found = Hosts(current, [_join(ordered[0], ordered.index(current))], first=False)
    except OSError as error:
        raise AlgorithmError(f"The hosts of this job cannot reach one another: {error}") from error
    try:
        yield found
    finally:
        found.close()


def _by_number(host: str) -> Any:  # noqa: ANN401 - a key to sort by
    """algo-2 before algo-10."""
    return [int(part) if part.isdigit() else -1 for part in host.replace(".", "-").split("-")], host


def _gather(hosts: Sequence[str]) -> List[socket.socket]:
    """The other hosts' connections, in their order: each tells its place first."""
    places: List[Any] = [None] * len(hosts)
    with socket.create_server((hosts[0], PORT), backlog=len(hosts)) as server:
        server.settimeout(_CONNECT_SECONDS)
        while any(peer is None for peer in places[1:]):
            peer, _ = server.accept()
            _prepare(peer)
            (place,) = _LENGTH.unpack(_exactly(peer, _LENGTH.size))
            places[place if 0 < place < len(places) else 0] = peer
    return places[1:]


def _join(host: str, place: int) -> socket.socket:
    """A connection to the first host, which may start later than this one."""
    end = time.monotonic() + _CONNECT_SECONDS
    while True:
        try:
            peer = socket.create_connection((host, PORT), timeout=_CONNECT_SECONDS)
            break
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(_RETRY_SECONDS)
    _prepare(peer)
    peer.sendall(_LENGTH.pack(place))
    return peer


def _prepare(peer: socket.socket) -> None:
    peer.settimeout(_EXCHANGE_SECONDS)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
