"""The database of messages: SQLite in WAL mode, one writing connection, which reads as well."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from clary.errors import ClaryError

_UPGRADE = "Upgrade Clary, or choose another --data-dir."
_BUSY_SECONDS = 10.0

_MIGRATIONS = (
    """
    CREATE TABLE message (
        number INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
        attributes TEXT NOT NULL, system TEXT NOT NULL, family TEXT NOT NULL, sent INTEGER NOT NULL,
        due INTEGER NOT NULL, received INTEGER NOT NULL DEFAULT 0, first INTEGER NOT NULL DEFAULT 0,
        receipt TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX message_by_due ON message (queue, due, number);
    CREATE INDEX message_by_number ON message (queue, number);
    CREATE INDEX message_by_sent ON message (queue, sent);
    CREATE TABLE sent_before (
        queue TEXT NOT NULL, said TEXT NOT NULL, until INTEGER NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL,
        PRIMARY KEY (queue, said)
    ) WITHOUT ROWID;
    """,
)
"""One script per version of the schema; a released one never changes. Times are milliseconds since 1970."""


def open_database(path: Path) -> sqlite3.Connection:
    """The one connection; the database is made and brought to the newest version.

    Raises ClaryError where a newer Clary has made it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")  # a message that was acknowledged outlives a power failure
    _migrate(connection)
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(_MIGRATIONS):
        raise ClaryError(f"The messages were written by a newer Clary (their schema has version {version}).", _UPGRADE)
    for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version={number}; COMMIT;")
