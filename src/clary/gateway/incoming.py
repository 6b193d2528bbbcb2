"""A request's body as it arrives, with limits on silence and on slowness: read once."""

from __future__ import annotations

import time

from clary.errors import AWSError
from clary.gateway.line import Line
from clary.gateway.refusals import too_large
from clary.within import within

_SLOWEST = 1024
"""Bytes a second that a body has to come at which is held in memory, on the whole and besides the silence that is
allowed: who sends a byte now and then would hold a connection for as long as it likes."""


class ClientGone(Exception):
    """The client hung up before its request was whole: there is nobody to answer."""


class Incoming:
    """One body. `whole` tells whether all of it has been read."""

    def __init__(self, line: Line, idle_seconds: float) -> None:
        self._line = line
        self._idle_seconds = idle_seconds
        self.whole = False

    async def read(self, limit: int) -> bytes:
        """All of it. Raises AWSError (413, RequestTimeout), ClientGone."""
        ahead = self.ahead(limit)
        if ahead is not None:
            return ahead
        parts: list[bytes] = []
        size, began = 0, time.monotonic()
        while not self.whole:
            part = await self.next()
            size += len(part)
            if size > limit:
                raise too_large(limit)
            if time.monotonic() - began > self._idle_seconds + size / _SLOWEST:
                raise _silence()
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def ahead(self, limit: int) -> bytes | None:
        """All of it, where that need not be waited for. Raises AWSError (413)."""
        body = None if self.whole else self._line.ahead()
        if body is not None:
            self.whole = True
            if len(body) > limit:
                raise too_large(limit)
        return body

    async def next(self) -> bytes:
        """The next piece; it may be empty. Raises AWSError (RequestTimeout), ClientGone."""
        try:
            with within(self._idle_seconds):
                message = await self._line.receive()
        except TimeoutError:
            raise _silence() from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        self.whole = not message.get("more_body", False)
        body: bytes = message.get("body", b"")
        return body

    async def gone(self) -> None:
        """Returns when the client has hung up; to be asked only once the body is whole."""
        while (await self._line.receive())["type"] != "http.disconnect":
            pass


def _silence() -> AWSError:
    text = "Your socket connection to the server was not read from or written to within the timeout period."
    return AWSError("RequestTimeout", text)
