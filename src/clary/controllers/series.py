"""The metrics of a training job as series in CloudWatch, while it runs
(https://docs.aws.amazon.com/sagemaker/latest/dg/training-metrics.html).

Its log is read on from where the last look has come to, which is remembered beside its container: whatever dies in
between, no point is reported twice.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clary.calls import Call, account_root
from clary.compute.base import folder
from clary.controllers.logs import Invoke
from clary.errors import AWSError
from clary.settings import Settings
from clary.store.rows import Row
from clary.workload.following import TooSlow, read_on
from clary.workload.metrics import Definition, Point

NAMESPACE = "/aws/sagemaker/TrainingJobs"

LOOK_SECONDS = 5.0
"""What one look may take; a log that grows faster is read on with the next."""

_CALL_POINTS = 500
"""In one call of PutMetricData, which takes 1,000."""

_log = logging.getLogger(__name__)


class Series:
    """Reports what logs hold. `own` tells the definitions of a job's image, which are no user's."""

    def __init__(self, settings: Settings, invoke: Invoke, own: Callable[[Row], Sequence[Definition]]) -> None:
        self._containers_dir = settings.containers_dir
        self._invoke = invoke
        self._own = own

    def follow(self, row: Row, log_files: Sequence[Path]) -> None:
        """Report what has come into the logs since the last look; to be called again and again, from any thread."""
        given = row.spec["AlgorithmSpecification"].get("MetricDefinitions") or ()
        if not given:
            return
        place = folder(self._containers_dir, row.state["containers"][0])
        end = time.monotonic() + LOOK_SECONDS
        with _alone(place) as there:
            notes = _Notes(place / "series.json")
            for log in log_files if there else ():
                while time.monotonic() < end and self._read_on(row, log, notes, given):
                    pass

    def _read_on(self, row: Row, log: Path, notes: _Notes, given: Sequence[Definition]) -> bool:
        """Report one piece; whether there may be more."""
        position = notes.position(log)
        if position is None:
            return False
        try:
            reached, points = read_on(log, position, self._own(row), given)
        except TooSlow as error:
            _log.warning("%s: its metrics are not followed any more: %s", row.key.name, error)
            notes.write(log, None)
            return False
        if reached == position:
            return False
        notes.write(log, reached)
        try:
            self._report(row, points)
        except AWSError as error:
            _log.warning("%s: its metrics are not reported: %s", row.key.name, error)
            notes.write(log, position)
            return False
        return True

    def _report(self, row: Row, points: Sequence[Point]) -> None:
        data = [_datum(row.key.name, point) for point in points]
        for start in range(0, len(data), _CALL_POINTS):
            params = {"Namespace": NAMESPACE, "MetricData": data[start : start + _CALL_POINTS]}
            caller = account_root(row.key.account)
            self._invoke(Call(caller, "cloudwatch", "PutMetricData", params, row.key.region))


def _datum(job: str, point: Point) -> dict[str, Any]:
    return {
        "MetricName": point.name,
        "Dimensions": [{"Name": "TrainingJobName", "Value": job}],
        "Timestamp": datetime.fromtimestamp(point.second, UTC),
        **_value(point),
    }


def _value(point: Point) -> dict[str, Any]:
    if point.samples == 1:
        return {"Value": point.total}
    return {
        "StatisticValues": {
            "SampleCount": float(point.samples),
            "Sum": point.total,
            "Minimum": point.least,
            "Maximum": point.most,
        }
    }


@contextmanager
def _alone(place: Path) -> Iterator[bool]:
    """One look at a time; False where the container's folder is gone."""
    try:
        lock = os.open(place / "series.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield True
    finally:
        os.close(lock)


class _Notes:
    """How far each log has been read, in a file; None: it is not read any more."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, int | None] = {}
        with suppress(FileNotFoundError, ValueError):
            self._known = json.loads(path.read_text())

    def position(self, log: Path) -> int | None:
        return self._known.get(log.name, 0)

    def write(self, log: Path, position: int | None) -> None:
        """Where its container is gone, nobody asks any more."""
        self._known[log.name] = position
        fresh = self._path.with_suffix(".new")
        with suppress(FileNotFoundError):
            fresh.write_text(json.dumps(self._known))
            fresh.replace(self._path)
