"""The head of an answer as it travels (RFC 9112)."""

from __future__ import annotations

import functools
import http
from typing import Optional

from clary.toolkit.server.message import Response

PIPELINED = b"x-clary-pipelined"
"""The header by which a connection's first answer says how many requests may wait on it at once (RFC 9112, 9.3.2):
Clary's edge then asks by few connections, and what comes together is read and written together."""
_MOST_WAITING = 128

_REASONS = {status.value: status.phrase.encode() for status in http.HTTPStatus}


def head(response: Response, keep_alive: bool, first: bool) -> bytes:
    """Of a whole answer, or of one whose parts are still to come; `first` is the first on its connection."""
    length = len(response.body) if response.parts is None else None
    return _head(response.status, length, response.content_type, keep_alive, first)


@functools.lru_cache(maxsize=256)
def _head(status: int, length: Optional[int], content_type: str, keep_alive: bool, first: bool) -> bytes:
    """One model's answers have few lengths."""
    lines = b"HTTP/1.1 %d %b\r\n" % (status, _REASONS.get(status, b""))
    lines += b"transfer-encoding: chunked\r\n" if length is None else b"content-length: %d\r\n" % length
    if length != 0:
        lines += b"content-type: %b\r\n" % _header_text(content_type)
    if not keep_alive:
        return lines + b"connection: close\r\n\r\n"
    return lines + (b"%b: %d\r\n\r\n" % (PIPELINED, _MOST_WAITING) if first else b"\r\n")


def _header_text(value: str) -> bytes:
    """A header value cannot hold line ends: a user's function must not write headers of its own."""
    return value.replace("\r", " ").replace("\n", " ").encode("latin-1", "replace")
