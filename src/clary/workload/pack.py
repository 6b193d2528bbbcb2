"""Archives, made and unpacked in a process of their own: `python -m clary.workload.pack make|unpack SOURCE TARGET`.

A child, since gzip keeps a core busy and since an archive that a request named is not to be trusted with a server
process. Exit code 0; 2 with one line on standard error where the archive is refused. Standard library only.
"""

from __future__ import annotations

import gzip
import os
import shutil
import stat
import sys
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

LEVEL = 1
"""gzip's: level 6 packs at 13 MB/s, level 1 at 87, for an archive a tenth larger."""

REFUSED = 2

_PIECE = 1 << 20


class Refused(Exception):
    """The archive holds what must not be unpacked, or is none."""


def make(source: Path, target: Path) -> None:
    """`source`'s content as `target`.tar.gz: regular files, folders, and links that stay within; synced.

    Whoever filled the folder may have left anything in it: nothing is followed, devices and sockets are left out.
    """
    fresh = target.with_suffix(".part")
    with fresh.open("wb") as raw:
        with (
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=LEVEL, mtime=0) as packed,
            tarfile.open(mode="w", fileobj=packed, format=tarfile.PAX_FORMAT) as archive,
        ):
            for path in _walk(source):
                _add(archive, path, source)
        raw.flush()
        os.fsync(raw.fileno())
    fresh.replace(target)


def _walk(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        yield entry
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)


def _add(archive: tarfile.TarFile, path: Path, root: Path) -> None:
    if path.is_socket():  # tarfile has no word for it
        return
    info = archive.gettarinfo(path, arcname=str(path.relative_to(root)))
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    if info.islnk():  # a second name of a file: its content once more
        info.type, info.linkname, info.size = tarfile.REGTYPE, "", path.lstat().st_size
    if info.isreg():
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:  # noqa: PTH123
            archive.addfile(info, file)
    elif info.isdir() or (info.issym() and _stays_within(path.parent, info.linkname, root)):
        archive.addfile(info)


def _stays_within(folder: Path, link: str, root: Path) -> bool:
    """Whether a link in `folder` (real folders up to `root`) leads to a place within `root`, judged by its text.

    `..` may stand at its head only: behind the name of another link it would lead anywhere.
    """
    parts = Path(link).parts
    climbs = next((i for i, part in enumerate(parts) if part != ".."), len(parts))
    if Path(link).is_absolute() or ".." in parts[climbs:]:
        return False
    return climbs <= len(folder.relative_to(root).parts)


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
    elif member.issym() and _stays_within(path.parent, member.linkname, root):
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
    command, source, target = arguments
    try:
        {"make": make, "unpack": unpack}[command](Path(source), Path(target))
    except Refused as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
