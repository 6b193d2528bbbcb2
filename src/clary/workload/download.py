"""From S3 into a folder, as copies or as links, in places that cannot climb out of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from clary.objects.model import ObjectInfo
from clary.workload.bundle import FILE_MODE, make_folder
from clary.workload.errors import Cancelled, WorkloadError, room_for
from clary.workload.s3uri import split
from clary.workload.storage import RoleStorage

DATA_DOWNLOAD = "Data download"
"""As FailureReason names it."""

_MANIFEST_BYTES = 64 * 2**20

_LONGEST_NAME = 255
"""Bytes: of a file, by the file systems that there are; a key may have more between two slashes."""

Ended = Callable[[], bool]
"""Whether the download is not wanted any more; asked before each file."""


def never() -> bool:
    """An `Ended` that never ends."""
    return False


def relative_name(key: str, prefix: str) -> str:
    """Where an object that matches `prefix` lies in its channel.

    `data/` or `data` + `data/a/b.csv` → `a/b.csv`; an object named itself, `data/b.csv` → `b.csv`; a prefix that ends
    within a name keeps that name whole: `data/par` + `data/part-1.csv` → `part-1.csv`.
    """
    below = prefix if prefix.endswith("/") or not prefix else prefix + "/"
    if key.startswith(below):
        return key[len(below) :]
    return key[prefix.rfind("/") + 1 :]


def place(folder: Path, name: str) -> Path:
    """Where `name` lies below `folder`. Raises WorkloadError for one that climbs out of it, or no file can have."""
    parts = [part for part in name.split("/") if part]
    too_long = any(len(part.encode(errors="replace")) > _LONGEST_NAME for part in parts)
    if not parts or ".." in parts or "." in parts or "\0" in name or too_long:
        raise WorkloadError(f"ClientError: Data download failed: the key {name!r} cannot be a path.")
    return folder.joinpath(*parts)


@dataclass(frozen=True)
class Item:
    """An object, and the name that it has where it is put."""

    name: str
    info: ObjectInfo

    @property
    def is_folder(self) -> bool:
        """A folder as consoles make them: an empty object whose name ends with a slash."""
        return self.name == "" or (self.name.endswith("/") and self.info.size == 0)

    @property
    def uri(self) -> str:
        """Its address."""
        return f"s3://{self.info.bucket}/{self.info.key}"


def items_of_prefix(storage: RoleStorage, uri: str) -> Iterator[Item]:
    """All objects whose keys begin with `uri`, in order; none where there is no such bucket. Raises NotAllowed."""
    bucket, prefix = split(uri)
    if storage.has_bucket(bucket):
        yield from (Item(relative_name(info.key, prefix), info) for info in storage.list(bucket, prefix))


def items_of_manifest(storage: RoleStorage, uri: str) -> Iterator[Item]:
    """All objects that the manifest at `uri` names, in its order: `[{"prefix": "s3://b/p/"}, "a.csv", …]`
    (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html).

    Raises WorkloadError for what is no manifest, or names what does not exist; NotAllowed.
    """
    base, names = _manifest(read_object(storage, uri, _MANIFEST_BYTES), uri)
    return (Item(name, find_data(storage, base + name)) for name in names)


def link(storage: RoleStorage, item: Item, folder: Path) -> None:
    """Name an object's own file below `folder`, which nobody may write to.

    Raises WorkloadError for a key that cannot be a path, NotAllowed, OSError.
    """
    _put(item, folder, storage.link_to)


def download_prefix(storage: RoleStorage, uri: str, folder: Path, ended: Ended = never) -> int:
    """Writable copies of all objects whose keys begin with `uri`; how many there were.

    Raises WorkloadError for keys that cannot be paths and where the disk is full, NotAllowed, Cancelled.
    """
    count = 0
    with room_for(DATA_DOWNLOAD):
        for item in items_of_prefix(storage, uri):
            if ended():
                raise Cancelled
            count += 1
            if not item.is_folder:
                _put(item, folder, lambda info, target: _copy(storage, info, target))
    return count


def _copy(storage: RoleStorage, info: ObjectInfo, target: Path) -> None:
    storage.copy_to(info, target, FILE_MODE)
    target.chmod(FILE_MODE)


def _put(item: Item, folder: Path, make: Callable[[ObjectInfo, Path], None]) -> None:
    target = place(folder, item.name)
    try:
        for parent in _missing(target.parent, folder):
            make_folder(parent)
        make(item.info, target)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        text = f"ClientError: Data download failed: {item.info.key!r} is both a file and a folder, or comes twice."
        raise WorkloadError(text) from None


def read_object(storage: RoleStorage, uri: str, limit: int) -> bytes:
    """A small object's bytes. Raises WorkloadError where there is none, or it is larger than `limit`."""
    info = find_data(storage, uri)
    if info.size > limit:
        raise WorkloadError(f"ClientError: {uri} is larger than {limit} bytes.")
    return b"".join(storage.read(info))


def find(storage: RoleStorage, uri: str) -> ObjectInfo:
    """The object at `uri`. Raises WorkloadError where there is none, NotAllowed."""
    return _found(storage, uri, f"ClientError: Could not find the object {uri}.")


def find_data(storage: RoleStorage, uri: str) -> ObjectInfo:
    """An object of a channel. Raises WorkloadError, in AWS's words, where there is none; NotAllowed."""
    return _found(storage, uri, f"ClientError: Data download failed:S3 key: {uri} matched no files on s3")


def _found(storage: RoleStorage, uri: str, otherwise: str) -> ObjectInfo:
    bucket, key = split(uri)
    info = storage.head(bucket, key) if storage.has_bucket(bucket) else None
    if info is None:
        raise WorkloadError(otherwise)
    return info


def _manifest(raw: bytes, uri: str) -> tuple[str, list[str]]:
    """The prefix and the names."""
    try:
        first, *names = json.loads(raw)
        prefix = first["prefix"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _no_manifest(uri, "it is no JSON array that begins with a prefix") from None
    if not isinstance(prefix, str) or not all(isinstance(name, str) for name in names):
        raise _no_manifest(uri, "what follows its prefix must be strings, relative to it")
    return prefix, names


def _no_manifest(uri: str, why: str) -> WorkloadError:
    """No public source shows AWS's words for it."""
    return WorkloadError(f"ClientError: Data download failed:Invalid manifest file {uri}: {why}.")


def _missing(path: Path, folder: Path) -> Iterator[Path]:
    """The folders from `folder` down to `path` that are not there, uppermost first."""
    if path != folder and not path.exists():
        yield from _missing(path.parent, folder)
        yield path
