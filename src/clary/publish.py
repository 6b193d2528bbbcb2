"""Publishing: control says, every other process reads, without a database and without asking.

A published document is a JSON file replaced by rename; a *generation*, one 64-bit counter per document in a file that
all processes map into memory, tells that there is a new one. Comparing costs 0.1 µs: readers do it on every request.
A reader starts from the file even while control is down.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

_COUNTER = struct.Struct("<Q")
AGAIN_SECONDS = 1.0
"""After which a document that could not be written is tried again."""

_FILE_MODE = 0o600  # published documents hold secret keys


def _map_counter(path: Path) -> mmap.mmap:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, _FILE_MODE)
    try:
        if os.fstat(descriptor).st_size < _COUNTER.size:
            os.posix_fallocate(descriptor, 0, _COUNTER.size)  # a hole would end the process on a full disk: SIGBUS
        return mmap.mmap(descriptor, _COUNTER.size)
    finally:
        os.close(descriptor)


def _loaded(path: Path) -> dict[str, Any]:
    """A document's file; an empty one of generation 0 before the first publication."""
    try:
        loaded: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {"generation": 0, "document": {}}
    return loaded


def _generation(path: Path) -> int:
    """Of a document's file; 0 where the machine died while it was written."""
    try:
        return int(_loaded(path)["generation"])
    except ValueError:
        return 0


class Publisher:
    """The one writer of a document. `publish` returns its generation; readers that see it have seen the document.

    A document that could not be written is owed: it is tried again, unless a newer one was published meanwhile. Without
    that a key that is revoked while the disk is full would be good until somebody changes another one.
    """

    def __init__(self, path: Path, again_seconds: float = AGAIN_SECONDS) -> None:
        self._path = path
        self._counter = _map_counter(path.with_suffix(".generation"))
        self._again_seconds = again_seconds
        self._newest = _generation(path)
        """Which whoever wrote it may not have come to say: a reader of it has not read the one after it."""
        self._turn = threading.Lock()
        self._owed: dict[str, Any] | None = None

    def publish(self, document: dict[str, Any]) -> int:
        """Replace the document; durable enough for a crash of Clary (control publishes anew when it starts). Raises
        OSError, and tries on beside."""
        with self._turn:
            trying = self._owed is not None
            self._owed = document
            try:
                return self._write(document)
            except OSError:
                if not trying:
                    threading.Thread(target=self._try_on, name="publishing", daemon=True).start()
                raise

    def _try_on(self) -> None:
        while True:
            time.sleep(self._again_seconds)
            with self._turn, suppress(OSError):
                if self._owed is not None:
                    self._write(self._owed)
                return

    def _write(self, document: dict[str, Any]) -> int:
        generation: int = max(self._newest, _COUNTER.unpack_from(self._counter)[0]) + 1
        fresh = self._path.with_suffix(".new")
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE_MODE), "w") as file:
                json.dump({"generation": generation, "document": document}, file)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
        fresh.replace(self._path)
        _COUNTER.pack_into(self._counter, 0, generation)
        self._newest, self._owed = generation, None
        return generation


class Subscriber:
    """A reader of a document: `current()` is the parsed document, read again only when its generation has moved."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._counter = _map_counter(path.with_suffix(".generation"))
        self._seen = -1
        self._document: dict[str, Any] = {}
        self.generation = 0
        """The generation of the document that `current` returned last."""

    def changed(self) -> bool:
        """Whether `current` would read the file again."""
        return bool(_COUNTER.unpack_from(self._counter)[0] != self._seen)

    def current(self) -> dict[str, Any]:
        """The document; empty before the first publication."""
        seen: int = _COUNTER.unpack_from(self._counter)[0]
        if seen != self._seen:
            loaded = _loaded(self._path)
            self._document, self.generation, self._seen = loaded["document"], loaded["generation"], seen
        return self._document
