"""What training jobs emit of one metric while they run, value by value: read from their logs, remembered here.

Nothing of it is saved: after a start of control the logs are read from their beginning.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clary.controllers.trials import Heard
from clary.lifecycles.training_job import LIFECYCLE
from clary.store.rows import Key, Row
from clary.workload.errors import WorkloadError
from clary.workload.following import TooSlow, read_on_each
from clary.workload.metrics import Definition

_log = logging.getLogger(__name__)


@dataclass
class _Ear:
    """How far one job's log has been read."""

    log: Path
    position: int = 0
    values: list[float] = field(default_factory=list)
    whole: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class Hearing:
    """May be used from any thread. `logs` names a job's logs, host by host; `own` its image's definitions."""

    def __init__(
        self, logs: Callable[[Row], Sequence[Path]], own: Callable[[Row], Sequence[Mapping[str, str]]]
    ) -> None:
        self._logs = logs
        self._own = own
        self._lock = threading.Lock()
        self._ears: dict[Key, _Ear] = {}

    def heard(self, job: Row) -> Heard | None:
        """As far as it was listened to; None where it was not."""
        ear = self._ears.get(job.key)
        return Heard(tuple(ear.values), ear.whole) if ear else None

    def listen(self, job: Row, metric: str) -> None:
        """Read on in the log of the first host, which speaks for all."""
        if "log_streams" not in job.state:
            ear = self._ear(job, Path())
            ear.whole = LIFECYCLE.terminal(job.status)
            return
        ear = self._ear(job, self._logs(job)[0])
        with ear.lock:
            self._read(job, metric, ear)

    def forget(self, job: Key) -> None:
        """Nobody asks any more."""
        with self._lock:
            self._ears.pop(job, None)

    def _ear(self, job: Row, log: Path) -> _Ear:
        """A new attempt has a log of its own, and counts from its beginning."""
        with self._lock:
            ear = self._ears.get(job.key)
            if ear is None or ear.log != log:
                ear = self._ears[job.key] = _Ear(log)
            return ear

    def _read(self, job: Row, metric: str, ear: _Ear) -> None:
        over = LIFECYCLE.terminal(job.status)  # as it was before its log is read
        definition, own = self._definition(job, metric)
        try:
            while definition and (piece := read_on_each(ear.log, ear.position, definition, own=own))[0] > ear.position:
                ear.values += piece[1]
                ear.position = piece[0]
        except TooSlow as error:
            _log.warning("%s: what it reports is not heard: %s", job.key.name, error)
        ear.whole = over

    def _definition(self, job: Row, metric: str) -> tuple[Definition | None, bool]:
        given = job.spec["AlgorithmSpecification"].get("MetricDefinitions") or ()
        found = next((each for each in given if each["Name"] == metric), None)
        return found, found is not None and found in self._own_of(job)

    def _own_of(self, job: Row) -> Sequence[Mapping[str, str]]:
        try:
            return self._own(job)
        except WorkloadError:  # an image that is not there any more
            return ()
