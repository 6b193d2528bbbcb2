"""Log groups: expired events are taken from the disk, and what containers write is followed for the group's filters.

Where a group's retention ends is a rule of reading as well (`telemetry/retention.py`): what has expired is not shown
from then on; here its room is given back. A container's stream is followed by position: what was read is remembered
after its filters have had it, so that a crash in between gives it to them twice, and never not at all.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from clary.controllers.logs import Invoke
from clary.logfilters.deriving import Deriving
from clary.logfilters.rows import KINDS, following_key
from clary.settings import Settings
from clary.store import Store
from clary.store.rows import Key, Row
from clary.store.transaction import Transaction
from clary.telemetry.insertion import empty, expire
from clary.telemetry.logfile import LogReader
from clary.telemetry.paths import stream_file
from clary.telemetry.retention import horizon

GROUP_KIND = "log-group"
STREAM_KIND = "log-stream"

EXPIRY_SECONDS = 3600.0
"""Between two looks at what has expired."""

FOLLOW_SECONDS = 2.0
"""Between two looks at what containers have written; nothing is looked at in groups without filters."""

_AT_ONCE = 1000
_BYTES = 4 * 2**20
"""Of a stream's events that filters are given at once."""

_CONTAINERS = "/aws/sagemaker/"

_log = logging.getLogger(__name__)


class LogGroupController:
    """Reconciles log groups."""

    def __init__(self, settings: Settings, store: Store, invoke: Invoke) -> None:
        self._logs_dir = settings.logs_dir
        self._store = store
        self._deriving = Deriving(invoke)
        self._lock = threading.Lock()
        self._expired: dict[Key, tuple[int, float]] = {}
        """With which retention, and when (epoch seconds), a group was looked at last."""

    def resume(self) -> list[Key]:
        """After a start of control."""
        return [row.key for row in self._store.read.rows(GROUP_KIND)]

    def reconcile(self, key: Key) -> float | None:
        """Expire and follow, where there is something to."""
        group = self._store.read.get(key)
        if group is None:
            with self._lock:
                self._expired.pop(key, None)
            return None
        waits = [self._expire(group, time.time()), self._follow(group)]
        return min((wait for wait in waits if wait is not None), default=None)

    def _streams(self, group: Key) -> list[Row]:
        return self._store.read.children(STREAM_KIND, group)

    def _file(self, row: Row) -> Path:
        return stream_file(self._logs_dir, row.key.account, row.key.region, row.parent, stream_of(row))

    # expiry

    def _expire(self, group: Row, now: float) -> float | None:
        days = group.spec.get("retentionInDays")
        if days is None:
            return None
        with self._lock:
            before, when = self._expired.get(group.key, (0, 0.0))
        if before != days or now - when >= EXPIRY_SECONDS:
            self._clear(group.key, horizon(days, now))
            when = now
            with self._lock:
                self._expired[group.key] = (days, now)
        return max(0.0, when + EXPIRY_SECONDS - now)

    def _clear(self, group: Key, before: int) -> None:
        """A file that a container may be writing is only ever emptied as a whole: its writer goes on where it is."""
        for row in self._streams(group):
            try:
                (empty if by_container(row) else expire)(self._file(row), before)
            except FileNotFoundError:
                continue
            except OSError:
                _log.exception("%s: what has expired could not be taken away", row.key.name)

    # following

    def _follow(self, group: Row) -> float | None:
        filters = [row for kind in KINDS for row in self._store.read.children(kind, group.key)]
        if not filters:
            return None
        streams = [row for row in self._streams(group.key) if by_container(row)]
        if not streams:
            return None
        known = self._store.read.get(following_key(group.key))
        positions: Mapping[str, int] = known.state["positions"] if known else {}
        more = [self._read_on(group.key, row, filters, positions.get(stream_of(row))) for row in streams]
        return 0.0 if any(more) else FOLLOW_SECONDS

    def _read_on(self, group: Key, row: Row, filters: Sequence[Row], position: int | None) -> bool:
        """One piece of a stream; whether there may be more, which the next look will tell."""
        file = self._file(row)
        try:
            size = file.stat().st_size
        except FileNotFoundError:
            return False
        if position == size:
            return False
        reader = LogReader(file)
        if position is None:
            position = reader.seek(min(map(_made, filters)))
        elif position > size:  # it has been emptied, and written anew
            position = 0
        events = reader.piece(position, _AT_ONCE, _BYTES)
        for each in filters:
            known = [event for event in events if event.ingested >= _made(each)]
            numbered = [(event.position, event.timestamp, event.message) for event in known]
            self._deriving.derive(group, stream_of(row), [each], numbered)
        if events:
            self._remember(group, stream_of(row), events[-1].end)
        return bool(events)

    def _remember(self, group: Key, stream: str, position: int) -> None:
        key, now = following_key(group), datetime.now(UTC)

        def change(transaction: Transaction) -> None:
            if transaction.get(group) is None:
                return
            row = transaction.get(key)
            if row is None:
                arn = f"{key.kind}:{key.account}:{key.region}:{key.name}"
                transaction.insert(Row(key, arn, "", now, now, {}, {"positions": {stream: position}}))
                return
            there = {row.key.name.partition(":")[2] for row in transaction.children(STREAM_KIND, group)}
            kept = {name: at for name, at in row.state["positions"].items() if name in there}
            transaction.save(replace(row, state={"positions": {**kept, stream: position}}))

        self._store.write(change)


def stream_of(row: Row) -> str:
    """The name within the group."""
    return row.key.name.partition(":")[2]


def by_container(row: Row) -> bool:
    """Whether a shim may be writing this stream."""
    return row.parent.startswith(_CONTAINERS) or "container" in row.spec


def _made(row: Row) -> int:
    """When a filter was made, in milliseconds: what came before is none of its."""
    return int(row.created.timestamp() * 1000)
