"""Streams and groups that are deleted while somebody writes to them leave nothing on the disk."""

from __future__ import annotations

import threading
import time

import pytest

from clary.services.logs import events, remains
from clary.telemetry import insertion

JOBS = "/aws/sagemaker/TrainingJobs"
DELETIONS = [
    ("DeleteLogStream", lambda group: {"logGroupName": group, "logStreamName": "s"}),
    ("DeleteLogGroup", lambda group: {"logGroupName": group}),
]


@pytest.fixture
def logs(inner):
    service = inner.service("logs")
    for group in ("g", JOBS):
        service.call("CreateLogGroup", logGroupName=group)
        service.call("CreateLogStream", logGroupName=group, logStreamName="s")
    return service


def said(group):
    event = {"timestamp": int(time.time() * 1000), "message": "said"}
    return {"logGroupName": group, "logStreamName": "s", "logEvents": [event]}


def left(inner):
    """Files and folders of streams."""
    return [path for path in inner.settings.logs_dir.rglob("*") if path.is_file()]


@pytest.mark.parametrize("group", ["g", JOBS])
@pytest.mark.parametrize(("deletion", "where"), DELETIONS)
def test_events_for_a_stream_that_was_deleted_after_it_was_found_are_refused(
    inner, logs, monkeypatch, group, deletion, where
):
    put, once = said(group), [True]
    write = events.append if group == JOBS else events.insert

    def deleted_first(*given):
        if once.pop():
            logs.call(deletion, **where(group))
        write(*given)

    monkeypatch.setattr(events, write.__name__, deleted_first)
    code, message = logs.refusal("PutLogEvents", **put)
    what = "stream" if deletion == "DeleteLogStream" else "group"
    assert (code, message) == ("ResourceNotFoundException", f"The specified log {what} does not exist.")
    assert left(inner) == []


@pytest.mark.parametrize(("deletion", "where"), DELETIONS)
def test_a_stream_that_is_deleted_while_its_events_are_written_goes_with_them(
    inner, logs, monkeypatch, deletion, where
):
    deleting = threading.Thread(target=lambda: logs.call(deletion, **where("g")))
    waits, insert, remove = threading.Event(), insertion._insert, remains.remove

    def removing(*given):
        waits.set()  # the row has gone: what is left is the file
        remove(*given)

    def inserting(*given):
        deleting.start()
        assert waits.wait(60)
        insert(*given)

    monkeypatch.setattr(remains, "remove", removing)
    monkeypatch.setattr(insertion, "_insert", inserting)
    logs.call("PutLogEvents", **said("g"))
    deleting.join(60)
    assert not deleting.is_alive()
    assert left(inner) == []


def test_a_stream_that_is_there_again_keeps_what_it_is_told(inner, logs, monkeypatch):
    insert, once = events.insert, [True]

    def made_again(*given):
        if once.pop():
            logs.call("DeleteLogStream", logGroupName="g", logStreamName="s")
            logs.call("CreateLogStream", logGroupName="g", logStreamName="s")
        insert(*given)

    monkeypatch.setattr(events, "insert", made_again)
    logs.call("PutLogEvents", **said("g"))
    got = logs.call("GetLogEvents", logGroupName="g", logStreamName="s", startFromHead=True)
    assert [event["message"] for event in got["events"]] == ["said"]


def test_a_folder_that_goes_while_a_first_event_is_written_is_made_again(inner, logs, monkeypatch):
    """Whoever deletes the last stream that has said something removes the group's folder."""
    opened, gone = insertion.os.open, [True]

    def folder_gone(path, *more):
        if gone and str(path).endswith(".log"):
            gone.clear()
            insertion.Path(path).parent.rmdir()
        return opened(path, *more)

    monkeypatch.setattr(insertion.os, "open", folder_gone)
    logs.call("PutLogEvents", **said("g"))
    assert (len(left(inner)), gone) == (1, [])
