"""One large object: sent and read piece by piece over one connection, by presigned URLs, while the server's memory is
watched."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.against_moto.sides import Side
from benchmarks.against_moto.subjects import BUCKET

SIZE = 256 * 2**20
PIECE = 2**20
PUT, GET = "256 MiB put", "256 MiB get"
KINDS = (PUT, GET)
_KEY = "large"
_SECONDS = 300.0
_RESET_PEAK = "5"
"""proc(5), clear_refs: the peak of the resident set is from now on that of now."""


class WrongAnswer(Exception):
    """A server has not taken, or not given, the whole object."""


@dataclass(frozen=True)
class Moved:
    """One transfer."""

    seconds: float
    grown: float
    """MiB: the server's peak above what it held before."""


def move(side: Side, kind: str, block: bytes) -> Moved:
    """`block` is a MiB of the object. Raises WrongAnswer."""
    return put(side, block) if kind == PUT else get(side, block)


def put(side: Side, block: bytes) -> Moved:
    """Until it is acknowledged; the ETag is compared."""
    digest = hashlib.md5(usedforsecurity=False)
    for _ in range(SIZE // PIECE):
        digest.update(block)
    expected = f'"{digest.hexdigest()}"'

    def send(connection: socket.socket) -> None:
        connection.sendall(_head(side, "put_object", f"Content-Length: {SIZE}\r\n"))
        for _ in range(SIZE // PIECE):
            connection.sendall(block)
        response = _answer(connection)
        if response.status != 200 or response.headers["ETag"] != expected:
            raise WrongAnswer(f"{side.title}: {response.status} {response.read()[:300]!r}")

    return _moved(side, send)


def get(side: Side, block: bytes) -> Moved:
    """Until its last byte; the first and last MiB are compared."""
    first, last = bytearray(PIECE), bytearray(PIECE)

    def receive(connection: socket.socket) -> None:
        connection.sendall(_head(side, "get_object", ""))
        response = _answer(connection)
        if response.status != 200 or response.length != SIZE:
            raise WrongAnswer(f"{side.title}: {response.status}, {response.length} bytes")
        _read(response, first)
        for _ in range(SIZE // PIECE - 1):
            _read(response, last)

    moved = _moved(side, receive)
    if bytes(first) != block or bytes(last) != block:
        raise WrongAnswer(f"{side.title}: other bytes than were put")
    return moved


def _read(response: HTTPResponse, into: bytearray) -> None:
    """Fills it. Raises WrongAnswer where there is no more."""
    view = memoryview(into)
    while view:
        count = response.readinto(view)
        if not count:
            raise WrongAnswer("the answer ended early")
        view = view[count:]


def _moved(side: Side, transfer: Callable[[socket.socket], None]) -> Moved:
    before = sum(resident(pid) for pid in side.processes.values())
    for pid in side.processes.values():
        Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)
    with socket.create_connection(("127.0.0.1", side.port), _SECONDS) as connection:
        began = time.perf_counter()
        transfer(connection)
        seconds = time.perf_counter() - began
    peak = sum(resident(pid, "VmHWM") for pid in side.processes.values())
    return Moved(seconds, peak - before)


def _head(side: Side, operation: str, more: str) -> bytes:
    """A request by a URL that is signed now: no two are equal."""
    params = {"Bucket": BUCKET, "Key": _KEY}
    parts = urlsplit(side.client("s3").generate_presigned_url(operation, Params=params, ExpiresIn=600))
    method = operation.partition("_")[0].upper()
    return f"{method} {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n{more}\r\n".encode()


def _answer(connection: socket.socket) -> HTTPResponse:
    response = HTTPResponse(connection)
    response.begin()
    return response


def resident(pid: int, field: str = "VmRSS") -> float:
    """MiB of a process."""
    return next(_fields(pid, field)) / 2**10


def _fields(pid: int, name: str) -> Iterator[int]:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            yield int(line.split()[1])
