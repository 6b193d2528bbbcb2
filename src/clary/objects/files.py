"""The files of the object store: `files/ab/<id>`, the id random (a key is no path), never changed once written."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from clary.names import random_hex
from clary.objects.errors import BodyLost
from clary.wire.http import Segment

_ID = re.compile(r"[0-9a-f]{32}")
_FOLDER_LETTERS = 2  # 256 folders: soon all are there, and a new file costs no new folder
_MODE = 0o600
_COPY_BYTES = 16 * 2**20
_SYNC_FILE_RANGE = getattr(ctypes.CDLL(None), "sync_file_range", None)  # of Linux
_RANGE_WRITE = 2


class Files:
    """Makes, links, finds and removes files. All methods may be called from any thread and process."""

    def __init__(self, root: Path) -> None:
        self._root = root / "files"
        self._before = f"{self._root}/"

    def path(self, file: str) -> Path:
        """Where file `file` lies. Raises ValueError where `file` is no id."""
        if not _ID.fullmatch(file):
            raise ValueError(f"not a file's id: {file!r}")
        return Path(f"{self._before}{file[:_FOLDER_LETTERS]}/{file}")

    def create(self) -> tuple[str, int]:
        """A new empty file: its id and a descriptor open for reading and writing, to be closed by the caller."""
        file = random_hex()
        path = self.path(file)
        self._make_folder(path.parent)
        return file, os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)

    def keep(self, data: bytes) -> str:
        """A new file of these bytes, durable. Raises OSError; nothing is kept then."""
        file = random_hex()
        path = self.path(file)
        try:
            self._write_new(path, data)
            self.sync_folder(file)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return file

    def _write_new(self, path: Path, data: bytes) -> None:
        try:
            _write_synced(path, data)
        except FileNotFoundError:  # its folder is not there yet
            self._make_folder(path.parent)
            _write_synced(path, data)

    def take(self, descriptor: int) -> str:
        """A new file with the content of an open one, durable: a hard link, or a copy where no link can be made."""
        file = random_hex()
        path = self.path(file)
        self._make_folder(path.parent)
        try:
            _link(descriptor, path)
            os.fsync(descriptor)
        except OSError:  # another filesystem, another owner, or as many links as the filesystem allows
            path.unlink(missing_ok=True)
            _copy(descriptor, path)
        self.sync_folder(file)
        return file

    def join(self, segments: Iterable[Segment]) -> str:
        """A new file of the segments one after another; not synced. Raises FileNotFoundError, OSError."""
        file, descriptor = self.create()
        try:
            with os.fdopen(descriptor, "wb") as sink:
                copy_into(segments, sink)
        except BaseException:
            self.remove(file)
            raise
        return file

    def sync(self, file: str) -> None:
        """Make the file and its name durable."""
        sync(self.path(file))
        self.sync_folder(file)

    def free(self) -> int:
        """Bytes that the disk has left for us."""
        disk = os.statvfs(self._root.parent)
        return disk.f_bavail * disk.f_frsize

    def require(self, file: str) -> None:
        """Raises BodyLost where it is gone: everything was emptied, or it waited for its row for an hour."""
        if not self.path(file).exists():
            raise BodyLost

    def sync_folder(self, file: str) -> None:
        """Make the file's name durable."""
        sync(self.path(file).parent)

    def remove(self, file: str) -> None:
        """Remove it, if it is there."""
        self.path(file).unlink(missing_ok=True)

    def all(self) -> Iterator[tuple[str, float]]:
        """Every file's id, and when it was last written or linked (epoch seconds); those that go meanwhile are none."""
        for folder in self._root.glob("?" * _FOLDER_LETTERS):
            with os.scandir(folder) as entries:
                for entry in entries:
                    if _ID.fullmatch(entry.name) and (made := _made(entry)) is not None:
                        yield entry.name, made

    def _make_folder(self, folder: Path) -> None:
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync(self._root)


def _made(entry: os.DirEntry[str]) -> float | None:
    try:
        return entry.stat().st_ctime
    except FileNotFoundError:
        return None


def open_regular(path: Path) -> BinaryIO:
    """Open a file to read. Raises OSError for a link, a pipe or whatever else a container may have left there."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def sync(path: Path) -> None:
    """fsync a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def begin_writing(descriptor: int, offset: int, length: int) -> None:
    """Have the disk write a stretch of an open file while more of it comes: the sync at its end has less to wait for.

    No error is one here: the sync meets it.
    """
    if _SYNC_FILE_RANGE is not None:
        _SYNC_FILE_RANGE(descriptor, ctypes.c_int64(offset), ctypes.c_int64(length), _RANGE_WRITE)


def copy_segments(segments: Iterable[Segment], target: Path, mode: int = _MODE) -> None:
    """Write the segments one after another to the new file `target`; the filesystem shares blocks where it can.

    Raises FileExistsError where `target` is there. Not synced.
    """
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as sink:
        copy_into(segments, sink)


def write_pieces(pieces: Iterable[bytes], target: Path, mode: int = _MODE) -> None:
    """As `copy_segments`, of what is made piece by piece."""
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as sink:
        for piece in pieces:
            sink.write(piece)


def copy_into(segments: Iterable[Segment], sink: BinaryIO) -> None:
    """Append the segments to an open file; the filesystem shares blocks where it can."""
    for path, offset, length in segments:
        with path.open("rb") as source:
            _copy_range(source.fileno(), offset, length, sink.fileno())


def read_segments(segments: Iterable[Segment]) -> Iterator[bytes]:
    """The segments' bytes, in pieces."""
    for path, offset, length in segments:
        with path.open("rb") as source:
            source.seek(offset)
            left = length
            while left:
                data = source.read(min(left, _COPY_BYTES))
                if not data:
                    raise EOFError(f"{path} is shorter than its row says")
                left -= len(data)
                yield data


def _link(descriptor: int, path: Path) -> None:
    """Of the very file that is open, whatever its name means by now; its mode and owner become those of all our files.

    Raises OSError where it is somebody else's.
    """
    if os.fstat(descriptor).st_uid != os.geteuid():  # a container's, with ids of its own
        os.fchown(descriptor, os.geteuid(), os.getegid())
    os.fchmod(descriptor, _MODE)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.link(f"/proc/self/fd/{descriptor}", path.name, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _write_synced(path: Path, data: bytes) -> None:
    """A new file: what is written with O_DSYNC is on the disk, one call the less for a small one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_DSYNC, _MODE)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)


def _copy(descriptor: int, path: Path) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE), "wb") as sink:
        _copy_range(descriptor, 0, os.fstat(descriptor).st_size, sink.fileno())
        os.fsync(sink.fileno())


def _copy_range(source: int, offset: int, length: int, sink: int) -> None:
    while length:
        try:
            done = os.copy_file_range(source, sink, min(length, 2**30), offset)
        except OSError:  # not between these filesystems
            done = os.write(sink, os.pread(source, min(length, _COPY_BYTES), offset))
        if not done:
            raise EOFError("an object's file is shorter than its row says")
        offset, length = offset + done, length - done
