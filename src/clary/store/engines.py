"""Connections to SQLite: one that writes, and any number that only read.

SQLite 3.7.0-3.51.2 can damage a database in WAL mode when two connections write or checkpoint at once
(https://sqlite.org/wal.html#walresetbug): hence one writing connection, and `mode=ro` for all others.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, QueuePool, StaticPool, create_engine, event

from clary.store.connections import connect

_READERS = 16


def _connect_writer(database: Path) -> sqlite3.Connection:
    connection = connect(database, "rwc")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")  # an acknowledged write outlives a power failure
    connection.execute("PRAGMA wal_autocheckpoint=1000")
    return connection


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _commit(connection: Connection) -> None:
    """Fails where SQLite has rolled back by itself (a full disk); the driver's own commit would say nothing."""
    connection.exec_driver_sql("COMMIT")


def _within_transaction(connection: Connection, _name: str | None) -> None:
    """A savepoint outside a transaction would begin one of its own, and commit it when it is released."""
    if not connection.connection.in_transaction:
        raise sqlite3.OperationalError("the transaction has been rolled back")


def writing_engine(database: Path) -> Engine:
    """An engine with exactly one connection, which may write."""
    engine = create_engine("sqlite://", creator=lambda: _connect_writer(database), poolclass=StaticPool)
    event.listen(engine, "begin", _begin_immediate)
    event.listen(engine, "savepoint", _within_transaction)
    event.listen(engine, "commit", _commit)
    return engine


def reading_engine(database: Path) -> Engine:
    """An engine whose connections cannot write. The database must be there when the first is used."""
    return create_engine(
        "sqlite://",
        creator=lambda: connect(database, "ro"),
        poolclass=QueuePool,
        pool_size=_READERS,
        max_overflow=_READERS,
        isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,
    )
