"""Heads of answers that have come before: those of one model differ in their bodies, and the length of these
(docs/decisions/0080)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import httptools

END: Final = b"\r\n\r\n"
LONGEST: Final = 2048
"""Bytes of one that is kept."""

PIPELINED: Final = "x-clary-pipelined"
"""Says how many requests may wait on the connection at once (`toolkit/server/head.py`)."""

_MOST_PIPELINED = 128
BODYLESS = frozenset({204, 304})


class Head(NamedTuple):
    """Of an answer that has a body of a known length, on a connection that stays."""

    status: int
    headers: Mapping[str, str]
    length: int
    depth: int
    """How many requests may wait on the connection, where the answer says so; else 0."""


class _Reading:
    """httptools' callbacks, for one head by itself."""

    def __init__(self) -> None:
        self._headers: dict[str, str] = {}
        self._begun = self._whole = 0
        self._stays = False
        self._parser = httptools.HttpResponseParser(self)

    def read(self, head: bytes) -> Head | None:
        """None for what is no head, more than one, or not the usual."""
        try:
            self._parser.feed_data(head)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return None
        headers, status, length = self._headers, self._parser.get_status_code(), self._length()
        if length is None or self._begun != 1 or self._whole != (not length) or not self._stays:
            return None
        if status < 200 or status in BODYLESS:
            return None
        depth = depth_of(headers.pop(PIPELINED)) if PIPELINED in headers else 0
        return Head(status, headers, length, depth)

    def _length(self) -> int | None:
        text = self._headers.get("content-length", "")
        plain = "transfer-encoding" not in self._headers and text.isascii() and text.isdigit()
        return int(text) if plain else None

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._begun += 1

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        self._headers[name.decode("latin-1").lower()] = value.decode("utf-8", "replace")

    def on_headers_complete(self) -> None:
        """Called by the parser, which forgets it at the end of a message."""
        self._stays = self._parser.should_keep_alive()

    def on_body(self, _body: bytes) -> None:
        """Called by the parser, where the head's end was another: there is more than a head."""
        self._begun += 1

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self._whole += 1


@lru_cache(maxsize=512)
def read_head(head: bytes) -> Head | None:
    """What a head says, its last line's end included; None where it has to be parsed with what follows it."""
    return _Reading().read(head)


def depth_of(text: str) -> int:
    """How many requests may wait on a connection whose server says this by PIPELINED."""
    return max(1, min(int(text), _MOST_PIPELINED)) if text.isascii() and text.isdigit() else 1
