"""Sending an answer: its head, and its body from memory; what is in files, or still being made, goes piece by piece."""

from __future__ import annotations

from clary.gateway.incoming import Incoming
from clary.gateway.line import Line
from clary.gateway.pieces import PieceByPiece, read_all
from clary.wire.http import EMPTY_BODY_STATUSES, Extent, HttpResponse

_AT_ONCE = 64 * 1024
"""A body this small is read where it is sent: the page cache answers sooner than a thread."""


class Outgoing:
    """Sends answers; one per process."""

    def __init__(self, idle_seconds: float) -> None:
        self._pieces = PieceByPiece(idle_seconds)

    def close(self) -> None:
        """End its threads."""
        self._pieces.close()

    async def send(self, line: Line, response: HttpResponse, incoming: Incoming, *, head_only: bool) -> None:
        """Raises OSError before anything is sent where a file of the body is gone."""
        body = response.body
        if head_only or response.status in EMPTY_BODY_STATUSES:
            await line.reply(response, b"")
        elif isinstance(body, bytes):
            await line.reply(response, body)
        elif not isinstance(body, Extent):
            await self._pieces.flowing(line, response, body, incoming)
        elif body.size <= _AT_ONCE:
            await line.reply(response, read_all(body))
        else:
            await self._pieces.of_files(line, response, body, incoming)
