"""The head of an answer as it travels (RFC 9112)."""

from __future__ import annotations

import http

from clary.toolkit.server.message import Response

PIPELINED = b"x-clary-pipelined"
"""The header by which a connection's first answer says how many requests may wait on it at once (RFC 9112, 9.3.2):
Clary's edge then asks by few connections, and what comes together is read and written together."""
_MOST_WAITING = 128

_REASONS = {status.value: status.phrase.encode() for status in http.HTTPStatus}


def head(response: Response, keep_alive: bool, first: bool) -> bytes:
    """Of a whole answer, or of one whose parts are still to come; `first` is the first on its connection."""
    status = response.status
    reason = _REASONS.get(status, b"")
    if response.parts is None:
        lines = b"HTTP/1.1 %d %b\r\ncontent-length: %d\r\n" % (status, reason, len(response.body))
    else:
        lines = b"HTTP/1.1 %d %b\r\ntransfer-encoding: chunked\r\n" % (status, reason)
    if response.body or response.parts is not None:
        lines += b"content-type: %b\r\n" % _header_text(response.content_type)
    if not keep_alive:
        return lines + b"connection: close\r\n\r\n"
    return lines + (b"%b: %d\r\n\r\n" % (PIPELINED, _MOST_WAITING) if first else b"\r\n")


def _header_text(value: str) -> bytes:
    """A header value cannot hold line ends: a user's function must not write headers of its own."""
    return value.replace("\r", " ").replace("\n", " ").encode("latin-1", "replace")
