"""`kill -9` while lifecycle rules are carried out: in a process of its own, at a line that is named."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clary.objects import ObjectStore
from clary.services.s3.keeping import Lifecycles

DUE = [f"old/{number}" for number in range(7)]
NOT_DUE = ["new/0", "new/1"]

KEEPER = """
import os, signal, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from clary.objects import ObjectStore
from clary.services.s3 import keeping

root, line = Path(sys.argv[1]), sys.argv[2]
keeping._AT_ONCE = 3
store = ObjectStore(root)

def die():
    os.kill(os.getpid(), signal.SIGKILL)

later = datetime.now(UTC) + timedelta(days=9)
delete_many, calls = store.delete_many, []

def counted(*arguments):
    calls.append(arguments)
    if len(calls) == 2 and line == "between two commits":
        die()
    done = delete_many(*arguments)
    if len(calls) == 2 and line == "after a commit":
        die()
    return done

def removed(file):
    os.unlink(store.files.path(file))
    die()

store.delete_many = counted
keeping.Lifecycles(store, lambda: later).round()
store.files.remove = removed
store.collector.collect(now=later.timestamp())
"""


@pytest.mark.parametrize("line", ["between two commits", "after a commit", "while files are removed"])
def test_killed_anywhere_the_next_round_ends_it(tmp_path: Path, line: str) -> None:
    prepare(tmp_path)
    command = [sys.executable, "-c", KEEPER, tmp_path, line]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    store = ObjectStore(tmp_path)
    later = datetime.now(UTC) + timedelta(days=9)
    try:
        left = [info.key for info in store.list("b")]
        assert set(NOT_DUE) <= set(left) and len(left) < len(DUE) + len(NOT_DUE)
        Lifecycles(store, lambda: later).round()
        store.collector.collect(now=later.timestamp())
        assert [info.key for info in store.list("b")] == NOT_DUE
        kept = {piece.file for info in store.list("b") for piece in info.pieces}
        assert {file for file, _ in store.files.all()} == kept
    finally:
        store.close()


def prepare(root: Path) -> None:
    """A bucket with objects of which a rule lets go some."""
    store = ObjectStore(root)
    store.create_bucket("b", account="1", region="us-east-1")
    rule = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": 1}}
    store.set_bucket("b", "Lifecycle", {"Rules": [rule]})
    for key in DUE + NOT_DUE:
        store.put_bytes("b", key, key.encode())
    store.close()
