"""`python -m benchmarks.logs [EVENTS]`: how long FilterLogEvents and Logs Insights take over a group of so many events
(1,000,000), in seconds of processor time: what they need of a machine, whatever else it does."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from clary.logsearch.insights.records import Record, Source
from clary.logsearch.insights.run import Query
from clary.logsearch.patterns import compiled
from clary.telemetry.insertion import append
from clary.telemetry.logfile import LogReader

STREAMS = 4
PATTERNS = ("ERROR", '{ $.level = "ERROR" && $.ms > 900 }', "%took 99[0-9] ms%")
QUERIES = (
    r"filter @message like /took 99\d ms/ | stats count(*) by bin(5m)",
    "fields @timestamp, @message | sort @timestamp desc | limit 20",
    "filter level = 'ERROR' | stats count(*), avg(ms), pct(ms, 99) by path",
    "parse @message 'user=* took * ms' as user, took | stats avg(took) as t by user | sort t desc | limit 10",
)


def message(number: int) -> str:
    """Half of them JSON, half of them text; one of a hundred an error."""
    if number % 2:
        return f"[worker-{number % 77}] INFO user=u{number % 1000} took {number % 997} ms and that was all of it"
    level = "ERROR" if number % 100 == 0 else "INFO"
    return f'{{"level":"{level}","ms":{number % 997},"path":"/a/b/{number % 50}"}}'


def files(folder: Path, events: int) -> list[Path]:
    """Streams of an hour, written as PutLogEvents does."""
    start = int(time.time() * 1000) - 3_600_000
    made = []
    for stream in range(STREAMS):
        numbers = range(stream, events, STREAMS)
        made.append(folder / f"{stream}.log")
        append(made[-1], [(start + 3_600_000 * number // events, message(number)) for number in numbers], start)
    return made


def records(paths: list[Path]) -> Iterator[Record]:
    """All of them."""
    for path in paths:
        source = Source("000000000000", "group", path.stem)
        for event in LogReader(path).forward():
            yield Record(source, event.timestamp, event.ingested, event.message)


def measured(events: int) -> Mapping[str, Any]:
    """Seconds of each."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        paths = files(Path(folder), events)
        for pattern in PATTERNS:
            began, matches = time.process_time(), compiled(pattern).matches
            count = sum(matches(event.message) for path in paths for event in LogReader(path).forward())
            found[f"pattern {pattern}: {count:,} found"] = time.process_time() - began
        for text in QUERIES:
            began = time.process_time()
            rows = list(Query(text).run(records(paths)))
            found[f"query {text}: {len(rows)} results"] = time.process_time() - began
    return found


if __name__ == "__main__":
    for what, seconds in measured(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000).items():
        print(f"{seconds:6.1f} s  {what}")
