"""One round of a transform's engine: what is uploaded before it, what becomes of what it says, how it has ended."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from clary.objects import Attributes
from clary.store.rows import Row
from clary.telemetry.logfile import LogWriter
from clary.workload.download import Ended, Item
from clary.workload.errors import Cancelled, WorkloadError
from clary.workload.s3uri import join, split
from clary.workload.storage import RoleStorage

SEE_LOGS = "See job logs for more information"
"""What AWS says of files that could not be transformed; which they are stands in the data log."""

LOST = 3
"""Exit code of the engine where a replica is gone."""

PLAIN = "in"
"""The folder of inputs that had to be decrypted."""

_LOOK_SECONDS = 0.5
_MILLISECOND = 0.001
"""As exactly as objects know their time."""

_CONTENT_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class Result:
    """How a round of the engine has ended."""

    failure: str | None = None
    """FailureReason where files could not be transformed; the others are done."""
    lost: bool = False
    """A replica was gone before all was done."""


class Round:
    """The engine at work, and what becomes of what it says."""

    def __init__(self, storage: RoleStorage, row: Row, items: Sequence[Item], folder: Path, log: LogWriter) -> None:
        self._storage = storage
        self._row = row
        self._items = items
        self._folder = folder
        self._log = log
        self._failed = ""

    def todo(self) -> list[int]:
        """The files that the engine is to try; those that it has tried before are uploaded first, where a crash came
        in between. Raises as `run` does."""
        for number in range(len(self._items)):
            if not self._is_uploaded(number) and self._out(number).exists():
                self._upload(number)
        return [number for number in range(len(self._items)) if not self._is_uploaded(number)]

    def run(self, ended: Ended) -> Result:
        """Until the engine ends. Raises Cancelled, WorkloadError, OSError."""
        command = [sys.executable, "-I", "-m", "clary.workload.transform", str(self._folder / "plan.json")]
        errors = self._folder / "errors"
        with (
            errors.open("wb") as stderr,
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr) as engine,
        ):
            try:
                for message in _messages(engine, ended):
                    self._hear(message)
            except BaseException:
                engine.kill()
                raise
        if engine.returncode == LOST:
            return Result(lost=True)
        if engine.returncode:
            raise RuntimeError(f"the engine ended with {engine.returncode}: {errors.read_text(errors='replace')}")
        return Result(f"{self._failed}: {SEE_LOGS}" if self._failed else None)

    def _hear(self, message: Mapping[str, Any]) -> None:
        if "done" in message:
            self._upload(message["done"])
        elif "failed" in message:
            name = self._name(message["failed"])
            kind = message["kind"]
            self._failed = "AlgorithmError" if "AlgorithmError" in (kind, self._failed) else kind
            for line in message["lines"]:
                self._say(f"{name}: {line}")
        elif "parameters" in message:
            self._say(", ".join(f"{name}={value}" for name, value in message["parameters"].items()))

    def _upload(self, number: int) -> None:
        """The object is whole when it is seen; the mark follows it."""
        output = self._row.spec["TransformOutput"]
        bucket, key = split(join(output["S3OutputPath"], self._items[number].name + ".out"))
        if not self._storage.has_bucket(bucket):
            raise WorkloadError(f"ClientError: Data upload failed: the bucket {bucket} does not exist.")
        path = self._out(number)
        if not self._stands(bucket, key, path):
            attributes = Attributes(content_type=output.get("Accept") or _CONTENT_TYPE)
            self._storage.put_file(bucket, key, path, attributes, output.get("KmsKeyId", ""))
        self._mark(number).touch()
        path.unlink()
        (self._folder / PLAIN / str(number)).unlink(missing_ok=True)

    def _stands(self, bucket: str, key: str, path: Path) -> bool:
        """Whether it was put before a crash came between object and mark."""
        found, made = self._storage.objects.head(bucket, key), path.stat()
        return (
            found is not None
            and found.size == made.st_size
            and found.modified.timestamp() >= made.st_mtime - _MILLISECOND
        )

    def _out(self, number: int) -> Path:
        return self._folder / "out" / str(number)

    def _mark(self, number: int) -> Path:
        return self._folder / "uploaded" / str(number)

    def _is_uploaded(self, number: int) -> bool:
        return self._mark(number).exists()

    def _name(self, number: int) -> str:
        info = self._items[number].info
        return f"{info.bucket}/{info.key}"

    def _say(self, text: str) -> None:
        self._log.feed(f"[sagemaker logs]: {text}\n".encode())


def _messages(engine: subprocess.Popen[bytes], ended: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    """The engine's lines as they come. Raises Cancelled where nobody wants them any more."""
    assert engine.stdout is not None  # noqa: S101 — for the type
    for line in _lines(engine.stdout, ended):
        yield json.loads(line)


def _lines(stream: IO[bytes], ended: Callable[[], bool]) -> Iterator[bytes]:
    kept = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            if ended():
                raise Cancelled
            if not selector.select(_LOOK_SECONDS):
                continue
            piece = os.read(stream.fileno(), 65_536)
            if not piece:
                return
            *whole, kept = (kept + piece).split(b"\n")
            yield from whole
