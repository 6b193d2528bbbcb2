"""A full disk, by whichever library it is told, and what a client is told of it."""

from __future__ import annotations

import errno
import sqlite3

from clary.errors import ServiceUnavailable

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Of the disk, or of what the user may have of it."""

_SHARED_MEMORY = 4874
"""SQLITE_IOERR_SHMSIZE: the index of a write-ahead log could not grow."""


class DiskFull(ServiceUnavailable):
    """SDKs try again on their own, and then show the text."""

    def __init__(self) -> None:
        super().__init__("No space is left on the disk where Clary keeps its data.")


def is_full(error: BaseException | None) -> bool:
    """Whether that is what went wrong, or what came first (https://sqlite.org/rescode.html#full)."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            return True
        if isinstance(error, sqlite3.Error) and _says_full(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _says_full(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_FULL or code == _SHARED_MEMORY
