"""Checkpoints go to S3 while they are written and never half-written, and come back."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from clary.workload import checkpoints
from clary.workload.checkpoints import mounts, restore, sync
from clary.workload.download import never
from clary.workload.errors import NotAllowed, WorkloadError

CONFIG = {"CheckpointConfig": {"S3Uri": "s3://b/ck/"}}


@pytest.fixture
def kept(objects):
    """What S3 has."""
    return lambda: {info.key: b"".join(objects.read(info)) for info in objects.list("b", "ck")}


@pytest.fixture
def world(storage, hosts):
    """Hosts with restored checkpoints, and a look at them."""

    class World:
        def __init__(self, count):
            places = hosts(count=count, **CONFIG)
            self.spec = places[0][0].spec
            self.bundles = [bundle for _, bundle in places]
            self.folders = [bundle.checkpoints for bundle in self.bundles]
            restore(storage, self.spec, self.bundles, never)

        def look(self, final=False):
            sync(storage, self.spec, self.bundles, final=final)

    return World


def test_a_file_is_taken_once_it_stands_still(world, kept):
    job = world(1)
    (job.folders[0] / "1.pt").write_bytes(b"half")
    job.look()
    assert kept() == {}
    (job.folders[0] / "1.pt").write_bytes(b"half and half")
    job.look()
    assert kept() == {}
    job.look()
    assert kept() == {"ck/1.pt": b"half and half"}


def test_at_the_end_everything_is_taken(world, kept):
    job = world(1)
    (job.folders[0] / "deep").mkdir()
    (job.folders[0] / "deep" / "1.pt").write_bytes(b"1")
    job.look(final=True)
    assert kept() == {"ck/deep/1.pt": b"1"}


def test_what_did_not_change_is_not_uploaded_again(world, objects, put):
    put({"ck/0.pt": b"0"})
    job = world(1)
    (job.folders[0] / "1.pt").write_bytes(b"1")
    before = objects.head("b", "ck/0.pt").modified
    for _ in range(3):
        job.look()
    first = objects.head("b", "ck/1.pt").modified
    job.look(final=True)
    assert (objects.head("b", "ck/0.pt").modified, objects.head("b", "ck/1.pt").modified) == (before, first)


def test_the_program_may_go_on_writing_to_what_was_taken(world, kept):
    job = world(1)
    file = job.folders[0] / "1.pt"
    file.write_bytes(b"old")
    job.look(), job.look()
    with file.open("r+b") as same:
        same.write(b"new")
    assert kept() == {"ck/1.pt": b"old"}
    job.look(), job.look()
    assert kept() == {"ck/1.pt": b"new"}


def test_what_s3_has_is_given_to_every_host(world, put):
    put({"ck/a/1.pt": b"1"})
    job = world(2)
    assert [(folder / "a" / "1.pt").read_bytes() for folder in job.folders] == [b"1", b"1"]
    with (job.folders[0] / "a" / "1.pt").open("ab") as own:
        own.write(b"!")
    assert (job.folders[1] / "a" / "1.pt").read_bytes() == b"1"


def test_a_deleted_checkpoint_is_deleted_in_s3_but_not_one_on_its_way(world, kept, put):
    put({"ck/0.pt": b"0"})
    job = world(1)
    file = job.folders[0] / "0.pt"
    job.look()
    file.rename(job.folders[0].parent / "away")
    job.look()
    (job.folders[0].parent / "away").rename(file)
    job.look()
    assert kept() == {"ck/0.pt": b"0"}
    file.unlink()
    job.look(), job.look()
    assert kept() == {}


def test_a_host_does_not_delete_what_another_has_written(world, kept, put):
    put({"ck/shared": b"0"})
    job = world(2)
    (job.folders[0] / "shared").write_bytes(b"newer")
    job.look(), job.look()
    (job.folders[1] / "shared").unlink()
    job.look(final=True)
    assert kept() == {"ck/shared": b"newer"}


def test_one_host_may_delete_what_all_were_given(world, kept, put):
    put({"ck/old": b"0"})
    job = world(2)
    (job.folders[0] / "old").unlink()
    job.look(final=True)
    assert kept() == {}


def test_after_a_crash_nothing_is_lost_or_done_twice(world, storage, objects):
    job = world(1)
    (job.folders[0] / "1.pt").write_bytes(b"1")
    job.look(), job.look()
    first = objects.head("b", "ck/1.pt").modified
    sync(storage, job.spec, job.bundles, final=False)  # by a server that has just started
    assert objects.head("b", "ck/1.pt").modified == first


def test_the_last_look_waits_for_one_that_is_still_uploading(world, kept, storage, monkeypatch):
    job = world(1)
    (job.folders[0] / "1.pt").write_bytes(b"1")
    job.look()
    upload, uploading, go_on = storage.objects.put_open, threading.Event(), threading.Event()

    def slow(*arguments):
        uploading.set()
        assert go_on.wait(60)
        return upload(*arguments)

    monkeypatch.setattr(storage.objects, "put_open", slow)
    with ThreadPoolExecutor(2) as threads:
        early = threads.submit(job.look)
        assert uploading.wait(60)
        (job.folders[0] / "2.pt").write_bytes(b"2")
        last = threads.submit(job.look, final=True)
        go_on.set()
        early.result(), last.result()
    assert kept() == {"ck/1.pt": b"1", "ck/2.pt": b"2"}


@pytest.mark.parametrize("spoil", [lambda p: p.symlink_to("/etc/passwd"), os.mkfifo, lambda p: p.mkdir()])
def test_what_is_no_file_is_not_taken(world, kept, spoil):
    job = world(1)
    spoil(job.folders[0] / "1.pt")
    job.look(), job.look(), job.look(final=True)
    assert kept() == {}


def test_a_hole_of_terabytes_is_never_copied(world, kept):
    job = world(1)
    with (job.folders[0] / "1.pt").open("wb") as file:
        file.truncate(2**43)
    (job.folders[0] / "2.pt").write_bytes(b"2")
    job.look(), job.look()
    assert kept() == {"ck/2.pt": b"2"}
    with pytest.raises(WorkloadError, match=r"'1\.pt' says that it has 8796093022208 bytes"):
        job.look(final=True)


def test_a_file_that_grows_as_fast_as_it_is_read_is_copied_to_an_end(tmp_path):
    class Endless:
        def read(self, size):
            return b"x" * size

    with checkpoints._copied(Endless(), 1000, tmp_path) as copy:
        assert copy.read() == b"x" * 1000


def test_a_folder_that_is_a_link_has_nothing_to_say(world, kept, put):
    put({"ck/1.pt": b"1"})
    job = world(1)
    (job.folders[0] / "1.pt").unlink()
    job.folders[0].rmdir()
    job.folders[0].symlink_to("/etc")
    job.look(), job.look(final=True)
    assert kept() == {"ck/1.pt": b"1"}


def test_a_role_that_may_not_delete_keeps_what_it_wrote(world, kept, put, forbidden):
    put({"ck/1.pt": b"1"})
    job = world(1)
    (job.folders[0] / "1.pt").unlink()
    forbidden.add("s3:DeleteObject")
    job.look(final=True)
    assert kept() == {"ck/1.pt": b"1"}


def test_a_role_that_may_not_write(world, forbidden):
    job = world(1)
    (job.folders[0] / "1.pt").write_bytes(b"1")
    forbidden.add("s3:PutObject")
    with pytest.raises(NotAllowed, match=r"s3://b/ck/1\.pt"):
        job.look(final=True)


def test_a_bucket_that_is_not_there_fails_the_job_before_it_has_begun(storage, hosts):
    ((placing, bundle),) = hosts(CheckpointConfig={"S3Uri": "s3://nowhere/ck"})
    with pytest.raises(WorkloadError, match="Data download failed: the bucket nowhere of CheckpointConfig"):
        restore(storage, placing.spec, [bundle], never)


def test_a_bucket_that_is_deleted_while_the_program_runs(world, objects):
    job = world(1)
    objects.delete_bucket("b")
    with pytest.raises(WorkloadError, match="Data upload failed: the bucket b of CheckpointConfig"):
        job.look(final=True)


def test_a_job_without_checkpoints(storage, hosts):
    ((placing, bundle),) = hosts()
    restore(storage, placing.spec, [bundle], never)
    sync(storage, placing.spec, [bundle], final=True)
    assert list(mounts(placing.spec, bundle)) == []


def test_the_local_path_is_free_but_a_folder(hosts):
    ((_, bundle),) = hosts()
    spec = {"CheckpointConfig": {"S3Uri": "s3://b/ck"}}
    assert [mount.target for mount in mounts(spec, bundle)] == ["/opt/ml/checkpoints"]
    spec["CheckpointConfig"]["LocalPath"] = "/somewhere/else"
    assert [mount.target for mount in mounts(spec, bundle)] == ["/somewhere/else"]
    for wrong in ("relative", "/", "/.."):
        spec["CheckpointConfig"]["LocalPath"] = wrong
        with pytest.raises(WorkloadError, match="not an absolute path of a folder"):
            list(mounts(spec, bundle))
