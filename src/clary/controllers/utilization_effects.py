"""How busy instances are, in CloudWatch: each minute all containers are asked what they use.

A thread of its own asks, so that nobody waits for a container that is slow to answer. Nothing is written down: whoever
starts anew compares with the first look.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from clary.calls import Call, account_root
from clary.compute.base import Usage
from clary.compute.machine import machine
from clary.controllers.container import Containers
from clary.controllers.logs import Invoke
from clary.controllers.utilization import HOSTING, JOBS, Gauge, data, gauges, later, values
from clary.errors import AWSError
from clary.settings import Settings
from clary.store import Store
from clary.store.rows import Row

MINUTE = 60

LOOK_SECONDS = 5.0
"""A job that begins is looked at so soon: it may be over before the minute is."""

YOUNGEST_SECONDS = 1.0
"""Before that a container's first seconds are not worth a look."""

_CALL_POINTS = 500
"""In one call of PutMetricData, which takes 1,000."""

_log = logging.getLogger(__name__)


class Utilization:
    """Looks at live endpoints, inference components, training and transform jobs."""

    def __init__(self, settings: Settings, store: Store, containers: Containers, invoke: Invoke) -> None:
        self._store = store
        self._containers = containers
        self._invoke = invoke
        self._machine = machine(settings.capacity)
        self._data_dir = settings.data_dir
        self._minute: int | None = None
        self._before: dict[str, Usage] = {}
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="utilization", daemon=True)

    def start(self) -> None:
        """Look from now on."""
        self._thread.start()

    def close(self) -> None:
        """No more."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._closed.wait(_pause(time.time())):
            try:
                self.look(time.time())
            except Exception:
                _log.exception("instances were not looked at")

    def look(self, now: float) -> None:
        """Report what is due at `now` (epoch seconds): when a minute is over, how busy all were in it; else only how
        jobs have begun that nobody has looked at."""
        minute = int(now) // MINUTE * MINUTE
        ended = self._minute is not None and minute > self._minute
        self._minute = minute
        if ended:
            self._report_all(minute - MINUTE)
        else:
            self._report_begun(minute)

    def _report_all(self, second: int) -> None:
        rows = [row for kind in HOSTING for row in self._store.read.rows(kind)] + self._jobs()
        found = self._gauges(rows)
        now = self._usages(found)
        self._report(found, now, second)
        self._before = {container: later(self._before.get(container), usage) for container, usage in now.items()}

    def _report_begun(self, second: int) -> None:
        fresh = [gauge for gauge in self._gauges(self._jobs()) if not self._before.keys() & set(gauge.containers)]
        now = {name: usage for name, usage in self._usages(fresh).items() if usage.seconds >= YOUNGEST_SECONDS}
        self._report(fresh, now, second)
        self._before |= now

    def _jobs(self) -> list[Row]:
        return [row for kind, statuses in JOBS.items() for row in self._store.read.rows(kind, statuses)]

    def _gauges(self, rows: Iterable[Row]) -> list[Gauge]:
        disk_bytes = shutil.disk_usage(self._data_dir).total
        return [gauge for row in rows for gauge in gauges(row, self._machine, disk_bytes)]

    def _usages(self, found: Iterable[Gauge]) -> dict[str, Usage]:
        """Of the containers that run."""
        usages: dict[str, Usage] = {}
        for container in dict.fromkeys(container for gauge in found for container in gauge.containers):
            usage = None if self._closed.is_set() else self._containers.usage(container)
            if usage is not None:
                usages[container] = usage
        return usages

    def _report(self, found: Iterable[Gauge], now: dict[str, Usage], second: int) -> None:
        for owner, group in groupby(sorted(found, key=_owner), key=_owner):
            points = [point for gauge in group for point in data(gauge, values(gauge, self._before, now), second)]
            for start in range(0, len(points), _CALL_POINTS):
                self._put(*owner, points[start : start + _CALL_POINTS])

    def _put(self, account: str, region: str, namespace: str, points: Sequence[dict[str, Any]]) -> None:
        params = {"Namespace": namespace, "MetricData": list(points)}
        try:
            self._invoke(Call(account_root(account), "cloudwatch", "PutMetricData", params, region))
        except AWSError as error:
            _log.warning("%s: how busy instances are is not reported: %s", namespace, error)


def _owner(gauge: Gauge) -> tuple[str, str, str]:
    return gauge.account, gauge.region, gauge.namespace


def _pause(now: float) -> float:
    """Until the next look, which comes right after each minute."""
    return min(LOOK_SECONDS, MINUTE - now % MINUTE + 0.05)
