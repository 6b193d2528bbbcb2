"""From rows to what every edge knows of functions, published before whoever has changed them is answered."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from clary.functions.table import FILE, LATEST, function_id
from clary.lifecycles.function import ALIAS_KIND, KIND, VERSION_KIND
from clary.publish import Publisher
from clary.settings import Settings
from clary.store.rows import Row


class Rows(Protocol):
    """What reads them."""

    def rows(self, kind: str) -> list[Row]:
        """All rows of a kind."""
        ...


def publish(reader: Rows, settings: Settings) -> None:
    """Publish all functions as they are, unless nothing has changed since the last time."""
    _publication(settings.run_dir).publish(reader)


class _Publication:
    """One of two writers at once waits, and then reads what both have written."""

    def __init__(self, run_dir: Path) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        self._publisher = Publisher(run_dir / FILE)
        self._last: dict[str, Any] | None = None
        self._turn = threading.Lock()

    def publish(self, reader: Rows) -> None:
        with self._turn:
            fresh = document(reader)
            if fresh != self._last:
                self._last = None  # what cannot be published now is not what was published last
                self._publisher.publish({"functions": fresh})
                self._last = fresh


_publication = lru_cache(maxsize=8)(_Publication)


def document(reader: Rows) -> dict[str, Any]:
    """What is published, by function."""
    found = {_id(row, row.key.name): _function(row) for row in reader.rows(KIND)}
    for row in reader.rows(VERSION_KIND):
        function = found.get(_id(row, row.parent))
        if function is not None:
            function["versions"][row.spec["Version"]] = _version(row, row.spec["Version"])
    for row in reader.rows(ALIAS_KIND):
        function = found.get(_id(row, row.parent))
        if function is not None:
            function["aliases"][row.spec["Name"]] = _alias(row.spec)
    return found


def _id(row: Row, name: str) -> str:
    return function_id(row.key.account, row.key.region, name)


def _function(row: Row) -> dict[str, Any]:
    state = row.state
    return {
        "reserved": state.get("reserved"),
        "versions": {LATEST: _version(row, LATEST)},
        "aliases": {},
        "events": {qualifier: _events(said) for qualifier, said in state.get("events", {}).items()},
        "policies": state.get("policies", {}),
        "urls": {qualifier: _url(said) for qualifier, said in state.get("urls", {}).items()},
    }


def _version(row: Row, number: str) -> dict[str, Any]:
    return {
        "number": number,
        "revision": row.state["environment"],
        "state": row.status,
        "reason": row.state.get("reason", ""),
        "timeout": float(row.spec["Timeout"]),
        "memory": row.spec["MemorySize"],
        "role": row.spec["Role"],
        "dead_letters": (row.spec.get("DeadLetterConfig") or {}).get("TargetArn") or "",
    }


def _alias(spec: Mapping[str, Any]) -> dict[str, Any]:
    routing = spec.get("RoutingConfig") or {}
    return {"version": spec["FunctionVersion"], "weights": routing.get("AdditionalVersionWeights") or {}}


def _events(said: Mapping[str, Any]) -> dict[str, Any]:
    destinations = said.get("DestinationConfig") or {}
    retries, age = said.get("MaximumRetryAttempts"), said.get("MaximumEventAgeInSeconds")
    return {
        "retries": 2 if retries is None else retries,
        "age": float(age or 21_600),
        "on_success": (destinations.get("OnSuccess") or {}).get("Destination", ""),
        "on_failure": (destinations.get("OnFailure") or {}).get("Destination", ""),
    }


def _url(said: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": said["id"], "auth": said["AuthType"], "cors": said.get("Cors") or {}}
