"""What control answers beside AWS operations: how it is, and the reset."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Mapping
from typing import Any

from clary.compute.base import Backend
from clary.control.entrances import entrances
from clary.control.hooks import Hooks
from clary.control.layer_uploads import abandon_upload, upload
from clary.control.server import Question
from clary.control.work import given, interrupt, jobs, tunings
from clary.controllers.control import Controllers
from clary.functions.letters import STEP_DONE
from clary.jumpstart import bucket
from clary.lifecycles import (
    compilation_job,
    endpoint,
    hook_run,
    inference_component,
    training_job,
    transform_job,
    tuning_job,
)
from clary.lifecycles.table import Lifecycle
from clary.objects.store import ObjectStore
from clary.queues.messages import MessageStore
from clary.queues.waiting import QUESTION, RECEIVE
from clary.services.apigateway.drafts import draft
from clary.services.apigateway.publication import publish as publish_apis
from clary.services.apigateway.usage import note as note_usage
from clary.services.iam.bootstrap import ensure_defaults
from clary.services.iam.use import note as note_uses
from clary.services.logs.live_tail import QUESTION as LOG_STREAMS
from clary.services.logs.live_tail import streams
from clary.services.s3.publication import publish as publish_buckets
from clary.services.sagemaker.publication import publish as publish_endpoints
from clary.services.secretsmanager.rotation import step_done
from clary.services.sns.publication import publish as publish_topics
from clary.services.sqs.publication import publish as publish_queues
from clary.services.sqs.reception import receive
from clary.serving.serverless import QUESTION as SERVERLESS
from clary.settings import Settings
from clary.store import Row, Store
from clary.telemetry.series import SeriesStore


def _not_terminal(lifecycle: Lifecycle) -> tuple[str, ...]:
    return tuple(status for status in lifecycle.moves if not lifecycle.terminal(status))


_LIVELY: Mapping[str, tuple[str, ...]] = {
    training_job.KIND: _not_terminal(training_job.LIFECYCLE),
    transform_job.KIND: _not_terminal(transform_job.LIFECYCLE),
    compilation_job.KIND: _not_terminal(compilation_job.LIFECYCLE),
    endpoint.KIND: _not_terminal(endpoint.LIFECYCLE),
    inference_component.KIND: _not_terminal(endpoint.LIFECYCLE),
    tuning_job.KIND: (tuning_job.IN_PROGRESS, tuning_job.STOPPING),
}
"""The statuses of what is going on, by kind."""

_JOBS = (training_job.KIND, transform_job.KIND, compilation_job.KIND)
"""Those that end by themselves, and wait their turn."""

_log = logging.getLogger(__name__)


class Questions:
    """Their answers."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        objects: ObjectStore,
        series: SeriesStore,
        messages: MessageStore,
        backend: Backend,
        controllers: Controllers,
    ) -> None:
        self._settings = settings
        self._store = store
        self._objects = objects
        self._series = series
        self._messages = messages
        self._backend = backend
        self._controllers = controllers

    def handlers(self) -> Mapping[str, Question]:
        """By name."""
        return {
            "health": self.health,
            "status": self.status,
            "rest-api": lambda params: draft(self._store, params),
            "api-usage": lambda params: note_usage(self._store, params),
            "credentials-used": lambda params: note_uses(self._store, params),
            "entrances": lambda params: entrances(self._settings, self._store, params),
            "interrupt": lambda params: interrupt(self._settings, self._store, self._controllers.wake, params),
            "upload": lambda params: upload(self._store, params),
            "abandon-upload": lambda params: abandon_upload(self._store, self._objects, params),
            QUESTION: self.arrivals,
            RECEIVE: lambda params: receive(self._store.read, self._messages, params),
            LOG_STREAMS: lambda params: streams(self._store.read, params),
            STEP_DONE: lambda params: step_done(self._store, self._controllers.wake, params),
            "reset": self.reset,
            "environment": self._controllers.environments.start,
            "load-model": self._controllers.models.load,
            SERVERLESS: self._controllers.serverless.ask,
            **Hooks(self._settings, self._store, self._controllers).questions(),
        }

    def health(self, _params: Mapping[str, Any]) -> dict[str, Any]:
        """That control answers at all."""
        return {"control": "ready"}

    def arrivals(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Which queues have got messages: the edge asks as long as somebody waits for one."""
        newest, queues = self._messages.arrivals.since(params["after"], params["seconds"])
        return {"newest": newest, "queues": queues}

    def status(self, _params: Mapping[str, Any]) -> dict[str, Any]:
        """What is going on: resources that are not at their end by status, jobs one by one, how much of the machine is
        given away, and how many containers there are."""
        going_on = {kind: self._going_on(kind) for kind in _LIVELY}
        capacity = self._controllers.capacity
        return {
            "resources": {kind: dict(Counter(row.status for row in rows)) for kind, rows in going_on.items()},
            "jobs": jobs([row for kind in _JOBS for row in going_on[kind]], capacity),
            "tunings": tunings(going_on[tuning_job.KIND]),
            "capacity": given(capacity),
            "containers": sum(1 for _ in self._backend.list()),
        }

    def _going_on(self, kind: str) -> list[Row]:
        return self._store.read.rows(kind, _LIVELY[kind])

    def reset(self, _params: Mapping[str, Any]) -> dict[str, Any]:
        """Empty everything but keys and settings. Rows go first: whoever still works on one finds it gone and stops."""
        going_on = [row.key for kind in _LIVELY for row in self._going_on(kind)]
        for kind in (training_job.WARM_POOL_KIND, hook_run.HOOK_KIND):
            going_on += [row.key for row in self._store.read.rows(kind)]
        self._store.write(lambda transaction: transaction.clear())
        self._controllers.reset()
        for key in going_on:
            self._controllers.wake(key)
        for container in list(self._backend.list()):
            self._backend.remove(container)
        self._objects.clear()
        self._series.clear()
        self._messages.clear()
        shutil.rmtree(self._settings.logs_dir, ignore_errors=True)
        ensure_defaults(self._store, self._settings)
        publish_apis(self._store.read, self._settings)
        publish_buckets(self._objects, self._settings)
        publish_queues(self._store.read, self._settings)
        publish_topics(self._store.read, self._settings)
        publish_endpoints(self._store.read, self._settings)
        bucket.offer(self._objects, self._settings.region)
        _log.info("everything was reset")
        return {"status": "reset"}
