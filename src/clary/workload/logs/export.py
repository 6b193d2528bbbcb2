"""An export to S3, in a child: a gzip file for each stream, a line for each event
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3Export.html)."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from clary.objects import Attributes, ObjectStore
from clary.workload.errors import Cancelled
from clary.workload.logs.child import carry_out, done
from clary.workload.logs.plan import Stream, events

EXPORT_SECONDS = 86_400.0
"""As long as AWS lets an export take."""

_FIRST = "000000.gz"
_TEST = "aws-logs-write-test"


class Destination(NamedTuple):
    """Where objects are put: below `prefix`."""

    bucket: str
    prefix: str


def exported(
    objects: ObjectStore, to: Destination, task: str, streams: list[Stream], folder: Path, ended: Callable[[], bool]
) -> None:
    """All objects are there; done again after a crash it makes the same ones. Raises NoSuchBucket, TimedOut, Cancelled,
    RuntimeError."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        objects.put_bytes(to.bucket, f"{to.prefix}/{_TEST}", b"Permission Check Successful")
        files = done("clary.workload.logs.export", {"streams": streams, "folder": str(folder)}, EXPORT_SECONDS, ended)
        for number, stream in files:
            if ended():
                raise Cancelled
            key = f"{to.prefix}/{task}/{stream.replace('/', '-')}/{_FIRST}"
            objects.put_file(to.bucket, key, folder / f"{number}.gz", Attributes())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _work(plan: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Which files there are, by number, and of which streams; none of a stream without events."""
    found = []
    for number, stream in enumerate(plan["streams"]):
        path = Path(plan["folder"]) / f"{number}.gz"
        if _write(path, stream):
            found.append((number, stream["stream"]))
    return found


def _write(path: Path, stream: Mapping[str, Any]) -> bool:
    first = next(iter(events(stream)), None)
    if first is None:
        return False
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as file:
        for event in events(stream):
            file.write(f"{_moment(event.timestamp)} {event.message}\n".encode("utf-8", "replace"))
    return True


def _moment(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


if __name__ == "__main__":
    carry_out(_work)
