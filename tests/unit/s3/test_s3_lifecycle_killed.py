"""`kill -9` while lifecycle rules are carried out: at each line, in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from clary.objects.body import receive, receive_bytes
from clary.objects.model import Attributes, Upload
from clary.services.s3 import keeping
from tests.durability.lines import Asked, Line, Lines

Make = Callable[[Path], Any]

HERE = "tests.unit.s3.test_s3_lifecycle_killed"
DELETED, ABORTED = "clary.objects.store:ObjectStore.delete_many", "clary.objects.multipart:Uploads.abort"
REMOVED = "clary.objects.files:Files.remove"
LINES = (
    Line(ABORTED),
    Line(ABORTED, after=True),
    Line(DELETED, nth=2),
    Line(DELETED, after=True, nth=2),
    Line(REMOVED, nth=3),
    Line(REMOVED, after=True, nth=3),
)
DUE = [f"old/{number}" for number in range(7)]
NOT_DUE = ["new/0", "new/1", "new/sealed"]
KEY = bytes(range(32))
DAY = timedelta(days=9)
UPLOAD = "u" * 32


def carry_out(control: Any) -> None:
    """All that the rules say of a day that is to come, and then files go."""
    keeping._AT_ONCE = 3
    later = datetime.now(UTC) + DAY
    keeping.Lifecycles(control.objects, lambda: later).round()
    control.objects.collector.collect(now=later.timestamp())


def prepare(control: Any, *, versions: bool) -> None:
    """A bucket with objects, some under their customer's key, and an upload of which a rule lets go some."""
    store = control.objects
    store.create_bucket("b", account="1", region="us-east-1")
    if versions:
        store.set_bucket("b", "Versioning", {"Status": "Enabled"})
    rule = {
        "ID": "r",
        "Status": "Enabled",
        "Filter": {"Prefix": "old/"},
        "Expiration": {"Days": 1},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    gone = {"ID": "m", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"ExpiredObjectDeleteMarker": True}}
    store.set_bucket("b", "Lifecycle", {"Rules": [rule, gone]})
    for key in (*DUE, *NOT_DUE):
        store.put("b", key, receive(store.files, [key.encode() * 1000], key=KEY if key.endswith("sealed") else None))
    store.put_bytes("b", DUE[0], b"once more")
    store.uploads.create(
        Upload(UPLOAD, "b", "old/upload", datetime.now(UTC), {}, Attributes(), "CRC64NVME", declared=False)
    )
    store.uploads.put_part("b", "old/upload", UPLOAD, 1, receive_bytes(store.files, b"part"))


@pytest.mark.parametrize("versions", [False, True])
@pytest.mark.parametrize("line", LINES)
def test_killed_anywhere_the_next_round_ends_it(
    lines: Lines, make_inner: Make, tmp_path: Path, line: Line, versions: bool
) -> None:
    prepare(make_inner(tmp_path), versions=versions)
    lines.killed(tmp_path, [Asked("", f"{HERE}:carry_out", {})], line)
    control = make_inner(tmp_path)
    store = control.objects
    kept = {info.key: info for info in store.list("b")}
    assert set(NOT_DUE) <= set(kept)
    for key, info in kept.items():
        content = b"".join(store.read(info, KEY if key.endswith("sealed") else None))
        assert content in (key.encode() * 1000, b"once more")
    carry_out(control)
    assert [each.version.key for each in store.versions("b")] == NOT_DUE, "no older version, no marker"
    assert list(store.uploads.list("b")) == []
    assert {file for file, _ in store.files.all()} == {piece.file for info in store.list("b") for piece in info.pieces}
