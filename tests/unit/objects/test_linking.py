"""Objects as files for jobs: other names of the store's own, of one file each, safe from what befalls the object."""

from __future__ import annotations

import errno
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from clary.objects import Attributes, ObjectReader
from clary.objects.body import receive_bytes
from clary.objects.completion import MIN_PART_BYTES, ChosenPart, Completion
from clary.objects.model import Upload
from tests.running import wait_until

PART = bytes(MIN_PART_BYTES)


@pytest.fixture
def parts(store, bucket):
    """An object of two parts."""
    now = datetime.now(UTC)
    upload = Upload("u" * 32, bucket, "big", now, {}, Attributes(), "CRC64NVME", declared=False)
    store.uploads.create(upload)
    chosen = []
    for number, data in enumerate((PART, b"the end"), 1):
        part = store.uploads.put_part(bucket, "big", upload.id, number, receive_bytes(store.files, data))
        chosen.append(ChosenPart(number, part.etag))
    return store.uploads.complete(bucket, "big", upload.id, Completion(chosen))


def settled(store, key="big"):
    """The object once its row names one file."""

    def whole():
        info = store.head("bucket", key)
        return info if len({piece.file for piece in info.pieces}) == 1 else None

    return wait_until(whole, 60, f"{key} is of one file")


def late(store):
    """Let the garbage of now be collected."""
    return store.collector.collect(now=time.time() + 3600)


def test_a_link_is_the_objects_own_file_and_costs_nothing(store, bucket, tmp_path):
    info = store.put_bytes(bucket, "k", b"x" * 1000)
    store.link_to(info, tmp_path / "k")
    assert (tmp_path / "k").stat().st_ino == store.segments(info)[0][0].stat().st_ino
    with pytest.raises(FileExistsError):
        store.link_to(info, tmp_path / "k")


@pytest.mark.parametrize("change", [lambda s, b: s.delete(b, ["k"]), lambda s, b: s.put_bytes(b, "k", b"new")])
def test_a_link_stays_readable_when_the_object_goes(store, bucket, tmp_path, change):
    store.link_to(store.put_bytes(bucket, "k", b"old"), tmp_path / "k")
    change(store, bucket)
    late(store)
    assert (tmp_path / "k").read_bytes() == b"old"


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EMLINK])
def test_where_no_link_can_be_made_it_is_a_copy(store, bucket, tmp_path, monkeypatch, code):
    info = store.put_bytes(bucket, "k", b"x")

    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    store.link_to(info, tmp_path / "k")
    assert (tmp_path / "k").read_bytes() == b"x"
    assert (tmp_path / "k").stat().st_nlink == 1


def test_an_object_of_several_parts_is_joined_once_and_stays_what_it_was(store, reader, parts, tmp_path):
    store.link_to(parts, tmp_path / "first")
    store.link_to(parts, tmp_path / "second")  # by what was known of it before
    assert (tmp_path / "first").read_bytes() == PART + b"the end"
    assert (tmp_path / "first").stat().st_ino == (tmp_path / "second").stat().st_ino
    settled(store)
    now = reader.head(parts.bucket, "big")
    assert (now.etag, now.size, now.parts_count) == (parts.etag, parts.size, 2)
    assert [(p.number, p.size, p.checksums) for p in now.pieces] == [
        (p.number, p.size, p.checksums) for p in parts.pieces
    ]
    assert b"".join(reader.read(now)) == PART + b"the end"
    ((_, offset, length),) = reader.segments(now, start=len(PART) + 4)
    assert (offset, length) == (len(PART) + 4, 3)


def test_the_parts_of_a_joined_object_take_no_room_any_more(store, parts, tmp_path):
    store.link_to(parts, tmp_path / "whole")
    settled(store)
    assert late(store) == 2
    assert len(list(store.files.all())) == 1
    store.delete(parts.bucket, ["big"])
    assert late(store) == 1
    assert (tmp_path / "whole").stat().st_size == parts.size


def test_an_object_that_is_replaced_while_it_is_joined_is_what_was_asked_for(store, parts, tmp_path):
    store.put_bytes(parts.bucket, "big", b"new")
    store.link_to(parts, tmp_path / "old")
    assert (tmp_path / "old").stat().st_size == parts.size
    wait_until(lambda: late(store) == 0 and len(list(store.files.all())) == 1, 60, "only the new one is left")


def test_what_was_deleted_a_while_ago_is_said_to_be_gone(store, parts, tmp_path):
    store.delete(parts.bucket, ["big"])
    late(store)
    with pytest.raises(FileNotFoundError):
        store.link_to(parts, tmp_path / "big")
    assert list(store.files.all()) == []


def test_a_store_that_is_closed_meanwhile_has_the_object_all_the_same(root, store, parts, tmp_path):
    store.link_to(parts, tmp_path / "whole")
    store.close()
    reader = ObjectReader(root)
    assert b"".join(reader.read(reader.head(parts.bucket, "big"))) == PART + b"the end"


@pytest.fixture
def large(store, bucket, monkeypatch):
    """As `parts`, in a store to which they are large."""
    monkeypatch.setattr("clary.objects.joining.LARGE_BYTES", MIN_PART_BYTES)


def test_a_large_object_is_joined_before_anybody_asks(store, large, parts):
    assert settled(store).etag == parts.etag


def test_where_the_disk_is_almost_full_nothing_is_joined_before_somebody_asks(store, bucket, large, monkeypatch):
    monkeypatch.setattr(type(store.files), "free", lambda _: 2**20)
    upload = Upload("v" * 32, bucket, "big", datetime.now(UTC), {}, Attributes(), "CRC64NVME", declared=False)
    store.uploads.create(upload)
    bodies = enumerate((PART, b"the end"), 1)
    done = [store.uploads.put_part(bucket, "big", upload.id, n, receive_bytes(store.files, data)) for n, data in bodies]
    info = store.uploads.complete(bucket, "big", upload.id, Completion([ChosenPart(p.number, p.etag) for p in done]))
    store.close()
    assert len({piece.file for piece in store.head(bucket, "big").pieces}) == 2
    assert info.size > MIN_PART_BYTES


def test_jobs_that_want_it_at_the_same_time_have_it_joined_once(store, parts, tmp_path):
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: store.link_to(parts, tmp_path / str(number)), range(8)))
    assert len({path.stat().st_ino for path in tmp_path.iterdir() if path.is_file()}) == 1
    settled(store)


def test_who_asked_before_it_was_joined_and_waits_until_after_it_joins_nothing(store, parts, tmp_path, monkeypatch):
    store.link_to(parts, tmp_path / "first")
    settled(store)
    again = store._joiner._again
    seen = iter([parts])
    monkeypatch.setattr(store._joiner, "_again", lambda info: next(seen, None) or again(info))
    store.link_to(parts, tmp_path / "second")
    assert (tmp_path / "first").stat().st_ino == (tmp_path / "second").stat().st_ino


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has files of others")
def test_a_containers_file_becomes_the_stores_own(store, bucket, tmp_path):
    (tmp_path / "model").write_bytes(b"x")
    os.chown(tmp_path / "model", 200_000, 200_000)
    info = store.put_file(bucket, "k", tmp_path / "model")
    assert store.segments(info)[0][0].stat().st_uid == 0
