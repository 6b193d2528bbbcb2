"""The object database: SQLite in WAL mode, one writing connection, all others read-only.

SQLite 3.7.0-3.51.2 can corrupt a database when two connections write or checkpoint at once
(https://sqlite.org/wal.html#walresetbug): whoever is not the single writer opens it read-only.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from clary.errors import ClaryError

NAME = "objects.db"

_UPGRADE = "Upgrade Clary, or choose another --data-dir."
_BUSY_SECONDS = 10.0
_CHECKPOINT_PAGES = 4000
"""Of 4 KiB: with bodies among them, 1,000 (SQLite's own choice) are full several times a second."""

_MIGRATIONS = (
    """
    CREATE TABLE bucket (
        name TEXT PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, created INTEGER NOT NULL,
        settings TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE object (
        bucket TEXT NOT NULL, key BLOB NOT NULL, etag TEXT NOT NULL, size INTEGER NOT NULL, modified INTEGER NOT NULL,
        attributes TEXT NOT NULL, layout TEXT NOT NULL,
        PRIMARY KEY (bucket, key)
    ) WITHOUT ROWID;
    CREATE TABLE upload (
        id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, initiated INTEGER NOT NULL,
        principal TEXT NOT NULL, attributes TEXT NOT NULL, algorithm TEXT NOT NULL, declared INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX upload_by_key ON upload (bucket, key, id);
    CREATE TABLE part (
        upload TEXT NOT NULL, number INTEGER NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
        modified INTEGER NOT NULL, checksums TEXT NOT NULL,
        PRIMARY KEY (upload, number)
    ) WITHOUT ROWID;
    CREATE TABLE garbage (file TEXT PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID;
    """,
    """
    ALTER TABLE object ADD COLUMN version TEXT NOT NULL DEFAULT 'null';
    ALTER TABLE object ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE version (
        bucket TEXT NOT NULL, key BLOB NOT NULL, place INTEGER NOT NULL, version TEXT NOT NULL, etag TEXT NOT NULL,
        size INTEGER NOT NULL, modified INTEGER NOT NULL, attributes TEXT NOT NULL, layout TEXT NOT NULL,
        PRIMARY KEY (bucket, key, place DESC)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX null_version ON version (bucket, key) WHERE version = 'null';
    """,
    """
    CREATE TABLE small (file TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
    """,
    """
    ALTER TABLE upload ADD COLUMN overtaken INTEGER NOT NULL DEFAULT 0;
    """,
)
"""One script per version of the schema; a released one never changes. Keys are BLOBs: S3 orders them bytewise.

`object` holds what is there when no version is asked for; `version` all else: older versions, and delete markers, whose
layout is empty. `small` holds the bodies that have no file of their own.
"""


def open_writer(root: Path) -> sqlite3.Connection:
    """The one writing connection, for one thread; the database is made and brought to the newest version.

    Raises ClaryError where a newer Clary has made it.
    """
    (root / NAME).touch(mode=0o600)
    connection = sqlite3.connect(root / NAME, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")  # NORMAL loses acknowledged commits when the power fails
    connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
    _migrate(connection)
    return connection


def open_reader(root: Path) -> sqlite3.Connection:
    """A read-only connection, for one thread. Raises sqlite3.OperationalError while there is no database."""
    location = f"{(root / NAME).absolute().as_uri()}?mode=ro"
    return sqlite3.connect(location, timeout=_BUSY_SECONDS, isolation_level=None, uri=True)


def _migrate(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(_MIGRATIONS):
        raise ClaryError(f"The object store was made by a newer Clary (its schema has version {version}).", _UPGRADE)
    for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version={number}; COMMIT;")
