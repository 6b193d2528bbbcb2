"""Heads of requests that have come before: what one client asks again and again differs in its body alone, and the
length of that. Such a head is read once (RFC 9112); then it is looked up as it stands.
"""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional

import httptools

END = b"\r\n\r\n"
_KEPT = 256
_LONGEST = 2048
"""Bytes."""
_NOT_PLAIN = frozenset({"transfer-encoding", "expect", "upgrade", "trailer"})


class Head(NamedTuple):
    """Of a request whose body has a length, on a connection that stays; header names in lower case."""

    method: str
    path: str
    headers: Dict[str, str]
    length: int


class Heads:
    """Those of one listener. Belongs to whichever thread runs its loop."""

    def __init__(self) -> None:
        self._known: Dict[bytes, Optional[Head]] = {}

    def find(self, head: bytes) -> Optional[Head]:
        """What `head` says, its last line's end included; None where it has to be parsed with what follows it."""
        if len(head) > _LONGEST:
            return None
        try:
            return self._known[head]
        except KeyError:
            if len(self._known) >= _KEPT:
                self._known.clear()
            found = self._known[head] = _Reading().read(head)
            return found


class _Reading:
    """httptools' callbacks, for one head by itself."""

    def __init__(self) -> None:
        self._url = b""
        self._headers: Dict[str, str] = {}
        self._begun = self._whole = 0
        self._stays = False
        self._parser = httptools.HttpRequestParser(self)

    def read(self, head: bytes) -> Optional[Head]:
        """None for what is no head, more than one, or not the usual."""
        try:
            self._parser.feed_data(head)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return None
        length = self._length()
        if length is None or self._begun != 1 or self._whole != (not length) or not self._stays:
            return None
        path = self._url.partition(b"?")[0].decode("latin-1")
        return Head(self._parser.get_method().decode("latin-1"), path, self._headers, length)

    def _length(self) -> Optional[int]:
        text = self._headers.get("content-length", "0")
        plain = _NOT_PLAIN.isdisjoint(self._headers) and text.isascii() and text.isdigit()
        return int(text) if plain else None

    def on_message_begin(self) -> None:
        self._begun += 1

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._stays = self._parser.should_keep_alive()  # the parser forgets it at the end of a message

    def on_body(self, _body: bytes) -> None:
        self._begun += 1  # its own end was another: there is more than a head

    def on_message_complete(self) -> None:
        self._whole += 1
