"""What the edges must know of APIs, published after each change of what is deployed."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clary.apis.published import ApiIndex, Index, KeyIndex, PlanIndex, StageIndex, apis_path, write_snapshot
from clary.publish import Publisher
from clary.services.apigateway import access_logs
from clary.settings import Settings
from clary.store.rows import Row

if TYPE_CHECKING:  # the edge knows the operations, and no database
    from clary.store import Reader

REST_API = "rest-api"
REST_DEPLOYMENT = "rest-deployment"
HTTP_API = "http-api"
HTTP_DEPLOYMENT = "http-deployment"
_KEY = "rest-api-key"
_PLAN = "rest-usage-plan"


def publish(reader: Reader, settings: Settings) -> None:
    """Publish all APIs as they are, unless nothing has changed since the last time. The copies that deployments keep
    are files of their own, written once: they never change."""
    _publication(settings.run_dir).publish(reader)


class _Publication:
    """The last index and its publisher: one of two writers at once waits, and then reads what both have written."""

    def __init__(self, run_dir: Path) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        self._run_dir = run_dir
        self._publisher = Publisher(apis_path(run_dir))
        self._last: dict[str, Any] | None = None
        self._written: set[str] = set()
        self._turn = threading.Lock()

    def publish(self, reader: Reader) -> None:
        with self._turn:
            fresh = index(reader)
            if fresh != self._last:
                self._last = None  # what cannot be published now is not what was published last
                self._write_snapshots(reader, fresh)
                self._publisher.publish(dict(fresh))
                self._last = dict(fresh)

    def _write_snapshots(self, reader: Reader, fresh: Index) -> None:
        """Those that stages name and that are not there yet."""
        wanted = {stage["deployment"] for api in fresh["apis"].values() for stage in api["stages"].values()}
        missing = wanted - self._written
        kinds = (REST_DEPLOYMENT, HTTP_DEPLOYMENT) if missing else ()
        for row in (row for kind in kinds for row in reader.rows(kind)):
            if row.key.name in missing:
                write_snapshot(self._run_dir, row.key.name, dict(row.spec["snapshot"]))
                self._written.add(row.key.name)


_publication = lru_cache(maxsize=8)(_Publication)


def index(reader: Reader) -> Index:
    """All APIs with their stages, all keys, all usage plans."""
    rows = [*reader.rows(REST_API), *reader.rows(HTTP_API)]
    apis = {row.key.name: _api(row) for row in rows}
    return {
        "apis": apis,
        "keys": {row.spec["value"]: _key(row) for row in reader.rows(_KEY)},
        "plans": {row.key.name: _plan(row) for row in reader.rows(_PLAN)},
    }


def _api(row: Row) -> ApiIndex:
    of = _http_stage if row.key.kind == HTTP_API else _stage
    found = {name: of(stage) for name, stage in row.spec["stages"].items()}
    stages = {name: stage for name, stage in found.items() if stage["deployment"]}
    return {
        "kind": "http" if row.key.kind == HTTP_API else "rest",
        "name": str(row.spec["api"].get("name") or row.spec["api"].get("Name") or ""),
        "account": row.key.account,
        "region": row.key.region,
        "disabled": any(row.spec["api"].get(f"{d}isableExecuteApiEndpoint") for d in "dD"),
        "stages": stages,
    }


def _stage(stage: dict[str, Any]) -> StageIndex:
    log = stage.get("accessLogSettings") or {}
    return {
        "deployment": stage.get("deploymentId", ""),
        "variables": stage.get("variables") or {},
        "settings": stage.get("methodSettings") or {},
        "access_log": access_logs.index(log.get("destinationArn"), log.get("format")),
    }


def _http_stage(stage: dict[str, Any]) -> StageIndex:
    log = stage.get("AccessLogSettings") or {}
    return {
        "deployment": stage.get("DeploymentId", ""),
        "variables": stage.get("StageVariables") or {},
        "settings": stage.get("DefaultRouteSettings") or {},
        "access_log": access_logs.index(log.get("DestinationArn"), log.get("Format")),
    }


def _key(row: Row) -> KeyIndex:
    return {"id": row.key.name, "name": row.spec.get("name", ""), "enabled": row.spec.get("enabled", False)}


def _plan(row: Row) -> PlanIndex:
    return {
        "stages": [f"{each['apiId']}/{each['stage']}" for each in row.spec.get("apiStages", ())],
        "keys": row.spec.get("keys", []),
        "throttle": row.spec.get("throttle"),
        "quota": row.spec.get("quota"),
    }
