"""Archives, made and unpacked in a process of their own: `python -m clary.workload.pack make|unpack TARGET SOURCE…`.

A child, since gzip keeps cores busy and since an archive that a request named is not to be trusted with a server
process. Exit code 0; 2 with one line on standard error where the archive is refused, 3 where the disk is full. Standard
library only.
"""

from __future__ import annotations

import gzip
import os
import shutil
import stat
import sys
import tarfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from clary.full_disk import NO_SPACE
from clary.workload.deflating import Gzip
from clary.workload.parent import end_with_parent
from clary.workload.tree import Entry, merged

REFUSED = 2
FULL = 3

LARGEST_HOLE = 16 * 2**30
"""A file may be so much larger than what was written to it: packing a gigabyte of nothing takes seconds."""

_PIECE = 1 << 20


class Refused(Exception):
    """The archive holds what must not be unpacked, or is none."""


def make(sources: Sequence[Path], target: Path) -> None:
    """The content of all `sources` together as `target`.tar.gz: regular files, folders, links that stay within; synced.

    Where two have something of the same name, the first one's is taken. Whoever filled the folders may have left
    anything in them: nothing is followed, pipes, devices and sockets are left out. Raises Refused, OSError.
    """
    fresh = target.with_suffix(".part")
    try:
        with fresh.open("wb") as raw:
            with (
                Gzip(raw) as packed,
                tarfile.open(mode="w", fileobj=packed, format=tarfile.PAX_FORMAT) as archive,
            ):
                for entry in merged(sources):
                    _add(archive, entry)
            raw.flush()
            os.fsync(raw.fileno())
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def _add(archive: tarfile.TarFile, entry: Entry) -> None:
    info = tarfile.TarInfo(entry.path)
    info.mode, info.mtime = stat.S_IMODE(entry.stat.st_mode), int(entry.stat.st_mtime)
    info.uname = info.gname = "root"
    if entry.is_file:
        with suppress(FileNotFoundError):  # gone meanwhile
            _add_file(archive, entry, info)
    elif entry.is_folder:
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    elif entry.is_link:
        info.type, info.linkname = tarfile.SYMTYPE, entry.target()
        if _stays_within(entry.path.count("/"), info.linkname):
            archive.addfile(info)


def _add_file(archive: tarfile.TarFile, entry: Entry, info: tarfile.TarInfo) -> None:
    with entry.open() as file:
        has = os.fstat(file.fileno())
        check_holes(entry.path, has)
        info.size = has.st_size
        archive.addfile(info, file)


def check_holes(path: str, has: os.stat_result) -> None:
    """Raises Refused for a file that says it is far larger than what was ever written to it."""
    if is_hollow(has):
        raise Refused(f"{path!r} says that it has {has.st_size} bytes, but only {has.st_blocks * 512} were written")


def is_hollow(has: os.stat_result) -> bool:
    """Whether its holes alone would take longer to read than anybody waits, or fill the disk as a copy."""
    return has.st_size - has.st_blocks * 512 > LARGEST_HOLE


def _stays_within(depth: int, link: str) -> bool:
    """Whether a link that lies `depth` folders (real ones) below the root leads to a place within, judged by its text.

    `..` may stand at its head only: behind the name of another link it would lead anywhere.
    """
    parts = Path(link).parts
    climbs = next((i for i, part in enumerate(parts) if part != ".."), len(parts))
    return not Path(link).is_absolute() and ".." not in parts[climbs:] and climbs <= depth


def unpack(source: Path, target: Path) -> None:
    """The archive's content below `target`, writable for everybody. Raises Refused for members that climb out."""
    try:
        with tarfile.open(source, mode="r:*") as archive:
            for member in archive:
                _extract(archive, member, target)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Refused(f"it is no tar archive, or damaged: {error}") from error


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    path = _place(member.name, root)
    if path == root:
        return
    _make_parents(path.parent, root)
    if member.isdir():
        _make_parents(path, root)
    elif member.isreg():
        _write(archive, member, path)
    elif member.issym() and _stays_within(len(path.parent.relative_to(root).parts), member.linkname):
        _clear(path)
        path.symlink_to(member.linkname)
    elif member.islnk():
        _copy_linked(_place(member.linkname, root), path)
    else:
        raise Refused(f"member {member.name!r} is neither a file nor a folder nor a link within the archive")


def _place(name: str, root: Path) -> Path:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise Refused(f"member {name!r} climbs out of the archive")
    return root.joinpath(*parts)


def _make_parents(path: Path, root: Path) -> None:
    if path == root:
        return
    _make_parents(path.parent, root)
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        path.mkdir()
        path.chmod(0o777)
        return
    if not stat.S_ISDIR(mode):  # a link: what is written "below" it would lie elsewhere
        raise Refused(f"member {str(path.relative_to(root))!r} is a folder and something else")


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    _clear(path)
    source = archive.extractfile(member)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW), "wb") as file:  # noqa: PTH123
        if source is not None:
            shutil.copyfileobj(source, file, _PIECE)
        os.fchmod(file.fileno(), 0o666 | (member.mode & 0o111))
        os.utime(file.fileno(), (member.mtime, member.mtime))


def _copy_linked(source: Path, path: Path) -> None:
    if not stat.S_ISREG(source.lstat().st_mode if os.path.lexists(source) else 0):
        raise Refused(f"member {path.name!r} is a link to nothing")
    _clear(path)
    shutil.copy2(source, path, follow_symlinks=False)


def _clear(path: Path) -> None:
    """A later member of the same name takes the place of the earlier one."""
    if os.path.lexists(path):
        if path.is_dir() and not path.is_symlink():
            raise Refused(f"member {path.name!r} is a folder and something else")
        path.unlink()


def main(arguments: list[str]) -> int:
    """The child's program."""
    command, target, *sources = arguments
    try:
        if command == "make":
            make([Path(source) for source in sources], Path(target))
        else:
            unpack(Path(sources[0]), Path(target))
    except Refused as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        sys.stderr.write(f"{error}\n")
        return FULL
    return 0


if __name__ == "__main__":
    end_with_parent()  # else it would write what the next control has another write
    sys.exit(main(sys.argv[1:]))
