"""A page of 1,000 keys of a bucket with 1,000,000 objects, wherever it begins: `python -m benchmarks.object_listing`.

Over the wire the objects would take an hour, so that their rows are written before the server starts, by the very
function that PutObject ends with; all of them name one file. A second bucket has four versions of each of 62,500
keys, every fourth of which is deleted. Pages are asked for by signed requests on one connection, and their answers
read to the end; each must have as many entries as it should.
"""

from __future__ import annotations

import argparse
import hashlib
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.figures import Figure, ended
from clary.objects.model import Attributes, ObjectInfo, Piece, dump_pieces
from clary.objects.objects import put_object, require_bucket
from clary.objects.schema import open_writer
from clary.objects.store import ObjectStore
from clary.objects.versions import delete_current
from clary.settings import Settings
from tests.running import RunningClary

TARGET = 30.0
"""Milliseconds."""

PLAIN, VERSIONED = "plain", "versioned"
COUNT = 1_000_000
KEYS, VERSIONS = 62_500, 4
"""Of the second bucket."""
_AT_ONCE = 62_500
_REGION = "us-east-1"
_ETAG = hashlib.md5(b"", usedforsecurity=False).hexdigest()
_ATTRIBUTES = Attributes(checksums={"CRC64NVME": "AAAAAAAAAAA="})
_SIZE = 10_240


@dataclass(frozen=True)
class Page:
    """What is asked for, and what comes: entries are keys, groups or versions."""

    title: str
    bucket: str
    query: dict[str, str]
    entries: int = 1000


def key(number: int) -> str:
    """Three levels of folders: 10 × 10 × 100 of them, of 100 objects each."""
    return f"year={number // 100_000}/month={number // 10_000 % 10}/part-{number // 100 % 100:02d}/{number:07d}.parquet"


def pages() -> Iterator[Page]:
    """All that are measured."""
    yield Page("from the beginning", PLAIN, {})
    yield Page("from the middle", PLAIN, {"start-after": key(COUNT // 2)})
    yield Page("to the end", PLAIN, {"start-after": key(COUNT - 1001)})
    yield Page("of a prefix", PLAIN, {"prefix": "year=7/month=3/"})
    yield Page("of a prefix, from its middle", PLAIN, {"prefix": "year=7/", "start-after": key(750_000)})
    yield Page("years, by the delimiter", PLAIN, {"delimiter": "/"}, 10)
    yield Page("months, by the delimiter", PLAIN, {"delimiter": "/", "prefix": "year=7/"}, 10)
    yield Page("parts, by the delimiter", PLAIN, {"delimiter": "/", "prefix": "year=7/month=3/"}, 100)
    yield Page("objects of a part, by the delimiter", PLAIN, {"delimiter": "/", "prefix": key(730_000)[:24]}, 100)
    yield Page("1,000 groups of 100 objects", PLAIN, {"delimiter": "/0", "prefix": "year=0/"})
    yield Page("the newest of versions, from the middle", VERSIONED, {"start-after": key(KEYS // 2)})
    yield Page("versions, from the beginning", VERSIONED, {"versions": ""})
    yield Page("versions, from the middle", VERSIONED, {"versions": "", "key-marker": key(KEYS // 2)})
    yield Page(
        "versions, months by the delimiter", VERSIONED, {"versions": "", "delimiter": "/", "prefix": "year=0/"}, 7
    )


def main() -> int:
    """1 where the target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.object_listing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="the median counts")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="clary-bench-") as folder:
        settings = Settings(data_dir=Path(folder) / "data")
        settings.data_dir.mkdir(mode=0o700)
        fill(settings)
        with RunningClary(settings.data_dir) as clary:
            figures = list(measure(clary, rounds))
    return ended(figures)


def fill(settings: Settings) -> None:
    """Both buckets."""
    store = ObjectStore(settings.objects_dir)
    for bucket in (PLAIN, VERSIONED):
        store.create_bucket(bucket, account=settings.account_id, region=_REGION)
    store.set_bucket(VERSIONED, "Versioning", {"Status": "Enabled"})
    store.close()
    connection = open_writer(settings.objects_dir)
    for first in range(0, COUNT, _AT_ONCE):
        connection.execute("BEGIN IMMEDIATE")
        for number in range(first, first + _AT_ONCE):
            put_object(connection, _info(PLAIN, key(number)), None)
        connection.execute("COMMIT")
    connection.execute("BEGIN IMMEDIATE")
    for number in range(KEYS):
        _put_versions(connection, number)
    connection.execute("COMMIT")
    connection.close()


def _put_versions(connection: sqlite3.Connection, number: int) -> None:
    """Each has files of its own: a put of the same ones is the same put again."""
    for version in range(VERSIONS):
        put_object(connection, _info(VERSIONED, key(number), str(version)), None)
    if not number % 4:
        delete_current(connection, require_bucket(connection, VERSIONED), key(number))


def _info(bucket: str, name: str, file: str = "0") -> ObjectInfo:
    layout = dump_pieces((Piece(file * 32, _SIZE),))
    return ObjectInfo(bucket, name, _ETAG, _SIZE, datetime.now(UTC), _ATTRIBUTES, layout)


def measure(clary: RunningClary, rounds: int) -> Iterator[Figure]:
    """A first round of each does not count."""
    with closing(HTTPConnection("127.0.0.1", clary.port, timeout=60)) as connection:
        for page in pages():
            taken = [_milliseconds(clary, connection, page) for _ in range(rounds + 1)]
            figure = Figure(f"{page.entries:,} entries {page.title}", taken[1:], TARGET, "ms")
            print(figure.line(), flush=True)
            yield figure


def _milliseconds(clary: RunningClary, connection: HTTPConnection, page: Page) -> float:
    """Until the last byte of the answer; the client does not parse it within that time. Raises ValueError."""
    asked = {"list-type": "2", **page.query} if "versions" not in page.query else page.query
    signed = AWSRequest("GET", f"{clary.endpoint_url}/{page.bucket}?{urlencode(asked)}")
    S3SigV4Auth(Credentials(*clary.key), "s3", _REGION).add_auth(signed)
    began = time.perf_counter()
    connection.request("GET", f"/{page.bucket}?{urlencode(asked)}", headers=dict(signed.headers.items()))
    response = connection.getresponse()
    answer = response.read()
    taken = (time.perf_counter() - began) * 1000
    found = sum(answer.count(tag) for tag in (b"<Contents>", b"<CommonPrefixes>", b"<Version>", b"<DeleteMarker>"))
    if response.status != 200 or found != page.entries:
        raise ValueError(f"{page.title}: {response.status}, {found} entries: {answer[:300]!r}")
    return taken


if __name__ == "__main__":
    sys.exit(main())
