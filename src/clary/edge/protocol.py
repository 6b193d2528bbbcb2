"""HTTP/1.1 with a bound on how long and how large a request's head may be: uvicorn has none. And with one on
connections, beyond which new ones are told to come again; those that are there are answered.

Whole heads come in one packet and cost nothing extra; only one that is cut starts a clock.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD = 64 * 2**10
"""Bytes of a head that has not ended: a presigned URL with a session token takes about 3 KiB."""

HEAD_SECONDS = 20.0
"""Replaced by the settings when the edge starts: uvicorn makes one protocol per connection by itself."""


MOST_CONNECTIONS = 2048
"""Likewise."""

_BUSY = b'{"message":"The service is unavailable. Try your call again."}'


class GuardedProtocol(HttpToolsProtocol):
    """One connection."""

    head_seconds = HEAD_SECONDS
    most_connections = MOST_CONNECTIONS

    _in_head = True
    _head_bytes = 0
    _head_clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection that sends nothing at all is cut off like one that sends too slowly."""
        super().connection_made(transport)
        if len(self.connections) > self.most_connections:
            self.app = _busy
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """The clock stops with the connection."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; start or stop the clock by what it has seen."""
        super().data_received(data)
        if not self._in_head:
            return
        self._head_bytes += len(data)
        if self._head_bytes > LONGEST_HEAD:
            self._refuse_head()
        elif self._head_clock is None:
            self._start_clock()

    def on_message_begin(self) -> None:
        """A new head begins."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._stop_clock()
        super().on_headers_complete()

    def _start_clock(self) -> None:
        self._head_clock = self.loop.call_later(self.head_seconds, self._cut_off)

    def _stop_clock(self) -> None:
        if self._head_clock is not None:
            self._head_clock.cancel()
            self._head_clock = None

    def _cut_off(self) -> None:
        self._head_clock = None
        if not self.transport.is_closing():
            self.transport.close()

    def _refuse_head(self) -> None:
        if not self.transport.is_closing():
            self.send_400_response("The request's head is too large.")


async def _busy(_scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401  uvicorn's own
    headers = {"content-type": "application/json", "x-amzn-errortype": "ServiceUnavailable", "retry-after": "1"}
    head = [(name.encode(), value.encode()) for name, value in headers.items()]
    head += [(b"content-length", b"%d" % len(_BUSY)), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 503, "headers": head})
    await send({"type": "http.response.body", "body": _BUSY})
