"""Objects of several parts made objects of one file, for who needs a file: large ones soon, others on first use."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import accumulate

from clary.commits import Writer
from clary.objects.files import Files
from clary.objects.garbage import discard
from clary.objects.model import ObjectInfo, Piece, dump_pieces
from clary.objects.versions import rewrite

LARGE_BYTES = 64 * 2**20
"""Whoever uploads so much wants to train with it; less is joined while nobody notices."""

_ROOM = 4
"""So many times its size must be free on the disk, for one to be joined before it is asked for."""

_THREADS = 2

_log = logging.getLogger(__name__)


class Joiner:
    """`again` reads an object's row anew, None where it is there no more.

    The object stays the same for everybody: its ETag, its parts and their checksums are where they were.

    The new file can be read as soon as it is copied. The row names it, and the parts go, once it is durable: a crash
    before leaves a file that nobody names, which is swept.
    """

    def __init__(self, files: Files, writer: Writer, again: Callable[[ObjectInfo], ObjectInfo | None]) -> None:
        self._files, self._writer, self._again = files, writer, again
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[ObjectInfo]] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="objects-joining")

    def close(self) -> None:
        """Wait until what was copied is durable and named."""
        for future in list(self._under_way.values()):
            future.exception()
        self._threads.shutdown()

    def soon(self, info: ObjectInfo) -> None:
        """It has just been uploaded: if it is large, begin."""
        if info.size < LARGE_BYTES or info.attributes.sealed or _is_whole(info):
            return
        if self._files.free() >= _ROOM * info.size:
            self._joining(info)

    def whole(self, info: ObjectInfo) -> ObjectInfo:
        """The object with all its parts in one file. Raises FileNotFoundError where it was deleted a while ago, OSError
        where the disk is full."""
        if _is_whole(info):
            return info
        return self._joined(info) or self._joining(info).result()

    def _joined(self, info: ObjectInfo) -> ObjectInfo | None:
        """The object as it is by now, where that is of one file."""
        now = self._again(info)
        return now if now is not None and now.etag == info.etag and _is_whole(now) else None

    def _joining(self, info: ObjectInfo) -> Future[ObjectInfo]:
        """One for all who want the same parts."""
        with self._lock:
            if info.layout not in self._under_way:
                self._under_way[info.layout] = self._threads.submit(self._join, info)
            return self._under_way[info.layout]

    def _join(self, info: ObjectInfo) -> ObjectInfo:
        """Unless it was done while this was asked for."""
        pieces = info.pieces
        try:
            done = self._joined(info)
            if done is not None:
                self._forget(info)
                return done
            file = self._files.join((self._files.path(piece.file), piece.offset, piece.size) for piece in pieces)
        except BaseException:
            self._forget(info)
            raise
        offsets = accumulate((piece.size for piece in pieces), initial=0)
        joined = tuple(replace(piece, file=file, offset=offset) for piece, offset in zip(pieces, offsets, strict=False))
        self._threads.submit(self._settle, info, joined)
        return replace(info, layout=dump_pieces(joined))

    def _settle(self, info: ObjectInfo, joined: tuple[Piece, ...]) -> None:
        try:
            self._files.sync(joined[0].file)
            self._writer.run(lambda connection: _relay(connection, info, joined))
        except (OSError, sqlite3.Error):
            _log.exception("the parts of s3://%s/%s stay as they are", info.bucket, info.key)
        finally:
            self._forget(info)

    def _forget(self, info: ObjectInfo) -> None:
        with self._lock:
            del self._under_way[info.layout]


def _is_whole(info: ObjectInfo) -> bool:
    return len({piece.file for piece in info.pieces}) == 1


def _relay(connection: sqlite3.Connection, info: ObjectInfo, joined: tuple[Piece, ...]) -> None:
    """Let the row name the new file; where the object has changed meanwhile, the new file is not needed for long."""
    done = rewrite(connection, info, "layout", dump_pieces(joined))
    discard(connection, {piece.file for piece in (info.pieces if done else joined)})
