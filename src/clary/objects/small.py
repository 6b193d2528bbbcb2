"""Small bodies: in the database beside the rows that name them, durable by the very commit that makes them objects.

A file of its own costs a small body more than all else: a name in a folder and two syncs, where the commits of many are
one sync together. Which bodies are small, and why they are apart from `object`: docs/decisions/0076.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable

from clary.names import random_hex
from clary.objects.checksums import Digest
from clary.objects.model import ObjectInfo, Received

LARGEST = 32 * 2**10
"""Bytes."""

_MARK = "~"
_RANDOM_LETTERS = 20


def is_small(file: str) -> bool:
    """Whether what a piece calls its file is in the database."""
    return file.startswith(_MARK)


def lies_in_files(info: ObjectInfo) -> bool:
    """Whether it has paths."""
    return not any(is_small(piece.file) for piece in info.pieces)


def taken(data: bytes, digest: Digest) -> Received:
    """A body that is kept once its row is written; `digest` has seen it."""
    return Received(
        file=_new_id(),
        size=digest.size,
        md5=digest.md5(),
        algorithm=digest.algorithm,
        checksums=digest.checksums(),
        data=data,
    )


def _new_id() -> str:
    """In the order of time: what comes together is written to the same pages."""
    return f"{_MARK}{time.time_ns() // 1_000_000:012x}{random_hex()[:_RANDOM_LETTERS]}"


def insert(connection: sqlite3.Connection, file: str, data: bytes) -> None:
    """Within a change: keep it; once more is the same."""
    connection.execute("INSERT OR REPLACE INTO small VALUES (?, ?)", (file, data))


def read(connection: sqlite3.Connection, file: str) -> bytes:
    """Raises FileNotFoundError where it was deleted a while ago."""
    row = connection.execute("SELECT data FROM small WHERE file = ?", (file,)).fetchone()
    if row is None:
        raise FileNotFoundError(f"the small body {file} is gone")
    data: bytes = row[0]
    return data


def delete(connection: sqlite3.Connection, files: Iterable[str]) -> None:
    """Within a change: those of `files` that are small go."""
    connection.executemany("DELETE FROM small WHERE file = ?", [(file,) for file in files if is_small(file)])
