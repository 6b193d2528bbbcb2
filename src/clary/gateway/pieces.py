"""Bodies that are sent piece by piece: from files, copied by the kernel or read in threads, or as they are made."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from clary.gateway import copying
from clary.gateway.copying import Copy
from clary.gateway.incoming import Incoming
from clary.gateway.line import Line, beginning
from clary.wire.http import Extent, Flow, HttpResponse

PIECE = 512 * 1024
"""Bytes read and sent at a time: large enough that the hop to a thread is small beside it."""


class PieceByPiece:
    """Sends such bodies; one per process."""

    def __init__(self, idle_seconds: float, threads: int = 8) -> None:
        self._idle_seconds = idle_seconds
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="outgoing")

    def close(self) -> None:
        """End its threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def of_files(self, line: Line, response: HttpResponse, body: Extent, incoming: Incoming) -> None:
        """Raises OSError before anything is sent where a file is gone."""
        if body.made is not None or body.size < copying.LEAST:
            await self._read(line, response, body, incoming)
        elif not await self._copied(line, response, body):
            await self._read(line, None, body, incoming)

    async def _copied(self, line: Line, response: HttpResponse, body: Extent) -> bool:
        """By the kernel; False where the line has no socket for it, and has only begun."""
        copy, channel = Copy(body.segments), None
        try:
            await self._run(copy.open)
            await line.send(beginning(response))
            channel = await line.channel()
            if channel is None:
                return False
            await self._copy(copy, channel)
            line.copied(body.size)
            await line.send({"type": "http.response.body", "body": b""})
        except ConnectionError:  # the client has gone: its connection ends unanswered
            return True
        finally:
            self._threads.submit(_let_go, copy, channel)
        return True

    async def _copy(self, copy: Copy, channel: int) -> None:
        while not copy.done:
            await self._run(lambda: copy.burst(channel))
            if not copy.done:
                async with asyncio.timeout(self._idle_seconds):
                    await copying.writable(channel)

    async def _run(self, step: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, step)

    async def _read(self, line: Line, response: HttpResponse | None, body: Extent, incoming: Incoming) -> None:
        """The next piece is read while one is sent; `response` is None where it has begun."""
        pieces = self._pieces(body)
        first = await anext(pieces)
        gone = asyncio.ensure_future(incoming.gone()) if incoming.whole else None
        try:
            if response is not None:
                await line.send(beginning(response))
            await self._part(line, first)
            async for piece in pieces:
                if gone and gone.done():
                    return
                await self._part(line, piece)
            await line.send({"type": "http.response.body", "body": b""})
        finally:
            await pieces.aclose()
            if gone:
                gone.cancel()
                with suppress(asyncio.CancelledError):
                    await gone

    async def flowing(self, line: Line, response: HttpResponse, flow: Flow, incoming: Incoming) -> None:
        """Each piece as soon as it is there, no faster than the client reads; one that hangs up ends the making."""
        gone = asyncio.ensure_future(incoming.gone())
        try:
            await line.send(beginning(response))
            while piece := await _next(flow, gone):
                await self._part(line, piece)
            await line.send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            await asyncio.wait({gone})
            await flow.aclose()

    async def _part(self, line: Line, piece: bytes) -> None:
        """A client that does not read for too long is let go: TimeoutError ends the connection."""
        async with asyncio.timeout(self._idle_seconds):
            await line.send({"type": "http.response.body", "body": piece, "more_body": True})

    async def _pieces(self, body: Extent) -> AsyncGenerator[bytes, None]:
        """The next piece is read while one is being sent."""
        reader = _Reader(body)
        loop = asyncio.get_running_loop()
        ahead = loop.run_in_executor(self._threads, reader.next)
        try:
            while piece := await ahead:
                ahead = loop.run_in_executor(self._threads, reader.next)
                yield piece
        finally:
            with suppress(OSError, asyncio.CancelledError):
                await ahead
            reader.close()


class _Reader:
    """Reads an extent from its start to its end; may be closed while a thread still reads."""

    def __init__(self, body: Extent) -> None:
        self._busy = threading.Lock()
        self._closed = False
        self._segments = iter(body.segments)
        self._made = body.made() if body.made else None
        self._descriptor = -1
        self._offset = self._left = 0

    def next(self) -> bytes:
        """The next piece, empty at the end. Raises OSError where a file is gone or shorter than it was."""
        with self._busy:
            return self._next()

    def _next(self) -> bytes:
        if self._made is not None:
            return b"" if self._closed else next(self._made, b"")
        while not self._left:
            segment = None if self._closed else next(self._segments, None)
            self._close_file()
            if segment is None:
                return b""
            path, self._offset, self._left = segment
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        piece = os.pread(self._descriptor, min(PIECE, self._left), self._offset)
        if not piece:
            raise OSError("a file of the body is shorter than it was")
        self._offset += len(piece)
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Reads after this are empty."""
        with self._busy:
            self._closed, self._left = True, 0
            self._close_file()

    def _close_file(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _let_go(copy: Copy, channel: int | None) -> None:
    """Once no thread copies any more."""
    copy.close()
    if channel is not None:
        os.close(channel)


async def _next(flow: Flow, gone: asyncio.Future[None]) -> bytes:
    """The next piece; empty at the end, and where the client has gone."""
    coming = asyncio.ensure_future(_piece(flow))
    either: tuple[asyncio.Future[Any], ...] = (coming, gone)
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return b"" if gone.done() else coming.result()
    finally:
        if not coming.done():
            coming.cancel()
            await asyncio.wait({coming})


async def _piece(flow: Flow) -> bytes:
    return await anext(flow, b"")


def read_all(body: Extent) -> bytes:
    """A body that is small. Raises OSError where a file is gone or shorter than it was."""
    if body.made is not None:
        return b"".join(body.made())
    return b"".join([_stretch(*segment) for segment in body.segments])


def _stretch(path: Path, offset: int, length: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.pread(descriptor, length, offset)
    finally:
        os.close(descriptor)
    if len(data) != length:
        raise OSError("a file of the body is shorter than it was")
    return data
