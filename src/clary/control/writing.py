"""The right to write: one control per data folder, even while a former one is still finishing."""

from __future__ import annotations

import fcntl
import os
import select
import time
from pathlib import Path

from clary.errors import ClaryError

PATIENCE = 15.0
"""Seconds: a control whose supervisor was killed finishes its calls and goes well within them."""

_PAUSE = 0.02


def only_writer(data_dir: Path, patience: float = PATIENCE) -> int:
    """Wait until no other control writes; the lock holds as long as the returned descriptor is open.

    Raises ClaryError where another keeps it.
    """
    path = data_dir / "control.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience
    while not _taken(descriptor):
        if time.monotonic() >= deadline:
            os.close(descriptor)
            raise ClaryError(f"Another process of Clary still writes to {data_dir}.", f"`fuser {path}` shows which.")
        select.select([], [], [], _PAUSE)
    return descriptor


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
