"""A page of a bucket with 1,000,000 objects, at any depth: `python -m benchmarks.object_listing`.

The rows are written into the database before the server starts, as empty objects in folders of a thousand. Pages of
1,000 keys, or of 1,000 folders, are asked for by pre-signed requests over one connection: what a client makes of the
answer does not count.
"""

from __future__ import annotations

import argparse
import http.client
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, ended
from clary.objects.schema import NAME
from tests.running import RunningClary

TARGET = 30.0
"""Milliseconds."""

BUCKET = "million"
_OBJECTS, _FOLDER, _AT_ONCE, _PAGE = 1_000_000, 1_000, 50_000, 1_000
_ASKED: dict[str, dict[str, Any]] = {
    "1,000 keys at the beginning": {},
    "1,000 keys from the middle on": {"StartAfter": "folder-000500/000499"},
    "the last 1,000 keys": {"StartAfter": "folder-000998/000999"},
    "1,000 keys of one folder": {"Prefix": "folder-000700/", "Delimiter": "/"},
    "1,000 folders": {"Delimiter": "/"},
}


def main() -> int:
    """1 where the target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.object_listing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="the median counts")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="clary-bench-") as folder, RunningClary(Path(folder) / "data") as clary:
        clary.client("s3").create_bucket(Bucket=BUCKET)
        clary.client("s3").put_object(Bucket=BUCKET, Key="first", Body=b"")
        clary.down()
        fill(clary.data_dir / "objects")
        clary.up()
        figures = [measure(clary, what, asked, rounds) for what, asked in _ASKED.items()]
    return ended(figures)


def fill(root: Path) -> None:
    """The object that is there becomes all others."""
    database = sqlite3.connect(root / NAME)
    columns = [name for _, name, *_ in database.execute("PRAGMA table_info(object)")]
    like = dict(
        zip(columns, database.execute("SELECT * FROM object WHERE bucket = ?", (BUCKET,)).fetchone(), strict=True)
    )
    places = ", ".join("?" * len(columns))
    for first in range(0, _OBJECTS, _AT_ONCE):
        rows = [tuple({**like, "key": key}.values()) for key in _keys(first, first + _AT_ONCE)]
        with database:
            database.executemany(f"INSERT INTO object VALUES ({places})", rows)
    with database:
        database.execute("DELETE FROM object WHERE bucket = ? AND key = ?", (BUCKET, like["key"]))
    database.close()


def _keys(first: int, end: int) -> Iterator[bytes]:
    for number in range(first, end):
        yield f"folder-{number // _FOLDER:06}/{number % _FOLDER:06}".encode()


def measure(clary: RunningClary, what: str, asked: dict[str, Any], rounds: int) -> Figure:
    """A first round does not count."""
    client = clary.client("s3")
    path = _signed(client, asked)
    connection, taken = http.client.HTTPConnection("127.0.0.1", clary.port), []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        taken.append((time.perf_counter() - began) * 1000)
        found = body.count(b"<Key>") + body.count(b"<CommonPrefixes>")
        if (answer.status, found) != (200, _PAGE):
            raise RuntimeError(f"{answer.status}, {found} entries: {body[:300]!r}")
    connection.close()
    figure = Figure(f"{what}, of a bucket with {_OBJECTS:,}", taken[1:], TARGET, "ms")
    print(figure.line(), flush=True)
    return figure


def _signed(client: Any, asked: dict[str, Any]) -> str:
    address: str = client.generate_presigned_url(
        "list_objects_v2", Params={"Bucket": BUCKET, "MaxKeys": _PAGE, **asked}
    )
    return address[address.index("/", len("http://")) :]


if __name__ == "__main__":
    sys.exit(main())
