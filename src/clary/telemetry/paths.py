"""Where a log stream's file lies: names never become paths, since a group may be called `../..`."""

from __future__ import annotations

import hashlib
from pathlib import Path


def group_folder(logs_dir: Path, account: str, region: str, group: str) -> Path:
    """The folder of all streams of a group."""
    return logs_dir / _digest(account, region, group)


def stream_file(logs_dir: Path, account: str, region: str, group: str, stream: str) -> Path:
    """The file of a stream: the same for the same names, another for others."""
    return group_folder(logs_dir, account, region, group) / f"{_digest(stream)}.log"


def _digest(*names: str) -> str:
    """Of names that may hold any character but NUL."""
    return hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()[:32]
