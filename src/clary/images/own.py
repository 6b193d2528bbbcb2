"""The user's own images: folders with the two programs of the container contract, under names (`clary images add`).

They lie in the data folder: one folder per content, named by its digest, and an index of names that is replaced by
rename. Whoever has an image of a container open goes on with it when the name means another one.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clary.errors import ClaryError
from clary.images.addresses import Address
from clary.images.base import Image
from clary.images.programs import ProgramImage

_NAME = re.compile(r"(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?\Z")


@dataclass(frozen=True)
class Entry:
    """A line of the index."""

    name: str
    """`REPOSITORY:TAG`, or `ACCOUNT/REPOSITORY:TAG` where it was added by its whole address."""
    created: float
    image: ProgramImage


class OwnImages:
    """The images below `folder`. `account` is whose registry a name without one is in."""

    def __init__(self, folder: Path, account: str) -> None:
        self._folder = folder
        self._account = account

    def find(self, uri: str) -> Image | None:
        """The image of that address or name, or None."""
        known = self._read()
        for name in self._names(uri):
            if name in known:
                return known[name].image.image(uri, self._folder)
        return None

    def all(self) -> list[Entry]:
        """By name."""
        return [entry for _, entry in sorted(self._read().items())]

    def put(self, uri: str, image: ProgramImage, source: Path, created: float) -> Entry:
        """Take the image, whose files lie in `source`, under that name; what the name meant before is let go of.

        Raises ClaryError for what is no name.
        """
        entry = Entry(_canonical(uri), created, image)
        target = self._folder / image.id
        with self._held():
            if not target.exists():
                source.rename(target)
            self._write({**self._read(), entry.name: entry})
            self._sweep()
        return entry

    def remove(self, uri: str) -> Entry:
        """Forget the name. Raises ClaryError where there is none."""
        with self._held():
            known = self._read()
            name = next((name for name in self._names(uri) if name in known), None)
            if name is None:
                raise ClaryError(f"No image {uri} is here.", "See `clary images list`.")
            entry = known.pop(name)
            self._write(known)
            self._sweep()
        return entry

    def _names(self, uri: str) -> Iterator[str]:
        """What the index may call it."""
        address = Address.parse(uri)
        if address:
            yield f"{address.account}/{address.repository}:{address.tag}"
        if address is None or address.account == self._account:
            found = _NAME.match(f"{address.repository}:{address.tag}" if address else uri)
            if found:
                yield f"{found['repository']}:{found['tag'] or 'latest'}"

    def _read(self) -> dict[str, Entry]:
        try:
            raw: list[dict[str, Any]] = json.loads((self._folder / "index.json").read_text())
        except FileNotFoundError:
            return {}
        entries = (Entry(each["name"], each["created"], ProgramImage.load(each["image"])) for each in raw)
        return {entry.name: entry for entry in entries}

    def _write(self, entries: dict[str, Entry]) -> None:
        fresh = self._folder / "index.json.new"
        with fresh.open("w") as file:
            json.dump([asdict(entry) for entry in entries.values()], file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._folder / "index.json")

    def _sweep(self) -> None:
        """Contents without a name go. Containers have links to the files of theirs."""
        wanted = {entry.image.id for entry in self._read().values()}
        for path in self._folder.iterdir():
            if path.is_dir() and path.name not in wanted:
                shutil.rmtree(path)

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _canonical(uri: str) -> str:
    address = Address.parse(uri)
    if address:
        return f"{address.account}/{address.repository}:{address.tag}"
    found = _NAME.match(uri)
    if found is None:
        raise ClaryError(f"{uri!r} is no name of an image.", "Names look like `modeling:latest`.")
    return f"{found['repository']}:{found['tag'] or 'latest'}"
