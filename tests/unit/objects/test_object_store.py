"""The object store's promises that a model of it does not show: durability, concurrency, faults."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from clary.errors import ClaryError
from clary.objects import Attributes, ObjectReader, ObjectStore
from clary.objects.body import receive_bytes
from clary.objects.completion import ChosenPart, Completion
from clary.objects.errors import BodyLost, NoSuchBucket, NoSuchKey, NoSuchUpload, StoreUnavailable
from clary.objects.model import Upload
from clary.objects.schema import open_reader


def body_of(objects, info):
    return b"".join(objects.read(info))


def test_a_reader_sees_what_was_written_before_it_asks(store, reader, bucket):
    store.put_bytes(bucket, "k", b"one")
    assert body_of(reader, reader.head(bucket, "k")) == b"one"
    store.put_bytes(bucket, "k", b"two")
    assert body_of(reader, reader.head(bucket, "k")) == b"two"


def test_a_reader_waits_for_no_writer_that_never_was(root):
    root.mkdir()
    with pytest.raises(StoreUnavailable):
        ObjectReader(root).head("bucket", "k")


def test_a_reader_goes_on_when_the_writer_has_gone(root):
    store, reader = ObjectStore(root), ObjectReader(root)
    store.create_bucket("b", account="1", region="us-east-1")
    store.put_bytes("b", "k", b"x")
    assert reader.head("b", "k")
    store.close()
    assert body_of(reader, reader.head("b", "k")) == b"x"
    assert ObjectReader(root).head("b", "k")


def test_a_reader_cannot_write(store, root, bucket):
    connection = open_reader(root)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM bucket")
    connection.close()


def test_a_put_file_is_linked_and_may_go_afterwards(store, bucket, tmp_path):
    path = tmp_path / "model.tar.gz"
    path.write_bytes(b"model" * 1000)
    attributes = Attributes(content_type="application/gzip", metadata={"m": "1"})
    info = store.put_file(bucket, "out/model.tar.gz", path, attributes)
    assert store.segments(info)[0][0].stat().st_ino == path.stat().st_ino
    again = store.put_file(bucket, "out/model.tar.gz", path)
    path.unlink()
    assert body_of(store, info) == b"model" * 1000
    assert (info.content_type, info.metadata) == ("application/gzip", {"m": "1"})
    assert info.etag == again.etag


def test_a_put_file_where_no_link_can_be_made_is_copied(store, bucket, tmp_path, monkeypatch):
    path = tmp_path / "f"
    path.write_bytes(b"x" * 100_000)

    def across_filesystems(*_, **__):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", across_filesystems)
    info = store.put_file(bucket, "k", path)
    assert body_of(store, info) == b"x" * 100_000
    assert store.segments(info)[0][0].stat().st_ino != path.stat().st_ino


def test_a_put_file_that_is_not_there_or_has_no_bucket(store, bucket, tmp_path):
    with pytest.raises(FileNotFoundError):
        store.put_file(bucket, "k", tmp_path / "none")
    (tmp_path / "f").write_bytes(b"x")
    with pytest.raises(NoSuchBucket):
        store.put_file("nobody", "k", tmp_path / "f")
    assert list(store.files.all()) == []


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/etc/passwd"), os.mkfifo, os.mkdir])
def test_what_a_container_left_in_place_of_a_file_is_refused(store, bucket, tmp_path, make):
    make(tmp_path / "output")
    with pytest.raises(OSError):
        store.put_file(bucket, "k", tmp_path / "output")
    assert list(store.files.all()) == []


def test_a_put_file_that_nobody_may_read_can_be_read_as_an_object(store, reader, bucket, tmp_path):
    (tmp_path / "f").write_bytes(b"x")
    (tmp_path / "f").chmod(0o4440)
    info = store.put_file(bucket, "k", tmp_path / "f")
    assert reader.segments(info)[0][0].stat().st_mode & 0o7777 == 0o600


def test_a_copy_for_a_job_is_the_jobs_own(store, reader, bucket, tmp_path):
    info = store.put_bytes(bucket, "train.csv", b"1,2,3")
    target = tmp_path / "train.csv"
    reader.copy_to(info, target, mode=0o644)
    with target.open("ab") as file:
        file.write(b"changed")
    assert body_of(reader, info) == b"1,2,3"
    assert target.stat().st_mode & 0o777 == 0o644
    with pytest.raises(FileExistsError):
        reader.copy_to(info, target)


def test_a_download_that_has_begun_ends_though_the_object_is_replaced(store, reader, bucket):
    store.put_bytes(bucket, "k", b"old")
    begun = reader.segments(reader.head(bucket, "k"))
    store.put_bytes(bucket, "k", b"new")
    store.collector.collect()
    assert begun[0][0].read_bytes() == b"old"
    assert store.collector.collect(now=time.time() + 3600) == 1
    assert not begun[0][0].exists()


def test_a_copy_of_what_has_gone_meanwhile(store, bucket):
    info = store.put_bytes(bucket, "k", b"x")
    store.delete(bucket, ["k"])
    store.collector.collect(now=time.time() + 3600)
    with pytest.raises(NoSuchKey):
        store.copy(info, bucket, "copy", Attributes())


def test_files_that_broken_requests_left_are_swept_and_no_others(store, bucket):
    kept = store.put_bytes(bucket, "k", b"x")
    lost = receive_bytes(store.files, b"left by a request that never got its row")
    assert store.collector.sweep() == 0  # too young
    assert store.collector.sweep(older_than=-60) == 1
    assert not store.files.path(lost["file"]).exists()
    assert body_of(store, kept) == b"x"


def test_a_file_that_goes_while_files_are_looked_through_is_none(store):
    there = receive_bytes(store.files, b"left")["file"]
    gone = store.files.path(there[:-1] + ("0" if there[-1] != "0" else "1"))
    gone.symlink_to("nowhere")  # is listed, and there is no more to be known of it
    assert [file for file, _ in store.files.all()] == [there]


def test_a_body_that_has_gone_becomes_no_object(store, bucket):
    lost = receive_bytes(store.files, b"x")
    store.clear()
    store.create_bucket(bucket, account="1", region="us-east-1")
    with pytest.raises(BodyLost):
        store.put(bucket, "k", lost)
    assert store.head(bucket, "k") is None


def test_the_store_of_a_newer_clary_is_left_alone(store, root):
    store._writer.run(lambda connection: None)
    store.close()
    connection = sqlite3.connect(root / "objects.db")
    connection.execute("PRAGMA user_version=1000")
    connection.close()
    with pytest.raises(ClaryError, match="newer Clary"):
        ObjectStore(root)


def test_a_file_id_is_never_a_path(store):
    for bad in ("../../etc/passwd", "", "x" * 32, "a" * 33, "a" * 31 + "/"):
        with pytest.raises(ValueError, match="not a file's id"):
            store.files.path(bad)


def test_one_change_that_fails_undoes_only_itself(store, bucket):
    """All in one commit: the writer is held up until they have queued."""
    gate, entered = threading.Event(), threading.Event()

    def hold(connection):
        entered.set()
        assert gate.wait(60)

    def fail(connection):
        connection.execute("INSERT INTO bucket VALUES ('half', '1', 'r', 0, '{}')")
        raise NoSuchBucket("x")

    with ThreadPoolExecutor(4) as pool:
        held = pool.submit(store._writer.run, hold)
        assert entered.wait(60)
        failed = pool.submit(store._writer.run, fail)
        put = pool.submit(store.put_bytes, bucket, "k", b"x")
        gate.set()
        held.result(60)
        put.result(60)
        with pytest.raises(NoSuchBucket):
            failed.result(60)
    assert store.get_bucket("half") is None
    assert store.head(bucket, "k")


def test_when_the_commit_fails_nobody_is_told_that_it_is_done(store, bucket):
    """A trigger stands for the full disk: it ends the whole transaction."""
    store._writer.run(
        lambda c: c.execute(
            "CREATE TRIGGER full BEFORE INSERT ON object BEGIN SELECT RAISE(ROLLBACK, 'disk I/O error'); END"
        )
    )
    with pytest.raises(sqlite3.Error):
        store.put_bytes(bucket, "k", b"x")
    store._writer.run(lambda c: c.execute("DROP TRIGGER full"))
    store.put_bytes(bucket, "k", b"x")
    assert store.head(bucket, "k")


def test_guards_hold_against_one_another(store, bucket):
    """Of many who put only where nothing is, one does."""

    def only_new(info):
        if info is not None:
            raise NoSuchKey("taken")

    def put(number):
        try:
            store.put(bucket, "k", receive_bytes(store.files, str(number).encode()), guard=only_new)
        except NoSuchKey:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(put, range(40))) == 1
    assert len(list(store.files.all())) == 1


_WRITER = """
import sys
from pathlib import Path
from clary.objects import ObjectStore
store = ObjectStore(Path(sys.argv[1]))
store.create_bucket("b", account="1", region="us-east-1")
number = 0
while True:
    store.put_bytes("b", f"{number:06}", f"body {number}".encode() * 100)
    print(number, flush=True)
    number += 1
"""


def test_a_writer_killed_at_any_line_loses_nothing_that_was_acknowledged(root):
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(root)], stdout=subprocess.PIPE, text=True)
    acknowledged = -1
    while acknowledged < 200:
        acknowledged = int(writer.stdout.readline())
    os.kill(writer.pid, signal.SIGKILL)
    for line in writer.stdout:
        acknowledged = int(line)
    writer.wait(60)
    writer.stdout.close()
    reader = ObjectReader(root)
    found = {info.key: info for info in reader.list("b")}
    for number in range(acknowledged + 1):
        assert body_of(reader, found[f"{number:06}"]) == f"body {number}".encode() * 100
    assert len(found) <= acknowledged + 2
    store = ObjectStore(root)
    store.put_bytes("b", "after", b"x")
    store.close()


_VERSIONS = """
import sys
from pathlib import Path
from clary.objects import ObjectStore
from clary.objects.store import Deletion
store = ObjectStore(Path(sys.argv[1]))
store.create_bucket("b", account="1", region="us-east-1", settings={"Versioning": {"Status": "Enabled"}})
number = 0
while True:
    kept = store.put_bytes("b", "k", f"body {number}".encode())
    gone = store.put_bytes("b", "k", b"gone")
    store.delete("b", ["k"])
    store.delete_many("b", [Deletion("k", gone.version)])
    print(number, kept.version, gone.version, flush=True)
    number += 1
"""


def test_a_writer_of_versions_killed_at_any_line_leaves_each_as_it_was_acknowledged(root):
    writer = subprocess.Popen([sys.executable, "-c", _VERSIONS, str(root)], stdout=subprocess.PIPE, text=True)
    told = [writer.stdout.readline().split() for _ in range(30)]
    os.kill(writer.pid, signal.SIGKILL)
    told += [line.split() for line in writer.stdout]
    writer.wait(60)
    writer.stdout.close()
    store = ObjectStore(root)
    for number, kept, gone in told:
        assert body_of(store, store.version("b", "k", kept)) == f"body {number}".encode()
        assert store.version("b", "k", gone) is None
    left = [entry.version for entry in store.version_page("b").versions]
    assert 0 <= len(left) - 2 * len(told) <= 3
    assert sum(entry.latest for entry in store.version_page("b").versions) == 1
    assert body_of(store, store.put_bytes("b", "k", b"after")) == b"after"
    store.close()


def begin(store, bucket, key="k"):
    upload = Upload("u" * 8, bucket, key, datetime.now(UTC), {}, Attributes(), "CRC64NVME", declared=False)
    return store.uploads.create(upload)


def test_a_put_that_is_sent_again_because_its_answer_was_lost_is_done_once(store, bucket):
    def only_new(info):
        if info is not None:
            raise NoSuchKey("taken")

    body = receive_bytes(store.files, b"body")
    store.put(bucket, "k", body, guard=only_new)
    store.put(bucket, "k", body, guard=only_new)
    store.collector.collect(now=time.time() + 3600)
    assert body_of(store, store.head(bucket, "k")) == b"body"


def test_a_put_that_is_sent_again_after_another_has_won_keeps_its_file(store, bucket):
    body = receive_bytes(store.files, b"body")
    store.put(bucket, "k", body)
    store.put_bytes(bucket, "k", b"other")
    store.put(bucket, "k", body)
    store.collector.collect(now=time.time() + 3600)
    assert body_of(store, store.head(bucket, "k")) == b"body"
    assert len(list(store.files.all())) == 1


def test_a_put_that_is_sent_again_makes_no_second_version(store, bucket):
    store.set_bucket(bucket, "Versioning", {"Status": "Enabled"})
    body = receive_bytes(store.files, b"body")
    first = store.put(bucket, "k", body)
    other = store.put_bytes(bucket, "k", b"other")
    assert store.put(bucket, "k", body) == first
    versions = [entry.version.version for entry in store.version_page(bucket).versions]
    assert versions == [other.version, first.version]


def test_a_version_of_several_parts_is_joined_though_another_has_taken_its_place(store, bucket, tmp_path):
    store.set_bucket(bucket, "Versioning", {"Status": "Enabled"})
    upload = begin(store, bucket)
    chosen = []
    for number in (1, 2):
        part = store.uploads.put_part(bucket, "k", upload.id, number, receive_bytes(store.files, b"x" * 5 * 2**20))
        chosen.append(ChosenPart(number, part.etag))
    info = store.uploads.complete(bucket, "k", upload.id, Completion(chosen))
    store.put_bytes(bucket, "k", b"newer")
    store.link_to(info, tmp_path / "whole")
    store._joiner.close()
    joined = store.version(bucket, "k", info.version)
    assert len({piece.file for piece in joined.pieces}) == 1
    assert body_of(store, joined) == (tmp_path / "whole").read_bytes() == b"x" * 10 * 2**20


def test_a_part_that_is_sent_again_is_done_once(store, bucket):
    upload = begin(store, bucket)
    body = receive_bytes(store.files, b"part")
    store.uploads.put_part(bucket, "k", upload.id, 1, body)
    part = store.uploads.put_part(bucket, "k", upload.id, 1, body)
    store.collector.collect(now=time.time() + 3600)
    store.uploads.complete(bucket, "k", upload.id, Completion([ChosenPart(1, part.etag)]))
    with pytest.raises(NoSuchUpload):
        store.uploads.put_part(bucket, "k", upload.id, 1, body)
    assert body_of(store, store.head(bucket, "k")) == b"part"
