"""What control publishes about APIs: one index of what is deployed where, and a file for each deployment, which never
changes."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any, TypedDict

from clary.publish import Subscriber


class LogIndex(TypedDict):
    """Where a stage logs its requests, and how."""

    region: str
    group: str
    format: str


class StageIndex(TypedDict):
    """One stage."""

    deployment: str
    variables: dict[str, str]
    settings: dict[str, Any]
    """`methodSettings`: throttling, by `resource/METHOD`."""
    access_log: LogIndex | None


class ApiIndex(TypedDict):
    """One API with its stages by name."""

    kind: str
    """`rest` or `http`."""
    name: str
    account: str
    region: str
    disabled: bool
    stages: dict[str, StageIndex]


class KeyIndex(TypedDict):
    """One API key, by its value."""

    id: str
    name: str
    enabled: bool


class PlanIndex(TypedDict):
    """One usage plan: its stages as `API/STAGE`, its keys by id."""

    stages: list[str]
    keys: list[str]
    throttle: dict[str, Any] | None
    quota: dict[str, Any] | None


class Index(TypedDict):
    """The whole document."""

    apis: dict[str, ApiIndex]
    keys: dict[str, KeyIndex]
    plans: dict[str, PlanIndex]


EMPTY: Index = {"apis": {}, "keys": {}, "plans": {}}


def apis_path(run_dir: Path) -> Path:
    """Where the index is published."""
    return run_dir / "apis.json"


def _snapshot_path(run_dir: Path, deployment: str) -> Path:
    return run_dir / "apis" / f"{deployment}.json"


def write_snapshot(run_dir: Path, deployment: str, snapshot: dict[str, Any]) -> None:
    """Write a deployment's file: before the index names it."""
    path = _snapshot_path(run_dir, deployment)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(snapshot, file)
    fresh.replace(path)


class Published:
    """The edge's side."""

    def __init__(self, run_dir: Path) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        self._run_dir = run_dir
        self._subscriber = Subscriber(apis_path(run_dir))
        self.snapshot = lru_cache(maxsize=128)(self._snapshot)

    def index(self) -> Index:
        """The newest publication."""
        return self._subscriber.current() or EMPTY  # type: ignore[return-value]

    def _snapshot(self, deployment: str) -> dict[str, Any]:
        """What a deployment keeps. Raises OSError where its file is not there."""
        found: dict[str, Any] = json.loads(_snapshot_path(self._run_dir, deployment).read_bytes())
        return found
