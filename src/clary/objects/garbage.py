"""Files and small bodies that no row names any more: removed later, so that a download that has begun can end."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable

from clary.commits import Writer
from clary.objects import small
from clary.objects.files import Files
from clary.objects.model import encode_key, now_ms

GRACE_SECONDS = 120.0
"""A download looks up its files when it begins: one that takes longer than this to open the last of them breaks off."""

ABANDONED_SECONDS = 3600.0
"""A file without a row, made so long ago, is of a request that broke off."""

_ROUND_SECONDS = 30.0
_FIRST_SWEEP_SECONDS = 60.0  # a start has better things to do
_SWEEP_SECONDS = 6 * 3600.0

_log = logging.getLogger(__name__)

_LAYOUT = "SELECT layout FROM object WHERE bucket = ? AND key = ?"


def discard(connection: sqlite3.Connection, files: Iterable[str]) -> None:
    """Within a change: these files are to go."""
    since = now_ms()
    connection.executemany("INSERT OR IGNORE INTO garbage VALUES (?, ?)", [(file, since) for file in files])


def restore(connection: sqlite3.Connection, files: Iterable[str]) -> None:
    """Within a change: these files are to stay."""
    connection.executemany("DELETE FROM garbage WHERE file = ?", [(file,) for file in files])


def discard_object(connection: sqlite3.Connection, bucket: str, key: str) -> None:
    """Within a change: delete the current version for good, if there is one."""
    where = (bucket, encode_key(key))
    row = connection.execute(_LAYOUT, where).fetchone()
    if row:
        discard(connection, [file for file, *_ in json.loads(row[0])])
        connection.execute("DELETE FROM object WHERE bucket = ? AND key = ?", where)


def discard_upload(connection: sqlite3.Connection, upload: str, keep: frozenset[str] = frozenset()) -> None:
    """Within a change: delete the upload and its parts; files in `keep` now belong to an object."""
    files = [file for (file,) in connection.execute("SELECT file FROM part WHERE upload = ?", (upload,)).fetchall()]
    discard(connection, [file for file in files if file not in keep])
    connection.execute("DELETE FROM part WHERE upload = ?", (upload,))
    connection.execute("DELETE FROM upload WHERE id = ?", (upload,))


class Collector:
    """Removes garbage in a thread of its own, and now and then what broken requests have left."""

    def __init__(self, files: Files, writer: Writer, connect: Callable[[], sqlite3.Connection]) -> None:
        self._files, self._writer, self._connect = files, writer, connect
        self._swept = 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="objects-garbage", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread; what is left is removed after the next start."""
        self._closing.set()
        self._thread.join()

    def collect(self, now: float | None = None) -> int:
        """Remove the files whose time has come; how many there were. `now` in epoch seconds."""
        due = round(((time.time() if now is None else now) - GRACE_SECONDS) * 1000)
        files = self._writer.run(lambda c: c.execute("SELECT file FROM garbage WHERE since <= ?", (due,)).fetchall())
        for (file,) in files:
            if not small.is_small(file):
                self._files.remove(file)
        if files:
            self._writer.run(lambda connection: _forget(connection, files))
        return len(files)

    def sweep(self, older_than: float = ABANDONED_SECONDS) -> int:
        """Remove files that no row names and that were made `older_than` seconds ago; how many there were.

        Looks only at those made (or linked once more) since the sweep before.
        """
        before = time.time() - older_than
        # Files first, rows second: one that gets its row in between is seen to have it.
        suspects = {file for file, made in self._files.all() if self._swept <= made <= before}
        lost = suspects - _named(self._connect(), suspects) if suspects else suspects
        for file in lost:
            self._files.remove(file)
        self._swept = before
        return len(lost)

    def _work(self) -> None:
        next_sweep = time.monotonic() + _FIRST_SWEEP_SECONDS
        while not self._closing.is_set():
            try:
                self.collect()
                if time.monotonic() >= next_sweep:
                    next_sweep = time.monotonic() + _SWEEP_SECONDS
                    self.sweep()
            except (OSError, sqlite3.Error):
                _log.exception("files of deleted objects could not be removed; trying again later")
            self._closing.wait(_ROUND_SECONDS)


def _forget(connection: sqlite3.Connection, files: list[tuple[str]]) -> None:
    small.delete(connection, [file for (file,) in files])
    connection.executemany("DELETE FROM garbage WHERE file = ?", files)


def _named(connection: sqlite3.Connection, files: set[str]) -> set[str]:
    """Those of `files` that a row names."""
    rows = connection.execute("SELECT file FROM part UNION ALL SELECT file FROM garbage")
    named = {file for (file,) in rows if file in files}
    layouts = "SELECT layout FROM object UNION ALL SELECT layout FROM version WHERE layout != ''"
    for (layout,) in connection.execute(layouts):
        named.update(file for file, *_ in json.loads(layout) if file in files)
    return named
