"""Files that are on the disk, whole, when the call returns."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def replace(path: Path, data: bytes) -> None:
    """`path` holds `data`, readable by its owner only; whatever dies meanwhile leaves what was there before.

    Makes the folder where it is not there. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with making(fresh) as file:
        file.write(data)
    fresh.replace(path)
    sync_folder(path.parent)


@contextmanager
def making(fresh: Path) -> Iterator[BinaryIO]:
    """A new file, on the disk when the block ends; it goes where it cannot be finished. Raises OSError."""
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """The names in a folder are on the disk. Raises OSError."""
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
