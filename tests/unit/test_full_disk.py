"""A full disk is known by whoever tells it, keeps nothing half, and is over when there is space."""

from __future__ import annotations

import errno
import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from clary.full_disk import DiskFull, is_full
from clary.gateway import refusals
from clary.objects import ObjectStore
from clary.objects.body import receive_bytes
from clary.publish import Publisher, Subscriber
from clary.store import Store
from clary.workload.functions import published

NO_SPACE = OSError(errno.ENOSPC, "No space left on device")


def fill(connection: sqlite3.Connection) -> None:
    """No page more than there are."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_is_known_through_whatever_was_raised_of_it() -> None:
    assert is_full(NO_SPACE)
    assert is_full(OSError(errno.EDQUOT, "Disk quota exceeded"))
    try:
        raise RuntimeError("the body") from NO_SPACE
    except RuntimeError as error:
        assert is_full(error)
        assert isinstance(refusals.failure(error), DiskFull)
    assert not is_full(OSError(errno.EIO, "Input/output error"))
    assert refusals.failure(ValueError()).code == "InternalFailure"
    assert (DiskFull().code, DiskFull().status) == ("ServiceUnavailable", 503)


def test_a_database_that_cannot_grow_says_so(tmp_path: Path) -> None:
    store = Store(tmp_path / "clary.db")
    with store._engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        fill(driver)
    with pytest.raises(DBAPIError) as raised:
        store.write(lambda transaction: transaction.set_tags("arn", {f"k{each}": "v" * 100 for each in range(500)}))
    assert is_full(raised.value)
    assert store.read.tags("arn") == {}
    store.write(lambda transaction: transaction.set_tags("arn", {"k": "v"}))
    assert store.read.tags("arn") == {"k": "v"}
    store.close()


def test_objects_and_parts_whose_row_finds_no_space_leave_no_file(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    store.create_bucket("b", account="1", region="us-east-1")
    store.put_bytes("b", "kept", b"kept")
    store._writer.run(fill)
    names = iter(range(10_000))

    def put_until_full() -> None:
        for number in names:
            store.put_bytes("b", f"{number}" * 150, b"x")

    with pytest.raises(sqlite3.Error) as raised:
        put_until_full()
    assert is_full(raised.value)
    assert len(list(store.files.all())) == len(list(store.list("b")))
    store._writer.run(lambda connection: connection.execute("PRAGMA max_page_count = 100000").fetchall())
    store.put_bytes("b", "more", b"more")
    store.close()


def test_a_part_that_is_kept_stays_where_it_is_sent_again_on_a_full_disk(tmp_path: Path) -> None:
    """The answer to the first was lost: what it has kept must not go with what the second could not keep."""
    store = ObjectStore(tmp_path)
    store.create_bucket("b", account="1", region="us-east-1")
    body = receive_bytes(store.files, b"x")
    store.put("b", "k", body)

    def full(*_: object) -> None:
        raise NO_SPACE

    store._writer.run = full  # type: ignore[method-assign]
    with pytest.raises(OSError, match="No space"):
        store.put("b", "k", body)
    del store._writer.run  # type: ignore[method-assign]
    info = store.head("b", "k")
    assert info is not None
    assert b"".join(store.read(info)) == b"x"
    store.close()


def test_what_could_not_be_published_is_published_when_there_is_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher, subscriber = Publisher(tmp_path / "d.json", again_seconds=0.001), Subscriber(tmp_path / "d.json")
    publisher.publish({"key": "good"})
    written, full = threading.Event(), threading.Event()
    full.set()
    dump = json.dump

    def dump_if_there_is_space(document: Any, file: Any) -> None:
        if full.is_set():
            raise NO_SPACE
        dump(document, file)
        if document["document"] == {"key": "gone"}:
            written.set()

    monkeypatch.setattr(json, "dump", dump_if_there_is_space)
    for document in ({"key": "revoked"}, {"key": "gone"}):
        with pytest.raises(OSError, match="No space"):
            publisher.publish(document)
    assert subscriber.current() == {"key": "good"}
    assert [each.suffix for each in tmp_path.iterdir() if each.suffix == ".new"] == []
    full.clear()
    assert written.wait(60)
    publisher.publish({"key": "newest"})
    assert subscriber.current() == {"key": "newest"}


def test_functions_that_are_again_as_they_were_are_published_over_what_could_not_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions, publication, seen = {"f": 1}, published._Publication(tmp_path), Subscriber(tmp_path / published.FILE)
    monkeypatch.setattr(published, "document", lambda _: dict(functions))
    reader: Any = None
    publication.publish(reader)

    def full(*_: object) -> None:
        raise NO_SPACE

    functions["f"] = 2
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(json, "dump", full)
        publication.publish(reader)
    functions["f"] = 1
    before = seen.current() and seen.generation
    publication.publish(reader)  # else the other one would be, as soon as there is space
    assert seen.current() == {"functions": {"f": 1}}
    assert seen.generation > before
