"""The data folder belongs to one Clary at a time: the kernel's lock says so, a handle file says where it answers."""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from clary.errors import ClaryError
from clary.settings import Settings

_HANDLE = "clary.json"
_LOCKS = Path("/proc/locks")
_GLANCE_SECONDS = 0.001
"""What a look at the lock takes, and more."""


@dataclass(frozen=True)
class Handle:
    """The running Clary of a data folder, as others find it."""

    pid: int
    version: str
    started: float
    """Epoch seconds."""
    settings: Settings
    """As they are in force: a port that was left open is known by now."""


def take(settings: Settings) -> int:
    """Lock the data folder for as long as the returned descriptor is open. Raises ClaryError where it is in use."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(_path(settings), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        what = f"The data folder {settings.data_dir} cannot be used: {error.strerror}."
        raise ClaryError(what, "Choose another with `--data-dir`.") from error
    if not _locked(descriptor):
        os.close(descriptor)
        raise _in_use(settings)
    return descriptor


def _locked(descriptor: int) -> bool:
    """False where a Clary has it. Who only looks whether one has (`held`) shares it for a moment, which is waited
    for."""
    while not _flocked(descriptor, fcntl.LOCK_EX):
        if not _flocked(descriptor, fcntl.LOCK_SH):
            return False
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        time.sleep(_GLANCE_SECONDS)
    return True


def _flocked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def held(settings: Settings) -> bool:
    """Whether a Clary runs on the data folder now."""
    try:
        descriptor = os.open(_path(settings), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _flocked(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def write_handle(settings: Settings, handle: Handle) -> None:
    """Say where this Clary answers; replaced whole, so that nobody reads half of it."""
    path = _handle_path(settings)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({**vars(handle), "settings": handle.settings.dumps()}, indent=1))
    fresh.replace(path)


def read_handle(settings: Settings) -> Handle | None:
    """The handle, which also stays behind when a Clary was killed; None after an orderly end."""
    try:
        said = json.loads(_handle_path(settings).read_text())
        return Handle(**{**said, "settings": Settings.loads(said["settings"])})
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, KeyError):
        return None


def remove_handle(settings: Settings) -> None:
    """The orderly end: nothing is left to be found."""
    _handle_path(settings).unlink(missing_ok=True)


def running(settings: Settings) -> Handle | None:
    """The Clary that runs on the data folder, None where none does. It may be still starting: then the handle is not
    there yet, or that of one that was killed, whose process id may be anybody's by now."""
    handle = read_handle(settings) if held(settings) else None
    holders = _holders(settings)
    return handle if handle is not None and (not holders or handle.pid in holders) else None


def _holders(settings: Settings) -> set[int]:
    """Who has the lock, as the kernel says (proc_locks(5)); nobody where it does not say, or of a process that cannot
    be seen from here. Devices are not compared: some file systems have two numbers for one."""
    try:
        lines = [line.split() for line in _LOCKS.read_text().splitlines()]
        inode = str(_path(settings).stat().st_ino)
    except OSError:
        return set()
    found = {int(line[4]) for line in lines if line[1:2] == ["FLOCK"] and line[5].endswith(f":{inode}")}
    return {pid for pid in found if pid > 0}


def _path(settings: Settings) -> Path:
    return settings.data_dir / "lock"


def _handle_path(settings: Settings) -> Path:
    return settings.run_dir / _HANDLE


def _in_use(settings: Settings) -> ClaryError:
    handle = read_handle(settings)
    where = f" (process {handle.pid}, {handle.settings.endpoint_url})" if handle else ""
    return ClaryError(
        f"The data folder {settings.data_dir} is in use by a running Clary{where}.",
        "Stop it with `clary down`, or choose another folder with `--data-dir`.",
    )
