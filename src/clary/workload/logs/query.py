"""A query of Logs Insights, in a child: an expression that takes for ever, or too much, ends with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from clary.durable import replace
from clary.logsearch.insights.records import Record, Source
from clary.logsearch.insights.run import Query
from clary.workload.logs.child import carry_out, done
from clary.workload.logs.plan import Stream, events

QUERY_SECONDS = 900.0
"""What a query may take. AWS gives it an hour, on many machines."""


def results_file(logs_dir: Path, query: str) -> Path:
    """Where the results of a query lie: `query` is an id of ours."""
    return logs_dir / "queries" / f"{query}.json"


def results(logs_dir: Path, query: str) -> list[list[dict[str, str]]]:
    """Rows as GetQueryResults gives them. Raises FileNotFoundError."""
    rows = json.loads(results_file(logs_dir, query).read_bytes())
    return [[{"field": name, "value": value} for name, value in row] for row in rows]


def carried_out(
    text: str, limit: int, account: str, streams: list[Stream], results: Path, ended: Callable[[], bool]
) -> dict[str, float]:
    """The statistics; the results are in their file. Raises TimedOut, Cancelled, RuntimeError."""
    plan = {"query": text, "limit": limit, "account": account, "streams": streams, "results": str(results)}
    statistics: dict[str, float] = done("clary.workload.logs.query", plan, QUERY_SECONDS, ended)
    return statistics


class _Scan:
    """Reads all events, and counts them."""

    def __init__(self) -> None:
        self.records = 0
        self.bytes = 0

    def read(self, plan: Mapping[str, Any]) -> Iterator[Record]:
        for stream in plan["streams"]:
            source = Source(plan["account"], stream["group"], stream["stream"])
            for event in events(stream):
                self.records += 1
                self.bytes += event.end - event.position
                yield Record(source, event.timestamp, event.ingested, event.message)


def _work(plan: Mapping[str, Any]) -> dict[str, float]:
    query, scan = Query(plan["query"], plan["limit"]), _Scan()
    rows = list(query.run(scan.read(plan)))
    replace(Path(plan["results"]), json.dumps(rows).encode())
    return {
        "recordsMatched": float(query.matched),
        "recordsScanned": float(scan.records),
        "bytesScanned": float(scan.bytes),
        "resultCount": float(len(rows)),
        "logGroupsScanned": float(len({stream["group"] for stream in plan["streams"]})),
        "estimatedRecordsSkipped": 0.0,
        "estimatedBytesSkipped": 0.0,
    }


if __name__ == "__main__":
    carry_out(_work)
