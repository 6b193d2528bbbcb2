"""The writer of a database: what comes too late is refused, and waits for nobody."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from clary.commits import Writer


def opened(folder: Path) -> Writer:
    connection = sqlite3.connect(folder / "a.db", isolation_level=None, check_same_thread=False)
    connection.execute("CREATE TABLE IF NOT EXISTS said (word TEXT)")
    return Writer(connection, "writer")


def test_a_change_after_the_end_is_refused_at_once_and_what_was_asked_for_before_is_kept(tmp_path: Path) -> None:
    writer = opened(tmp_path)
    writer.run(lambda connection: connection.execute("INSERT INTO said VALUES ('a')"))
    writer.close()
    with pytest.raises(RuntimeError, match="closed"):
        writer.run(lambda connection: connection.execute("INSERT INTO said VALUES ('b')"))
    again = opened(tmp_path)
    assert again.run(lambda connection: connection.execute("SELECT word FROM said").fetchall()) == [("a",)]
    again.close()
