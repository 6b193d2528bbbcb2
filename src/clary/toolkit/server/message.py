"""Requests and answers, as the model sees them."""

from __future__ import annotations

from typing import Dict, Iterator, NamedTuple, Optional


class Request(NamedTuple):
    """An HTTP request whose body is there; header names in lower case."""

    method: str
    path: str
    headers: Dict[str, str]
    body: bytes


class Response(NamedTuple):
    """An HTTP answer; of one that is still being computed `parts` are the body."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    parts: Optional[Iterator[bytes]] = None


class Refused(Exception):
    """A request that the model does not take: answered with this status and text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
