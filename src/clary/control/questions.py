"""What control answers beside AWS operations: how it is, and the reset."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Mapping
from typing import Any

from clary.compute.base import Backend
from clary.control.server import Question
from clary.controllers.control import Controllers
from clary.lifecycles import endpoint, training_job
from clary.objects.store import ObjectStore
from clary.services.iam.bootstrap import ensure_defaults
from clary.settings import Settings
from clary.store import Row, Store

_LIVELY = {
    training_job.KIND: training_job.LIFECYCLE,
    endpoint.KIND: endpoint.LIFECYCLE,
}

_log = logging.getLogger(__name__)


class Questions:
    """Their answers."""

    def __init__(
        self, settings: Settings, store: Store, objects: ObjectStore, backend: Backend, controllers: Controllers
    ) -> None:
        self._settings = settings
        self._store = store
        self._objects = objects
        self._backend = backend
        self._controllers = controllers

    def handlers(self) -> Mapping[str, Question]:
        """By name."""
        return {"health": self.health, "status": self.status, "reset": self.reset}

    def health(self, _params: Mapping[str, Any]) -> dict[str, Any]:
        """That control answers at all."""
        return {"control": "ready"}

    def status(self, _params: Mapping[str, Any]) -> dict[str, Any]:
        """What is going on: resources that are not at their end by status, and how many containers there are."""
        counted = {kind: dict(Counter(row.status for row in self._going_on(kind))) for kind in _LIVELY}
        return {"resources": counted, "containers": sum(1 for _ in self._backend.list())}

    def _going_on(self, kind: str) -> list[Row]:
        lifecycle = _LIVELY[kind]
        return self._store.read.rows(kind, [each for each in lifecycle.moves if not lifecycle.terminal(each)])

    def reset(self, _params: Mapping[str, Any]) -> dict[str, Any]:
        """Empty everything but keys and settings. Rows go first: whoever still works on one finds it gone and stops."""
        going_on = [row.key for kind in _LIVELY for row in self._going_on(kind)]
        self._store.write(lambda transaction: transaction.clear())
        for key in going_on:
            self._controllers.wake(key)
        self._controllers.reset()
        for container in list(self._backend.list()):
            self._backend.remove(container)
        self._objects.clear()
        shutil.rmtree(self._settings.logs_dir, ignore_errors=True)
        ensure_defaults(self._store, self._settings)
        _log.info("everything was reset")
        return {"status": "reset"}
