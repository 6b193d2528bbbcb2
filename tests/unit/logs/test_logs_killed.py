"""`kill -9` of control while log groups and streams are deleted: at each line, in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.durability.lines import COMMIT, Asked, Line, Lines, begin

Make = Callable[[Path], Any]

REMOVED = "clary.telemetry.insertion:_remove"
STREAMS = ("one", "two", "three")


def fill(control: Any) -> None:
    """A group to be deleted, another one, and what both have said."""
    event = [{"timestamp": int(time.time() * 1000), "message": "said"}]
    for group in ("g", "other"):
        control("logs", "CreateLogGroup", logGroupName=group)
        for stream in STREAMS:
            where = {"logGroupName": group, "logStreamName": stream}
            control("logs", "CreateLogStream", **where)
            control("logs", "PutLogEvents", **where, logEvents=event)


def kept(control: Any) -> dict[str, list[str]]:
    """Streams, by group, and what each of them has said is whole."""
    found = {}
    for group in control("logs", "DescribeLogGroups")["logGroups"]:
        name = group["logGroupName"]
        streams = control("logs", "DescribeLogStreams", logGroupName=name)["logStreams"]
        found[name] = [each["logStreamName"] for each in streams]
        for stream in found[name]:
            said = control("logs", "GetLogEvents", logGroupName=name, logStreamName=stream, startFromHead=True)
            assert [each["message"] for each in said["events"]] == ["said"]
    return found


def files(control: Any) -> int:
    """On the disk, of whatever group."""
    return sum(path.is_file() for path in control.settings.logs_dir.rglob("*"))


ALL = sorted(STREAMS)


@pytest.mark.parametrize(
    ("line", "left"),
    [
        (Line(COMMIT), ALL),
        (Line(COMMIT, after=True), None),
        (Line(REMOVED, nth=2), None),
        (Line(REMOVED, after=True, nth=3), None),
        (Line(COMMIT, nth=2), None),
        (Line(COMMIT, after=True, nth=2), None),
    ],
)
def test_a_group_is_there_whole_or_gone_with_all_that_it_said(
    lines: Lines, make_inner: Make, tmp_path: Path, line: Line, left: list[str] | None
) -> None:
    fill(make_inner(tmp_path))
    lines.killed(tmp_path, [Asked("logs", "DeleteLogGroup", {"logGroupName": "g"})], line)
    control = begin(make_inner(tmp_path))
    assert kept(control) == {"other": ALL} | ({"g": left} if left else {})
    assert files(control) == 3 + len(left or ())
    assert len(list(control.settings.logs_dir.iterdir())) == (2 if left else 1)
    assert control.store.read.rows("log-remains") == []


def test_what_a_killed_deletion_has_left_is_not_taken_from_a_stream_that_is_there_again(
    lines: Lines, make_inner: Make, tmp_path: Path
) -> None:
    fill(make_inner(tmp_path))
    where = {"logGroupName": "g", "logStreamName": "one"}
    lines.killed(tmp_path, [Asked("logs", "DeleteLogStream", where)], Line(COMMIT, after=True))
    control = make_inner(tmp_path)  # before what is left was removed
    control("logs", "CreateLogStream", **where)
    event = [{"timestamp": int(time.time() * 1000), "message": "said"}]
    control("logs", "PutLogEvents", **where, logEvents=event)
    control = begin(make_inner(tmp_path))
    assert kept(control) == {"g": ALL, "other": ALL}
