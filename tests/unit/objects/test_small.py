"""Small bodies: kept with the row that names them, in no file."""

import base64
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from clary.errors import AWSError
from clary.objects import ObjectReader, ObjectStore, small
from clary.objects.customer_keys import key_of_headers
from clary.objects.garbage import GRACE_SECONDS
from clary.objects.schema import _MIGRATIONS, NAME
from clary.wire.http import HttpRequest

BODY = bytes(range(256)) * 40


class Refused(AWSError):
    def __init__(self):
        super().__init__("PreconditionFailed", "no", status=412)


def refuse(_):
    raise Refused


def request(**headers):
    return HttpRequest("PUT", "/bucket/key", headers=headers)


async def pieces(body):
    for start in range(0, len(body), 5000):
        yield body[start : start + 5000]


def kept(store):
    return [file for (file,) in store._connections.get().execute("SELECT file FROM small")]


def files(store):
    return list(store.files.all())


def late(store):
    """Collect what was deleted just now."""
    return store.collector.collect(now=2e9 + 2 * GRACE_SECONDS)


@pytest.fixture
async def received(intake):
    return await intake.keep(BODY, request(), whole=True)


@pytest.fixture
def info(store, bucket, received):
    return store.put(bucket, "k", received)


async def test_it_is_there_once_its_row_is_and_has_no_file(store, reader, bucket, intake):
    received = await intake.receive(pieces(BODY), request(), whole=True)
    assert kept(store) == files(store) == []
    info = store.put(bucket, "k", received)
    assert (len(kept(store)), files(store)) == (1, [])
    assert b"".join(reader.read(reader.head(bucket, "k"))) == BODY
    assert (info.size, info.etag) == (len(BODY), received["md5"])


@pytest.mark.parametrize(("start", "length"), [(0, 0), (0, 1), (5, 300), (10_239, 1), (0, 10_240)])
def test_any_stretch_of_it_is_read(reader, info, start, length):
    assert b"".join(reader.unsealed(info, None, start, length)) == BODY[start : start + length]
    extent = reader.extent(info, start, length)
    assert (extent.segments, extent.size) == ((), length)
    assert b"".join(extent.made()) == BODY[start : start + length]


@pytest.mark.parametrize("size", [0, 1, small.LARGEST])
@pytest.mark.parametrize("how", ["keep", "receive"])
async def test_up_to_a_size_the_whole_of_an_object_is_small(store, bucket, intake, how, size):
    body = os.urandom(size)
    given = body if how == "keep" else pieces(body)
    info = store.put(bucket, "k", await getattr(intake, how)(given, request(), whole=True))
    assert (len(kept(store)), files(store), b"".join(store.read(info))) == (1, [], body)


@pytest.mark.parametrize(("size", "whole"), [(small.LARGEST + 1, True), (10, False)])
async def test_what_is_larger_and_parts_are_files(store, bucket, intake, size, whole):
    body = os.urandom(size)
    for received in (
        await intake.keep(body, request(), whole=whole),
        await intake.receive(pieces(body), request(), whole=whole),
    ):
        info = store.put(bucket, "k", received)
        assert (kept(store), store.files.path(info.pieces[0].file).read_bytes()) == ([], body)


async def test_what_was_said_to_be_small_and_is_not_is_a_file(store, bucket, intake):
    body = os.urandom(3 * small.LARGEST)
    info = store.put(bucket, "k", await intake.receive(pieces(body), request(**{"content-length": "5"}), whole=True))
    assert (kept(store), store.files.path(info.pieces[0].file).read_bytes()) == ([], body)


async def test_what_is_encrypted_is_a_file(store, bucket, intake):
    key = bytes(range(32))
    headers = {
        "x-amz-server-side-encryption-customer-algorithm": "AES256",
        "x-amz-server-side-encryption-customer-key": base64.b64encode(key).decode(),
        "x-amz-server-side-encryption-customer-key-md5": base64.b64encode(hashlib.md5(key).digest()).decode(),
    }
    assert key_of_headers(headers)
    for received in (
        await intake.keep(BODY, request(**headers), whole=True),
        await intake.receive(pieces(BODY), request(**headers), whole=True),
    ):
        info = store.put(bucket, "k", received)
        assert kept(store) == [] and info.attributes.sealed
        assert store.files.path(info.pieces[0].file).stat().st_size > len(BODY)


async def test_a_wrong_checksum_leaves_nothing(store, intake):
    with pytest.raises(AWSError, match="CRC32"):
        await intake.keep(BODY, request(**{"x-amz-checksum-crc32": "AAAAAA=="}), whole=True)
    assert kept(store) == files(store) == []


def test_what_is_refused_leaves_nothing(store, bucket, received):
    with pytest.raises(Refused):
        store.put(bucket, "k", received, guard=refuse)
    with pytest.raises(AWSError):
        store.put("no-such-bucket", "k", received)
    store.forget(received)
    assert kept(store) == files(store) == []


def test_put_once_more_it_is_done_already(store, bucket, received, info):
    assert store.put(bucket, "k", received, guard=refuse) == info
    store.delete(bucket, ["k"])
    assert (late(store), kept(store)) == (1, [])
    again = store.put(bucket, "k", received)
    assert (late(store), b"".join(store.read(again))) == (0, BODY)


@pytest.mark.parametrize("change", ["delete", "overwrite"])
def test_a_download_that_has_begun_can_end_and_then_it_goes(store, reader, bucket, info, change):
    if change == "delete":
        store.delete(bucket, ["k"])
    else:
        store.put_bytes(bucket, "k", b"new")
    assert b"".join(reader.read(info)) == BODY
    assert (late(store), kept(store)) == (1, [])
    with pytest.raises(FileNotFoundError):
        list(reader.read(info))


def test_a_version_of_it_is_kept(store, reader, bucket, received):
    store.set_bucket(bucket, "Versioning", {"Status": "Enabled"})
    first = store.put(bucket, "k", received)
    store.put_bytes(bucket, "k", b"new")
    assert late(store) == 0
    assert b"".join(reader.read(reader.version(bucket, "k", first.version))) == BODY


def test_a_copy_outlives_it(store, reader, bucket, info):
    copy = store.copy(info, bucket, "copy", info.attributes, algorithm="SHA256")
    store.delete(bucket, ["k"])
    assert (late(store), len(kept(store)), files(store)) == (1, 1, [])
    assert b"".join(reader.read(copy)) == BODY
    assert (copy.etag, list(copy.attributes.checksums)) == (info.etag, ["SHA256"])


def test_who_needs_a_file_gets_one_of_its_own(store, reader, info, tmp_path):
    store.link_to(info, tmp_path / "linked")
    reader.copy_to(info, tmp_path / "copied", 0o640)
    assert (tmp_path / "linked").read_bytes() == (tmp_path / "copied").read_bytes() == BODY
    with pytest.raises(FileExistsError):
        store.link_to(info, tmp_path / "linked")
    with pytest.raises(ValueError, match="not a file's id"):
        reader.segments(info)


def test_sweeping_and_clearing(store, info):
    assert (store.collector.sweep(older_than=-60), b"".join(store.read(info))) == (0, BODY)
    store.clear()
    assert kept(store) == []


def test_a_folder_without_small_bodies_opens_and_can_keep_them_then(root):
    root.mkdir()
    old = sqlite3.connect(root / NAME)
    old.executescript(f"{_MIGRATIONS[0]} {_MIGRATIONS[1]} PRAGMA user_version=2;")
    old.close()
    store = ObjectStore(root)
    assert kept(store) == []
    store.close()


WRITER = """
import asyncio, os, signal, sys
from pathlib import Path
from clary.objects import Intake, ObjectStore, small
from clary.wire.http import HttpRequest

root, line = Path(sys.argv[1]), sys.argv[2]

def die(*_arguments):
    os.kill(os.getpid(), signal.SIGKILL)

store, intake = ObjectStore(root), Intake(root)
store.create_bucket("b", account="1", region="us-east-1")
received = asyncio.run(intake.keep(b"body", HttpRequest("PUT", "/b/k"), whole=True))
if line == "before it is inserted":
    small.insert = die
if line == "before its row is written":
    import clary.objects.objects
    clary.objects.objects.make_current = die
store.put("b", "k", received)
die()
"""


@pytest.mark.parametrize(
    ("line", "there"), [("before it is inserted", 0), ("before its row is written", 0), ("afterwards", 1)]
)
def test_killed_at_any_line_row_and_body_are_both_there_or_neither(root, line, there):
    done = subprocess.run([sys.executable, "-c", WRITER, root, line], capture_output=True, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    reader = ObjectReader(root)
    named = [file for info in reader.list("b") for file, *_ in json.loads(info.layout)]
    assert named == kept(reader) and len(named) == there
    assert [b"".join(reader.read(info)) for info in reader.list("b")] == [b"body"] * there
