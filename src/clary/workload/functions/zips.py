"""Unpacking the zip of a function or layer: `python -m clary.workload.functions.zips ZIP FOLDER`, a process of its own,
since what is in it comes from a stranger."""

from __future__ import annotations

import shutil
import stat
import sys
import zipfile
from pathlib import Path, PurePosixPath

UNZIPPED_BYTES = 262_144_000
"""Of a function with all its layers (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""

_FILES = 100_000
_PIECE = 2**20


class BadZip(Exception):
    """It cannot be unpacked, or is too large when it is."""


def unzipped_bytes(file: Path) -> int:
    """What its directory says. Raises BadZip."""
    try:
        with zipfile.ZipFile(file) as archive:
            return sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise BadZip(str(error)) from error


def unpack(file: Path, folder: Path) -> None:
    """Into the new folder `folder`. Raises BadZip; what was unpacked by then is left there."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > _FILES:
                raise BadZip(f"more than {_FILES} files")
            left = UNZIPPED_BYTES
            folder.mkdir(mode=0o755)
            for member in members:
                left -= _unpack_one(archive, member, folder, left)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, RuntimeError) as error:
        raise BadZip(str(error)) from error


def _unpack_one(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, left: int) -> int:
    """How many bytes it took. Raises BadZip for a name that leads out, and where it takes more than `left`."""
    path = PurePosixPath(member.filename)
    if path.is_absolute() or ".." in path.parts:
        raise BadZip(f"a name that leads out of its folder: {member.filename!r}")
    target = folder / path
    if member.is_dir():
        target.mkdir(mode=0o755, parents=True, exist_ok=True)
        return 0
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    mode = member.external_attr >> 16
    with archive.open(member) as source, target.open("wb") as file:
        taken = 0
        while piece := source.read(_PIECE):
            taken += len(piece)
            if taken > left:
                raise BadZip(f"more than {UNZIPPED_BYTES} bytes")
            file.write(piece)
    target.chmod(0o755 if mode & stat.S_IXUSR else 0o644)
    return taken


def main() -> None:
    """The child: exit code 0, or 1 with the reason on standard output."""
    file, folder = Path(sys.argv[1]), Path(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    try:
        unpack(file, folder)
    except BadZip as error:
        sys.stdout.write(str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
