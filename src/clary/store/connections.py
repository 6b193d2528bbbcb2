"""Connections of SQLite's own to the database of rows: one that writes, any number that only read."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Literal
from urllib.parse import quote

BUSY_SECONDS = 10.0
"""For a database that is locked, as it is by the first connection after a crash."""


def connect(database: Path, mode: Literal["ro", "rwc"], busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """For one thread at a time. Raises sqlite3.OperationalError while there is no database, in mode `ro`."""
    location = f"file:{quote(str(database.absolute()))}?mode={mode}"
    connection = sqlite3.connect(
        location, uri=True, timeout=busy_seconds, check_same_thread=False, isolation_level=None
    )
    connection.execute("PRAGMA mmap_size=0")
    return connection
