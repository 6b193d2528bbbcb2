"""Execution environments: containers that the edge asks for, that no row names, and that end with their connection."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from clary.compute.base import Exited, Lost, Running
from clary.controllers.container import Containers
from clary.controllers.logs import Logs, lines_into
from clary.errors import AWSError, ClaryError
from clary.lifecycles.function import ACTIVE, KIND, VERSION_KIND
from clary.names import random_hex
from clary.store import Store
from clary.store.rows import Key, Row
from clary.workload.errors import WorkloadError
from clary.workload.functions.environments import FunctionWorkload, log_group

ENVIRONMENT_KIND = "function-environment"
"""Not a kind of row: the key under which the loop sees an environment."""

PREFIX = "fn-"
"""Of their containers' ids: control knows them by it when it starts again."""

LONGEST_SECONDS = 3 * 3600.0
"""None is older: the edge has used none for an hour then, and one that runs still cannot end by itself."""

_KEPT_SECONDS = 3.0
"""One that has ended is kept for so long: the edge asks how it ended."""

_LOOK_SECONDS = 60.0

_log = logging.getLogger(__name__)


class FunctionEnvironments:
    """Starts them at the edge's word and clears them away when they have ended. May be used from any thread."""

    def __init__(
        self,
        store: Store,
        workload: FunctionWorkload,
        containers: Containers,
        logs: Logs,
        wake: Callable[[Key], None],
    ) -> None:
        self._store = store
        self._workload = workload
        self._containers = containers
        self._logs = logs
        self._wake = wake

    def start(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """One more environment for a version: its container, which is starting, and its log's file. Raises AWSError."""
        row = self._row(params)
        container = f"{PREFIX}{random_hex(16)}"
        stream = self._workload.log_stream(row, container)
        key = _key(container)
        self._containers.own(container, key)
        try:
            self._give_notice(row, stream)
            self._containers.start(container, self._workload.container(row, container, stream), key)
        except (WorkloadError, ClaryError, ConnectionError) as error:
            self._containers.retire([container])
            _log.warning("no environment of %s could be started: %s", row.key.name, error)
            raise AWSError("ServiceException", str(error), status=500) from None
        self._logs.ensure(row.key, log_group(row.spec), stream)
        return {"container": container, "log": str(self._workload.log_file(row, stream))}

    def _give_notice(self, row: Row, stream: str) -> None:
        """What is written is synced: an environment is not kept waiting for a line that there is not."""
        notices = self._workload.notices(row)
        if notices:
            with lines_into(self._workload.log_file(row, stream)) as line:
                for notice in notices:
                    line(notice)

    def resume(self) -> list[Key]:
        """After a start of control: those that are there belong to an edge, or will end by themselves."""
        found = self._known()
        for container in found:
            self._containers.own(container, _key(container))
        return [_key(container) for container in found]

    def wanted_containers(self) -> set[str]:
        """All that are there: they are removed when they have ended."""
        return self._known()

    def reconcile(self, key: Key) -> float | None:
        """Remove one that has ended, end one that is too old."""
        state = self._containers.poll(key.name)
        match state:
            case Running(since):
                left = since + LONGEST_SECONDS - time.time()
                if left > 0:
                    return min(left, _LOOK_SECONDS)
            case Exited(at=at):
                left = at + _KEPT_SECONDS - time.time()
                if left > 0:
                    return left
            case Lost():
                pass
            case _:
                return None
        self._containers.retire([key.name])
        return None

    def _known(self) -> set[str]:
        return {container for container in self._containers.known() if container.startswith(PREFIX)}

    def _row(self, params: Mapping[str, Any]) -> Row:
        name, version = params["name"], params["version"]
        kind = KIND if version == "$LATEST" else VERSION_KIND
        row_name = name if kind == KIND else f"{name}:{version}"
        row = self._store.read.get(Key(kind, params["account"], params["region"], row_name))
        if row is None or row.status != ACTIVE:
            text = f"Function not found: {name}:{version}"
            raise AWSError("ResourceNotFoundException", text, status=404, members={"Type": "User"})
        return row


def _key(container: str) -> Key:
    return Key(ENVIRONMENT_KIND, "", "", container)
