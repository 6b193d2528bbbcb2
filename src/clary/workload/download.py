"""From S3 into a folder: writable copies, in places that cannot climb out of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from clary.objects.model import ObjectInfo
from clary.workload.bundle import FILE_MODE, make_folder
from clary.workload.errors import Cancelled, WorkloadError
from clary.workload.s3uri import join, split
from clary.workload.storage import RoleStorage

_MANIFEST_BYTES = 64 * 2**20

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
    """Where `name` lies below `folder`. Raises WorkloadError for a name that would climb out of it."""
    parts = [part for part in name.split("/") if part]
    if not parts or ".." in parts or "." in parts or "\0" in name:
        raise WorkloadError(f"ClientError: Data download failed: the key {name!r} cannot be a path.")
    return folder.joinpath(*parts)


def download_prefix(storage: RoleStorage, uri: str, folder: Path, ended: Ended = never) -> int:
    """Copies of all objects whose keys begin with `uri`; how many there were.

    Raises WorkloadError for keys that cannot be paths, NotAllowed, Cancelled.
    """
    bucket, prefix = split(uri)
    count = 0
    for info in storage.list(bucket, prefix):
        _copy(storage, info, relative_name(info.key, prefix), folder, ended)
        count += 1
    return count


def download_manifest(storage: RoleStorage, uri: str, folder: Path, ended: Ended = never) -> int:
    """Copies of all objects that the manifest at `uri` names: `[{"prefix": "s3://b/p/"}, "a.csv", …]`
    (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html); how many there were.
    """
    base, names = _manifest(read_object(storage, uri, _MANIFEST_BYTES), uri)
    for name in names:
        bucket, key = split(join(base, name) if base else name)
        info = storage.head(bucket, key)
        if info is None:
            raise WorkloadError(f"ClientError: Data download failed: s3://{bucket}/{key} of {uri} does not exist.")
        _copy(storage, info, name if base else key, folder, ended)
    return len(names)


def read_object(storage: RoleStorage, uri: str, limit: int) -> bytes:
    """A small object's bytes. Raises WorkloadError where there is none, or it is larger than `limit`."""
    info = find(storage, uri)
    if info.size > limit:
        raise WorkloadError(f"ClientError: {uri} is larger than {limit} bytes.")
    return b"".join(storage.read(info))


def find(storage: RoleStorage, uri: str) -> ObjectInfo:
    """The object at `uri`. Raises WorkloadError where there is none."""
    bucket, key = split(uri)
    info = storage.head(bucket, key)
    if info is None:
        raise WorkloadError(f"ClientError: Could not find the object {uri}.")
    return info


def _manifest(raw: bytes, uri: str) -> tuple[str, list[str]]:
    try:
        entries: Any = json.loads(raw)
        prefixes = [entry["prefix"] for entry in entries if isinstance(entry, dict)]
        names = [entry for entry in entries if isinstance(entry, str)]
    except (ValueError, TypeError, KeyError):
        raise WorkloadError(f"ClientError: Data download failed: {uri} is no manifest.") from None
    if len(prefixes) > 1 or not all(isinstance(prefix, str) for prefix in prefixes):
        raise WorkloadError(f"ClientError: Data download failed: the manifest {uri} has more than one prefix.")
    return (prefixes[0] if prefixes else ""), names


def _copy(storage: RoleStorage, info: ObjectInfo, name: str, folder: Path, ended: Ended) -> None:
    if ended():
        raise Cancelled
    if name == "" or (name.endswith("/") and info.size == 0):  # a folder, as consoles make them
        return
    target = place(folder, name)
    try:
        for parent in _missing(target.parent, folder):
            make_folder(parent)
        storage.copy_to(info, target, FILE_MODE)
        target.chmod(FILE_MODE)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        text = f"ClientError: Data download failed: {info.key!r} is both a file and a folder, or comes twice."
        raise WorkloadError(text) from None


def _missing(path: Path, folder: Path) -> Iterator[Path]:
    """The folders from `folder` down to `path` that are not there, uppermost first."""
    if path != folder and not path.exists():
        yield from _missing(path.parent, folder)
        yield path
