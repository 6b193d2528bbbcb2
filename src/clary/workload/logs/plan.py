"""Which events a child is to read: a group's streams and their files, between two times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypedDict

from clary.store.rows import Key, Row
from clary.telemetry.logfile import Event, LogReader
from clary.telemetry.paths import stream_file
from clary.telemetry.retention import horizon


class Stream(TypedDict):
    """One file; times in milliseconds, the first included, the last too."""

    group: str
    stream: str
    path: str
    start: int
    end: int


def streams(
    logs_dir: Path, group: Row, rows: list[Row], stretch: tuple[int, int], now: float, prefix: str = ""
) -> list[Stream]:
    """Of a group's stream rows; what has expired is left out."""
    start = max(stretch[0], horizon(group.spec.get("retentionInDays"), now))
    found = []
    for row in rows:
        name = row.key.name.partition(":")[2]
        if name.startswith(prefix):
            path = stream_file(logs_dir, row.key.account, row.key.region, row.parent, name)
            found.append(Stream(group=row.parent, stream=name, path=str(path), start=start, end=stretch[1]))
    return found


def group_of(row: Row, name: str) -> Key:
    """The key of a group that a query or an export names."""
    return Key("log-group", row.key.account, row.key.region, name)


def events(stream: Mapping[str, Any]) -> Iterator[Event]:
    """In the order of time."""
    reader = LogReader(Path(stream["path"]))
    for event in reader.forward(reader.seek(stream["start"]) if stream["start"] > 0 else 0):
        if event.timestamp > stream["end"]:
            return
        yield event
