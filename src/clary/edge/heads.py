"""The bytes before a body: status line and headers (RFC 9112)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from clary.gateway.line import header_text

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PHRASES = {status.value: status.phrase for status in HTTPStatus}

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class BadHeader(Exception):
    """A header whose name is none: what follows it would be read as something else."""


class Date:
    """The `Date` header's line, made anew each second."""

    def __init__(self) -> None:
        self.turn(None)

    def turn(self, now: float | None) -> None:
        """`now` in seconds since 1970; None for the moment."""
        self.line = f"date: {formatdate(now, usegmt=True)}\r\n"


def head(status: int, date: Date, headers: Mapping[str, str], cookies: Iterable[str], *, close: bool) -> bytes:
    """All of it, the empty line too. `close` is for connections that end with this answer. Raises BadHeader."""
    lines = [f"{_known(name)}: {header_text(value)}\r\n" for name, value in headers.items()]
    lines.extend(f"set-cookie: {header_text(cookie)}\r\n" for cookie in cookies)
    if close and "connection" not in headers:
        lines.append("connection: close\r\n")
    return f"{_status(status)}{date.line}{''.join(lines)}\r\n".encode()


@lru_cache(maxsize=600)
def _status(status: int) -> str:
    return f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\n"


@lru_cache(maxsize=1024)
def _known(name: str) -> str:
    """The name, if it is one. Raises BadHeader."""
    if not _TOKEN.fullmatch(name):
        raise BadHeader(name)
    return name
