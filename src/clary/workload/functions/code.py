"""Code on the disk: zips by their digest, durably; and unpacked, as they are mounted."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from clary.names import random_hex
from clary.workload.errors import WorkloadError
from clary.workload.functions.zips import UNZIPPED_BYTES, unzipped_bytes

_UNPACK_SECONDS = 120.0
_YOUNG_SECONDS = 3600.0
"""What nobody names is left for so long: its row may be about to be written, an environment may still see it."""


class CodeStore:
    """Zips below `folder/zips`, trees below `folder/trees`. For one process."""

    def __init__(self, folder: Path) -> None:
        self._zips = folder / "zips"
        self._trees = folder / "trees"

    def put(self, pieces: Iterable[bytes]) -> str:
        """Keep a zip; its SHA-256 in hex. When this returns it is on the disk."""
        self._zips.mkdir(parents=True, exist_ok=True)
        fresh, digest = self._zips / f"{random_hex(8)}.new", hashlib.sha256()
        with fresh.open("wb") as file:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.zip_of(digest.hexdigest()))
        return digest.hexdigest()

    def zip_of(self, digest: str) -> Path:
        """Where a zip lies."""
        return self._zips / f"{digest}.zip"

    def size(self, digest: str) -> int:
        """CodeSize."""
        return self.zip_of(digest).stat().st_size

    def tree(self, digest: str) -> Path:
        """The zip unpacked; made where it is not there. Raises WorkloadError where it cannot be."""
        return self._made(self._trees / digest, lambda fresh: _unpack(self.zip_of(digest), fresh))

    def merged(self, digests: Sequence[str]) -> Path:
        """Several unpacked, one over the other: the last one wins."""

        def lay_over(fresh: Path) -> None:
            fresh.mkdir(mode=0o755)
            for digest in digests:
                shutil.copytree(self.tree(digest), fresh, dirs_exist_ok=True, symlinks=True, copy_function=_link)

        name = hashlib.sha256("\n".join(digests).encode()).hexdigest()
        return self._made(self._trees / f"layers-{name}", lay_over)

    def unzipped_bytes(self, digests: Iterable[str]) -> int:
        """What they take unpacked, by their own word. Raises BadZip."""
        return sum(unzipped_bytes(self.zip_of(digest)) for digest in digests)

    def sweep(self, used: Collection[str]) -> None:
        """Remove zips and trees that no row names, except young ones. Merged layers are made again where needed."""
        before = time.time() - _YOUNG_SECONDS
        for folder in (self._zips, self._trees):
            for path in list(folder.glob("*")):
                with suppress(FileNotFoundError):
                    if path.stem not in used and path.stat().st_mtime < before:
                        shutil.rmtree(path) if path.is_dir() else path.unlink()

    def clear(self) -> None:
        """Everything goes: Clary's reset."""
        shutil.rmtree(self._zips, ignore_errors=True)
        shutil.rmtree(self._trees, ignore_errors=True)

    def _made(self, target: Path, make: Callable[[Path], None]) -> Path:
        if not target.exists():
            self._trees.mkdir(parents=True, exist_ok=True)
            fresh = target.with_name(f"{random_hex(8)}.new")
            try:
                make(fresh)
                with suppress(OSError):  # somebody else has made it meanwhile
                    fresh.rename(target)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
        return target


def base64_digest(digest: str) -> str:
    """CodeSha256, of the digest in hex."""
    return base64.b64encode(bytes.fromhex(digest)).decode()


def too_large(size: int) -> bool:
    """Whether AWS would refuse what takes so much unpacked."""
    return size >= UNZIPPED_BYTES


def _unpack(file: Path, folder: Path) -> None:
    command = [sys.executable, "-I", "-m", "clary.workload.functions.zips", str(file), str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_UNPACK_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise WorkloadError(f"The code was not unpacked within {_UNPACK_SECONDS:.0f} seconds.") from None
    if done.returncode:
        said = done.stdout or done.stderr.strip().splitlines()[-1]
        raise WorkloadError(f"Could not unzip the code: {said}.")


def _link(source: str, target: str) -> str:
    with suppress(FileNotFoundError):
        Path(target).unlink()
    os.link(source, target)
    return target
