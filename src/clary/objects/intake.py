"""Taking in a body where it arrives: to a new file, fsynced, with its checksums; the row comes later, from control."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, TypeVar

from clary.objects import small
from clary.objects.body import Body, marked, plain_key, received
from clary.objects.checksums import DEFAULT_ALGORITHM, Digest
from clary.objects.customer_keys import key_of_headers
from clary.objects.envelopes import DataKey
from clary.objects.errors import EntityTooLarge
from clary.objects.expectation import Expectation
from clary.objects.files import Files, open_regular
from clary.objects.model import ObjectInfo, Received
from clary.wire.http import HttpRequest

T = TypeVar("T")

Step = Callable[[bytes], object]
"""What is done with each batch."""

MAX_BODY_BYTES = 5 * 2**30
"""Of one PutObject or UploadPart, as on AWS."""

SMALL = 64 * 2**10
"""Bytes of a body that is hashed where it is: sooner done than handed to a thread."""

_BATCH_BYTES = 2**20
_AHEAD = 2
"""Batches that are written and hashed, or wait for that, while the next arrives."""

_THREADS = 16
"""Most of them wait for the disk, which makes many files durable at once."""

_LONGEST_NUMBER = 20  # digits; nothing real is as large


class Intake:
    """Receives streamed bodies into the store under `root`, in any process: the gateway's BodyStore."""

    def __init__(self, root: Path) -> None:
        self._files = Files(root)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="intake")

    def close(self) -> None:
        """End its threads."""
        self._threads.shutdown()

    async def receive(
        self,
        chunks: AsyncIterator[bytes],
        request: HttpRequest,
        data_key: DataKey | None = None,
        *,
        whole: bool = False,
    ) -> dict[str, Any]:
        """Read `chunks` to the end and keep them: a `Received`, as a plain dict, no row names it yet.

        What is small and the `whole` of an object is kept with its row; all else in a file, which is encrypted under
        `data_key`, or under a customer's key where the headers bring one. Raises EntityTooLarge, InvalidArgument for a
        key that is none, BadDigest where a checksum in the request's headers or trailers is not the body's,
        and whatever `chunks` raises; nothing is kept then. Of a large body each batch is written, hashed and summed in
        threads of their own while the next arrives.
        """
        expected, key = Expectation.of(request.headers), data_key or key_of_headers(request.headers)
        _check_announced(request)
        if key is None:
            chunks, body = await _begun(chunks)
            if body is not None:
                return await self._keep(body, request, whole=whole)
        kept = await self.take(
            chunks,
            Digest(expected.algorithm),
            check=lambda kept: expected.check(kept, {**request.headers, **request.trailers}, whole=whole),
            key=plain_key(key),
        )
        return {**marked(kept, key), "declared": expected.declared}

    async def keep(
        self, body: bytes, request: HttpRequest, data_key: DataKey | None = None, *, whole: bool = False
    ) -> dict[str, Any]:
        """`receive` for a body that is here already."""
        if data_key or key_of_headers(request.headers) or len(body) > SMALL:
            return await self.receive(_one(body), request, data_key, whole=whole)
        return await self._keep(body, request, whole=whole)

    async def _keep(self, body: bytes, request: HttpRequest, *, whole: bool) -> dict[str, Any]:
        """One that is hashed here, and costs one hop to a thread where it waits for the disk."""
        expected = Expectation.of(request.headers)
        digest = Digest(expected.algorithm)
        digest.update(body)
        kept = small.taken(body, digest) if whole and len(body) <= small.LARGEST else received("", digest)
        expected.check(kept, {**request.headers, **request.trailers}, whole=whole)
        file = kept["file"] or await self._kept(body)
        return {**kept, "file": file, "declared": expected.declared}

    async def _kept(self, body: bytes) -> str:
        """The file's id; where the request is cancelled the file goes."""
        future = self._threads.submit(self._files.keep, body)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            self._threads.submit(self._remove_made, future)
            raise

    def _remove_made(self, made: Future[str]) -> None:
        wait([made])
        if not made.cancelled() and made.exception() is None:
            self._files.remove(made.result())

    async def take(
        self,
        chunks: AsyncIterator[bytes],
        digest: Digest,
        most: int | None = None,
        check: Callable[[Received], None] | None = None,
        key: bytes | None = None,
    ) -> Received:
        """Read `chunks` to the end and keep them, with what `digest` makes of them, encrypted under `key`; no row
        names them yet.

        Raises EntityTooLarge for more than `most` bytes, and what `chunks` and `check` raise; nothing is kept then.
        """
        body = Body(self._files, digest, key)
        work: list[Future[Any]] = []
        try:
            last = await self._fill(body, chunks if most is None else _limited(chunks, most), work)
            kept = await self._run(work, lambda: body.finish(last))
            if check:
                check(kept)
        except BaseException:  # also where the request was cancelled
            self._threads.submit(_discard, body, work)
            raise
        return kept

    async def linked(self, info: ObjectInfo) -> Received:
        """A second name for the file of an object that came in one piece: as if its bytes had been received again.

        Raises FileNotFoundError where it was deleted a while ago.
        """
        [piece] = info.pieces
        algorithm = next(iter(info.attributes.checksums), DEFAULT_ALGORITHM)
        file = await self._run([], lambda: self._link(piece.file))
        checksums = dict(info.attributes.checksums)
        return Received(file=file, size=info.size, md5=info.etag, algorithm=algorithm, checksums=checksums)

    def _link(self, file: str) -> str:
        with open_regular(self._files.path(file)) as source:
            return self._files.take(source.fileno())

    def forget(self, body: Received) -> None:
        """Remove what was kept."""
        self._threads.submit(self._files.remove, body["file"])

    async def _fill(self, body: Body, chunks: AsyncIterator[bytes], work: list[Future[Any]]) -> bytes:
        """Write all batches but the last, which is returned. Some wait for their turn: MD5, which takes the longest,
        never waits for the next to arrive."""
        steps, last = (body.write, *body.digest.steps()), b""
        async for batch in _batches(chunks):
            if last:
                body.digest.size += len(last)
                work += [self._threads.submit(_after, each, step, last) for each, step in _in_turn(work, steps)]
            last = batch
            while len(work) > _AHEAD * len(steps):
                await asyncio.wrap_future(work[0])
                del work[0]
        await _done(work)
        return last

    async def _run(self, work: list[Future[Any]], step: Callable[[], T]) -> T:
        future = self._threads.submit(step)
        work.append(future)
        return await asyncio.wrap_future(future)


def _check_announced(request: HttpRequest) -> None:
    """Raises EntityTooLarge before anything of it is read."""
    headers = request.headers
    announced = headers.get("x-amz-decoded-content-length") or headers.get("content-length") or "0"
    size = int(announced) if announced.isdecimal() and len(announced) < _LONGEST_NUMBER else 0
    if size > MAX_BODY_BYTES:
        raise EntityTooLarge(size, MAX_BODY_BYTES)


async def _begun(chunks: AsyncIterator[bytes]) -> tuple[AsyncIterator[bytes], bytes | None]:
    """All of it where it is small; else None, and `chunks` as they were."""
    first: list[bytes] = []
    size = 0
    async for chunk in chunks:
        first.append(chunk)
        size += len(chunk)
        if size > small.LARGEST:
            return _chained(first, chunks), None
    return chunks, b"".join(first)


async def _chained(first: list[bytes], chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while first:
        yield first.pop(0)
    async for chunk in chunks:
        yield chunk


async def _one(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body


async def _limited(chunks: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    """Raises EntityTooLarge behind `most` bytes."""
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise EntityTooLarge(size, most)
        yield chunk


def _in_turn(work: list[Future[Any]], steps: tuple[Step, ...]) -> list[tuple[Future[Any] | None, Step]]:
    """Each step with what it comes after: itself, with the batch before. The pool begins what came first first, so that
    whatever is waited for has begun."""
    before: list[Future[Any] | None] = [*work[-len(steps) :]] if work else [None] * len(steps)
    return list(zip(before, steps, strict=True))


def _after(before: Future[Any] | None, step: Step, batch: bytes) -> None:
    """Raises what the step did with the batch before."""
    if before is not None:
        before.result()
    step(batch)


async def _done(work: list[Future[Any]]) -> None:
    for future in work:
        await asyncio.wrap_future(future)


def _discard(body: Body, work: list[Future[Any]]) -> None:
    """Remove the file once no thread writes to it any more."""
    wait(work)
    body.discard()


async def _batches(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Chunks joined to pieces worth a thread's while."""
    gathered: list[bytes] = []
    size = 0
    async for chunk in chunks:
        gathered.append(chunk)
        size += len(chunk)
        if size >= _BATCH_BYTES:
            yield b"".join(gathered)
            gathered, size = [], 0
    if size:
        yield b"".join(gathered)
