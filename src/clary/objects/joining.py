"""Objects of several parts made objects of one file, for those who need a file: on first use, once."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate

from clary.objects.files import Files
from clary.objects.garbage import discard
from clary.objects.model import ObjectInfo, Piece, dump_pieces, encode_key
from clary.objects.writer import Writer

_RELAY = "UPDATE object SET layout = ? WHERE bucket = ? AND key = ? AND layout = ?"


class Joiner:
    """The object stays the same for everybody: its ETag, its parts and their checksums are where they were."""

    def __init__(self, files: Files, writer: Writer, head: Callable[[str, str], ObjectInfo | None]) -> None:
        self._files, self._writer, self._head = files, writer, head
        self._lock = threading.Lock()

    def whole(self, info: ObjectInfo) -> ObjectInfo:
        """The object with all its parts in one file. Raises FileNotFoundError where it was deleted a while ago."""
        if _is_whole(info):
            return info
        with self._lock:  # two jobs over the same data join it once
            now = self._head(info.bucket, info.key)
            if now is not None and now.etag == info.etag and _is_whole(now):
                return now
            return self._join(info)

    def _join(self, info: ObjectInfo) -> ObjectInfo:
        pieces = info.pieces
        file = self._files.join((self._files.path(piece.file), piece.offset, piece.size) for piece in pieces)
        offsets = accumulate((piece.size for piece in pieces), initial=0)
        joined = tuple(replace(piece, file=file, offset=offset) for piece, offset in zip(pieces, offsets, strict=False))
        self._writer.run(lambda connection: _relay(connection, info, joined))
        return replace(info, layout=dump_pieces(joined))


def _is_whole(info: ObjectInfo) -> bool:
    return len({piece.file for piece in info.pieces}) == 1


def _relay(connection: sqlite3.Connection, info: ObjectInfo, joined: tuple[Piece, ...]) -> None:
    """Let the row name the new file; where the object has changed meanwhile, the new file is not needed for long."""
    where = (info.bucket, encode_key(info.key), info.layout)
    done = connection.execute(_RELAY, (dump_pieces(joined), *where)).rowcount
    discard(connection, {piece.file for piece in (info.pieces if done else joined)})
