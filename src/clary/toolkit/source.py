"""The user's sources: fetched from S3, unpacked or copied into the code folder."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import Mapping, Set

from clary.toolkit import s3
from clary.toolkit.errors import ClientError

_ARCHIVE = "sourcedir.tar.gz"


def prepare(uri: str, code: Path, environ: Mapping[str, str]) -> None:
    """Put the sources that `uri` names into `code`: an object in S3, a folder, an archive or a single file.

    Nothing happens where the folder holds something already: an image may bring its code with it.
    Raises ClientError.
    """
    code.mkdir(parents=True, exist_ok=True)
    if any(code.iterdir()):
        return
    if uri.startswith("s3://"):
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / _ARCHIVE
            s3.download(uri, archive, environ)
            unpack(archive, code)
    else:
        _from_disk(Path(uri), code)


def _from_disk(source: Path, code: Path) -> None:
    if source == code:
        return
    if source.is_dir():
        _copy_tree(source, code)
    elif not source.exists():
        raise ClientError(f"No such file or directory: {source}")
    elif tarfile.is_tarfile(str(source)):
        unpack(source, code)
    else:
        shutil.copy2(str(source), str(code))


def _copy_tree(source: Path, target: Path) -> None:
    for entry in source.iterdir():
        if entry.is_dir():
            shutil.copytree(str(entry), str(target / entry.name), symlinks=True)
        else:
            shutil.copy2(str(entry), str(target / entry.name))


def unpack(archive: Path, target: Path) -> None:
    """Unpack a tar archive. Raises ClientError where it is none, or where a member climbs out of `target`."""
    try:
        with tarfile.open(str(archive)) as tar:
            members = tar.getmembers()
            links = {os.path.normpath(member.name) for member in members if member.issym()}
            for member in members:
                _check(member, links)
            tar.extractall(str(target), members)  # noqa: S202 - every member was checked
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ClientError(f"{archive.name} cannot be unpacked: {error}") from error


def _check(member: tarfile.TarInfo, links: Set[str]) -> None:
    """Refuse what lies outside, points outside, is reached through a link of the archive, or is a device."""
    place = Path(os.path.normpath(member.name))
    pointed = place
    if member.islnk():
        pointed = Path(os.path.normpath(member.linkname))
    elif member.issym():
        pointed = Path(os.path.normpath(place.parent / member.linkname))
    behind_link = any(str(parent) in links for parent in place.parents)
    if _outside(place) or _outside(pointed) or behind_link or member.isdev():
        raise ClientError(f"{member.name!r} in {_ARCHIVE} points outside of its folder")
    member.uid, member.gid = os.getuid(), os.getgid()
    member.uname = member.gname = ""


def _outside(place: Path) -> bool:
    return place.is_absolute() or place.parts[:1] == ("..",)
