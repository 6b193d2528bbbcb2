"""`kill -9` while an object is encrypted, under a customer's key or one of KMS's: in a process of its own, at a line
that is named."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clary.objects import ObjectStore
from clary.objects.reader import ObjectReader
from clary.objects.sealing import unsealed

KEY = bytes(range(32))
TEXT = b"nobody shall read this "
BODY = TEXT * 20_000

WRITER = """
import os, signal, sys
from pathlib import Path
from clary.objects import ObjectStore
from clary.objects.body import Body, receive
from clary.objects.envelopes import DataKey
from clary.objects.files import Files

root, kind, line = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
plain, body = bytes(range(32)), b"nobody shall read this " * 20_000
envelope = {"wrapped": "d3JhcHBlZA==", "headers": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn"}}
key = DataKey(plain, envelope) if kind == "kms" else plain

def die(*_arguments):
    os.kill(os.getpid(), signal.SIGKILL)

def pieces():
    for at in range(0, len(body), 65_536):
        if line == "while it is written" and at > len(body) // 2:
            die()
        yield body[at : at + 65_536]

store = ObjectStore(root)
store.create_bucket("b", account="1", region="us-east-1")
store.put_bytes("b", "before", body[:100])
if line == "before its name is durable":
    Files.sync_folder = die
received = receive(store.files, pieces(), key=key)
if line == "before it has a row":
    die()
store.put("b", "k", received)
die()
"""


def killed(root: Path, kind: str, line: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WRITER, root, kind, line], capture_output=True, check=False, timeout=120
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.parametrize(
    ("kind", "line"),
    [("kms", "while it is written"), ("customer", "before its name is durable"), ("customer", "before it has a row")],
)
def test_killed_before_it_was_put_there_is_no_object_and_no_plain_text(tmp_path: Path, kind: str, line: str) -> None:
    killed(tmp_path, kind, line)
    assert not any(TEXT * 5 in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    store = ObjectStore(tmp_path)
    try:
        [left] = store.list("b")
        assert left.key == "before"
        assert store.collector.sweep(older_than=0) == 1
        assert {file for file, _ in store.files.all()} == {left.pieces[0].file}
        assert b"".join(store.read(left)) == BODY[:100]
    finally:
        store.close()


@pytest.mark.parametrize("kind", ["customer", "kms"])
def test_killed_after_it_was_put_it_is_there_and_needs_its_key(tmp_path: Path, kind: str) -> None:
    killed(tmp_path, kind, "afterwards")
    reader = ObjectReader(tmp_path)
    info = reader.head("b", "k")
    assert info is not None and info.attributes.sealed
    assert (info.attributes.wrapped, info.attributes.headers.get("SSEKMSKeyId")) == (
        ("d3JhcHBlZA==", "arn") if kind == "kms" else ("", None)
    )
    assert b"".join(reader.read(info, KEY)) == BODY
    with pytest.raises(OSError, match="not what was written"):
        list(unsealed(reader.files.path(info.pieces[0].file), bytes(32), info.size, 0, info.size))
