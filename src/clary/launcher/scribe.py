"""The lines around each invocation of a function from an image, among those that its container prints."""

from __future__ import annotations

import queue
import threading
import time
from typing import Callable, Mapping, Optional

from clary.launcher.engine_log import EngineLog
from clary.toolkit.function import logs

_SETTLE = 0.02
"""Seconds in which what was printed before an answer has come to the engine, where nobody can tell."""

_SECONDS = 0.2
_PAUSE = 0.001


class Scribe:
    """Writes to `log` when it is given one. `used` tells how many MB the container holds, `is_settled` whether all
    that it has printed has come to the engine; it raises OSError where that cannot be told."""

    def __init__(self, env: Mapping[str, str], used: Callable[[], int], is_settled: Callable[[], bool]) -> None:
        self._version = env.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        self._memory_size = env.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        self._measure = used
        self._is_settled = is_settled
        self._log: Optional[EngineLog] = None
        self._reports: "queue.Queue[logs.Report]" = queue.Queue()
        self.used = 0
        """MB, at the last report."""

    def write_to(self, log: EngineLog) -> None:
        """From now on."""
        self._log = log
        threading.Thread(target=self._write_reports, daemon=True).start()

    def start(self, request: str) -> None:
        """The first line of an invocation, after the last of the one before."""
        self._reports.join()
        self._say(logs.start_line(request, self._version))

    def report(self, request: str, milliseconds: float, init_milliseconds: float) -> None:
        """Its last lines, as soon as what it has printed is in the log; returns at once."""
        self._reports.put(logs.Report(request, milliseconds, self._memory_size, init_milliseconds))

    def close(self) -> None:
        """When this returns all of them are written."""
        self._reports.join()

    def _write_reports(self) -> None:
        while True:
            report = self._reports.get()
            try:
                self._settle()
                self.used = self._measure()
                self._say(report.lines(self.used))
            finally:
                self._reports.task_done()

    def _settle(self) -> None:
        """All that was printed before is in the log."""
        end = time.monotonic() + _SECONDS
        try:
            while not self._is_settled() and time.monotonic() < end:
                time.sleep(_PAUSE)
        except OSError:
            time.sleep(_SETTLE)
        if self._log is not None:
            self._log.catch_up(_SECONDS)

    def _say(self, text: str) -> None:
        if self._log is not None:
            self._log.say(text.encode() + b"\n")
