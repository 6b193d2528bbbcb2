"""What carries one request and its answer: the edge's own HTTP, or any ASGI server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from clary.wire.http import HttpResponse

Message = MutableMapping[str, Any]
"""As ASGI has them: `http.request`, `http.disconnect`; `http.response.start`, `http.response.body`
(https://asgi.readthedocs.io/en/latest/specs/www.html)."""

Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Line(Protocol):
    """One request's."""

    def ahead(self) -> bytes | None:
        """The whole body, where it has arrived and `receive` has told none of it; None where more is to come."""
        ...

    def receive(self) -> Awaitable[Message]:
        """The next piece of the body; after the last one returns when the client has hung up."""
        ...

    def send(self, message: Message) -> Awaitable[None]:
        """A part of an answer that is sent piece by piece."""
        ...

    def reply(self, response: HttpResponse, body: bytes) -> Awaitable[None]:
        """The whole answer: the response's status and headers, and these bytes."""
        ...

    def channel(self) -> Awaitable[int | None]:
        """The client's socket for what comes next of an answer that has begun, for the kernel to write to: another
        descriptor of it, to be closed by the caller. None where there is none: everything goes by `send`."""
        ...

    def copied(self, count: int) -> None:
        """So many bytes of the body went by the channel."""
        ...


class AsgiLine:
    """A request of an ASGI server."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send

    def receive(self) -> Awaitable[Message]:
        """The server's next message."""
        return self._receive()

    def send(self, message: Message) -> Awaitable[None]:
        """For the server."""
        return self._send(message)

    def ahead(self) -> bytes | None:
        """Nobody knows yet."""
        return None

    async def reply(self, response: HttpResponse, body: bytes) -> None:
        """As two messages."""
        await self._send(beginning(response))
        await self._send({"type": "http.response.body", "body": body})

    async def channel(self) -> int | None:
        """The server keeps it."""
        return None

    def copied(self, count: int) -> None:
        """Never."""


def beginning(response: HttpResponse) -> Message:
    """The message that begins an answer."""
    headers = [(name.encode(), header_text(value).encode()) for name, value in response.headers.items()]
    headers += [(b"set-cookie", header_text(cookie).encode()) for cookie in response.cookies]
    return {"type": "http.response.start", "status": response.status, "headers": headers}


def header_text(text: str) -> str:
    """Without line ends: a value that a client chose must not become a header of its own."""
    return text if text.isprintable() else "".join(each for each in text if each.isprintable())
