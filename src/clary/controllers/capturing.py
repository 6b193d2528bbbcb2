"""What edges have captured becomes objects: files of the spool are sorted, and each object is written by its endpoint's
role, tried again until it is there.

Nothing of it is a row: the files are the state. A file is in the spool, or what it held waits as objects, or is in the
store; a crash at any line is followed by the same step once more, which makes the same objects.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from clary.controllers.logs import Logs, lines_into
from clary.controllers.loop import backoff
from clary.errors import AWSError
from clary.objects import Attributes
from clary.serving.spool import Place, finished
from clary.settings import Settings
from clary.store.rows import Key
from clary.telemetry.paths import stream_file
from clary.workload.capture.sorting import Waiting, sort, waiting
from clary.workload.errors import WorkloadError
from clary.workload.s3uri import split
from clary.workload.storage import Storage

KIND = "data-capture"

LOOK_SECONDS = 1.0
"""How long a file waits after an edge has closed it."""

WAITING_BYTES = 256 * 2**20
"""So much may wait for buckets that are not there and rights that are missing; then the oldest is given up."""

_AT_ONCE = 8
"""Files of the spool; whoever wants to end waits for no more."""

_TYPE = "application/jsonlines"
_OwnerId = tuple[str, str, str]

_log = logging.getLogger(__name__)


@dataclass
class _Trouble:
    """Of an endpoint whose objects cannot be written."""

    failures: int = 0
    again: float = 0.0
    """On the monotonic clock."""


class CaptureController:
    """Reconciles the spool: one for all endpoints."""

    def __init__(self, settings: Settings, storage: Storage, logs: Logs) -> None:
        self._settings = settings
        self._spool = settings.capture_dir / "spool"
        self._waiting = settings.capture_dir / "waiting"
        self._storage = storage
        self._logs = logs
        self._troubles: dict[_OwnerId, _Trouble] = {}
        self._since = 0.0

    def resume(self) -> list[Key]:
        """Wake it: what an earlier control has left is taken up."""
        return [Key(KIND, self._settings.account_id, self._settings.region, "spool")]

    def reconcile(self, _key: Key) -> float:
        """Sort what is closed, write what can be written."""
        closed = finished(self._spool)
        self._sort(closed[:_AT_ONCE])
        objects = self._bounded(waiting(self._waiting))
        for owner, theirs in groupby(sorted(objects, key=_by_owner), key=lambda each: each.owner):
            self._write(owner, list(theirs))
        return 0.0 if len(closed) > _AT_ONCE else LOOK_SECONDS

    def reset(self) -> None:
        """Whatever was captured until now is nobody's."""
        self._since = time.time()
        for each in waiting(self._waiting):
            each.remove()
        self._troubles.clear()

    def _sort(self, segments: Sequence[Path]) -> None:
        """A disk that is full must not keep what waits from the store."""
        try:
            for segment in segments:
                self._say_dropped(sort(segment, self._waiting, self._since))
        except OSError as error:
            _log.warning("what was captured waits in the spool: %s", error)

    def _write(self, owner: _OwnerId, objects: Sequence[Waiting]) -> None:
        trouble = self._troubles.setdefault(owner, _Trouble())
        if time.monotonic() < trouble.again:
            return
        for number, each in enumerate(objects):
            try:
                self._put(each)
            except (WorkloadError, AWSError, OSError) as error:
                self._failed(trouble, objects[number:], error)
                return
            each.remove()
        if trouble.failures:
            self._say(objects[-1], "Data capture: objects are written again.")
        del self._troubles[owner]

    def _put(self, each: Waiting) -> None:
        """Raises WorkloadError, NoSuchBucket, OSError."""
        bucket, key = split(each.uri)
        storage = self._storage.of(each.role, each.region)
        storage.put_file(bucket, key, each.path, Attributes(_TYPE), each.kms_key)

    def _failed(self, trouble: _Trouble, left: Sequence[Waiting], error: Exception) -> None:
        trouble.failures += 1
        trouble.again = time.monotonic() + backoff(trouble.failures)
        reason = error.reason if isinstance(error, WorkloadError) else str(error)
        self._say(
            left[0],
            f"Data capture: {left[0].uri} was not written: {reason}. It is tried again; {len(left)} objects wait.",
        )

    def _bounded(self, objects: list[Waiting]) -> list[Waiting]:
        """All that is within the bound; the oldest are given up, and that is said."""
        room, kept, given_up = WAITING_BYTES, list[Waiting](), list[Waiting]()
        for each in reversed(objects):
            room -= _size(each.path)
            (kept if room >= 0 else given_up).append(each)
        for each in given_up:
            self._say(each, f"Data capture: {each.uri} was given up: too much waits to be written.")
            each.remove()
        return kept

    def _say_dropped(self, dropped: Counter[Place]) -> None:
        for place, count in dropped.items():
            text = f"Data capture: {count} requests were not captured: the spool or the disk was full."
            self._say(place, text)

    def _say(self, where: Place | Waiting, text: str) -> None:
        """A line in the endpoint's log group. Where that cannot be, one in Clary's own."""
        owner = Key(KIND, where.account, where.region, where.endpoint)
        stream = f"{where.variant}/data-capture"
        try:
            self._logs.ensure(owner, where.log_group, stream)
            with lines_into(self._log_file(where, stream)) as line:
                line(text)
        except (AWSError, OSError) as error:
            _log.warning("%s: %s (%s)", where.endpoint, text, error)

    def _log_file(self, where: Place | Waiting, stream: str) -> Path:
        return stream_file(self._settings.logs_dir, where.account, where.region, where.log_group, stream)


def _by_owner(each: Waiting) -> tuple[_OwnerId, str]:
    return each.owner, each.path.name


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
