"""HTTP requests as bytes, so that every server is asked with the very ones that its load consists of."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Mapping

SECONDS = 60.0
"""A peer's first prediction may take long."""


def post(port: int, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """A whole request over a connection that is kept."""
    return whole("POST", port, path, body, headers)


def whole(method: str, port: int, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """The same, of any method."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def answer(port: int, request: bytes) -> tuple[int, bytes]:
    """Status and body. Raises OSError, HTTPException where there is no answer."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        connection.sendall(request)
        response = http.client.HTTPResponse(connection, method="POST")
        response.begin()
        return response.status, response.read()
