"""CheckpointConfig: a folder that S3 has a copy of, from before the program starts until after it has ended
(https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html).

What S3 has is given to each host at its start. From then on each host's new, changed and deleted files become S3's; of
two hosts that write the same name the last one wins, as on AWS. A file is taken over once it has stood still from one
look to the next, so that a half-written one is never in S3; when all have ended, as it is.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from clary.compute.base import Mount
from clary.objects import Attributes
from clary.workload.bundle import Bundle, make_folder
from clary.workload.children import check_left
from clary.workload.download import Ended, download_prefix
from clary.workload.errors import NotAllowed, WorkloadError
from clary.workload.pack import is_hollow
from clary.workload.s3uri import as_key, canonical, split
from clary.workload.storage import RoleStorage
from clary.workload.tree import Entry, walk

LOCAL_PATH = "/opt/ml/checkpoints"
"""Where the program finds it, unless LocalPath says otherwise."""

Stamp = tuple[int, int, int]
"""Size, time of the last change in nanoseconds, number: a file that has the same as before has not changed."""

_MEMORY = "checkpoints.json"
_LOCK = "checkpoints.lock"
_PIECE = 64 * 2**20


def mounts(spec: Mapping[str, Any], bundle: Bundle) -> Iterator[Mount]:
    """The folder as the program sees it. Raises WorkloadError for a LocalPath that is no place."""
    config = spec.get("CheckpointConfig")
    if config:
        place = config.get("LocalPath") or LOCAL_PATH
        if not place.startswith("/") or os.path.normpath(place) == "/":
            raise WorkloadError(
                f"ClientError: CheckpointConfig.LocalPath {place!r} is not an absolute path of a folder."
            )
        yield Mount(str(bundle.checkpoints), place, writable=True)


def config_file(spec: Mapping[str, Any]) -> dict[str, Any]:
    """checkpointconfig.json: where a built-in algorithm writes its checkpoints; nothing without CheckpointConfig."""
    config = spec.get("CheckpointConfig")
    return {"LocalPath": config.get("LocalPath") or LOCAL_PATH, "S3Uri": config["S3Uri"]} if config else {}


def restore(storage: RoleStorage, spec: Mapping[str, Any], bundles: Sequence[Bundle], ended: Ended) -> None:
    """Give each host what S3 has. Raises WorkloadError (also for a bucket that is not there: better now than when hours
    of checkpoints have nowhere to go), NotAllowed, Cancelled, OSError.
    """
    config = spec.get("CheckpointConfig")
    if config:
        _require_bucket(storage, spec, "download")
    for bundle in bundles if config else ():
        make_folder(bundle.checkpoints)
        download_prefix(storage, f"{_base(spec)}/", bundle.checkpoints, ended)
        memory = _Memory(bundle)
        memory.kept = {entry.path: _stamp(entry.stat) for entry in walk(bundle.checkpoints) if entry.is_file}
        memory.save()


def sync(storage: RoleStorage, spec: Mapping[str, Any], bundles: Sequence[Bundle], *, final: bool) -> None:
    """Let S3 have what has changed since the last time: while the programs run what stands still, at the end all.

    May be called again after a crash, and while another call is at it. Raises WorkloadError, NotAllowed, OSError.
    """
    if spec.get("CheckpointConfig") and bundles[0].root.is_dir():
        with _alone(bundles[0]):
            _require_bucket(storage, spec, "upload")
            memories = [_Memory(bundle) for bundle in bundles]
            for memory in memories:
                others = [other for other in memories if other is not memory]
                _Sync(storage, _base(spec), memory, others, final=final).run()


@contextmanager
def _alone(bundle: Bundle) -> Iterator[None]:
    """One at a time: the last look may come while an earlier one is still uploading."""
    with (bundle.root / _LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _base(spec: Mapping[str, Any]) -> str:
    return canonical(spec["CheckpointConfig"]["S3Uri"]).rstrip("/")


def _require_bucket(storage: RoleStorage, spec: Mapping[str, Any], direction: str) -> None:
    bucket, _ = split(_base(spec))
    if not storage.has_bucket(bucket):
        raise WorkloadError(
            f"ClientError: Data {direction} failed: the bucket {bucket} of CheckpointConfig does not exist."
        )


def _stamp(has: os.stat_result) -> Stamp:
    return has.st_size, has.st_mtime_ns, has.st_ino


class _Memory:
    """What is known of one host's folder; lies beside it, out of the container's reach."""

    def __init__(self, bundle: Bundle) -> None:
        self.folder = bundle.checkpoints
        self.scratch = bundle.scratch
        self._path = bundle.root / _MEMORY
        known = json.loads(self._path.read_text()) if self._path.exists() else {}
        self.kept: dict[str, Stamp] = {name: tuple(stamp) for name, stamp in known.get("kept", {}).items()}
        """What S3 has of it."""
        self.seen: dict[str, Stamp] = {name: tuple(stamp) for name, stamp in known.get("seen", {}).items()}
        """What was there at the last look."""
        self.own: set[str] = set(known.get("own", ()))
        """What S3 has from this host, and not this host from S3."""

    def save(self) -> None:
        """Remember. Raises OSError."""
        fresh = self._path.with_suffix(".part")
        fresh.write_text(json.dumps({"kept": self.kept, "seen": self.seen, "own": sorted(self.own)}))
        fresh.replace(self._path)


class _Sync:
    """One look at one host's folder."""

    def __init__(
        self, storage: RoleStorage, base: str, memory: _Memory, others: Sequence[_Memory], *, final: bool
    ) -> None:
        self._storage, self._memory, self._others, self._final = storage, memory, others, final
        self._bucket, self._prefix = split(base)

    def run(self) -> None:
        memory, present = self._memory, {}
        if memory.folder.is_symlink() or not memory.folder.is_dir():  # gone, which does not say that all was deleted
            return
        try:
            for entry in walk(memory.folder):
                if entry.is_file:
                    present[entry.path] = _stamp(entry.stat)
                    self._look_at(entry, present[entry.path])
            self._delete(present)
            memory.seen = present
        finally:
            memory.save()

    def _look_at(self, entry: Entry, stamp: Stamp) -> None:
        still = self._final or self._memory.seen.get(entry.path) == stamp
        if self._memory.kept.get(entry.path) != stamp and still and self._upload(entry, stamp):
            self._memory.kept[entry.path] = stamp
            self._memory.own.add(entry.path)

    def _upload(self, entry: Entry, stamp: Stamp) -> bool:
        """Whether S3 has it now."""
        try:
            source = entry.open()
        except OSError:  # gone, or no file any more
            return False
        with source:
            if not self._final:
                return self._upload_copy(entry.path, source, stamp)
            check_left(entry.path, source)
            self._put(entry.path, source)
            return True

    def _upload_copy(self, path: str, source: BinaryIO, stamp: Stamp) -> bool:
        """Whether it stood still meanwhile. The program runs: it may write to its own, and fill what is a hole yet."""
        if is_hollow(os.fstat(source.fileno())):
            return False
        with _copied(source, stamp[0], self._memory.scratch) as copy:
            if _stamp(os.fstat(source.fileno())) != stamp:
                return False
            self._put(path, copy)
            return True

    def _put(self, path: str, file: BinaryIO) -> None:
        self._storage.put_open(self._bucket, self._key(path), file, Attributes())

    def _key(self, path: str) -> str:
        return f"{self._prefix}/{as_key(path)}" if self._prefix else as_key(path)

    def _delete(self, present: Mapping[str, Stamp]) -> None:
        """What is gone at two looks (it might be on its way to another name at one), and no other host has written."""
        memory = self._memory
        for path in [path for path in memory.kept if path not in present and (self._final or path not in memory.seen)]:
            if not any(path in other.own for other in self._others):
                with suppress(NotAllowed):  # a role that may write but not delete keeps all that it wrote
                    self._storage.delete(self._bucket, self._key(path))
            del memory.kept[path]
            memory.own.discard(path)


@contextmanager
def _copied(source: BinaryIO, size: int, folder: Path) -> Iterator[BinaryIO]:
    """A copy of `size` bytes that nobody else writes to, for as long as it is needed. Raises OSError."""
    folder.mkdir(exist_ok=True)
    path = folder / "checkpoint"
    path.unlink(missing_ok=True)
    try:
        with path.open("x+b") as copy:
            while size > 0 and (piece := source.read(min(size, _PIECE))):  # one may write as fast as is read
                copy.write(piece)
                size -= len(piece)
            copy.seek(0)
            yield copy
    finally:
        path.unlink(missing_ok=True)
