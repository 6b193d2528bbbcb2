"""Doing what `hook.decide` says. One hook is reconciled as a whole: so one run of it goes on at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from clary.calls import Call, Principal
from clary.controllers.activities import Activities
from clary.controllers.hook import Ask, Save, Seen, Wait, Work, current, decide, failed
from clary.controllers.logs import Invoke, Logs, lines_into
from clary.controllers.loop import Again
from clary.errors import AWSError
from clary.hooks import steps
from clary.hooks.hook import Hook, unique_name
from clary.hooks.published import publish
from clary.hooks.workload import HookWorkload
from clary.lifecycles.hook_run import BUILDING, DEPLOYING, FETCHING, GOING_ON, HOOK_KIND, KIND, LIFECYCLE, TRAINING
from clary.settings import Settings
from clary.store import Store
from clary.store.rows import Key, Query, Row

Acting = Callable[[str, str], Principal]
"""A session of a role's: by its ARN, and what the session is called."""

_LATER = frozenset({"ServiceUnavailable", "ThrottlingException", "InternalFailure"})
_RETRY_SECONDS = 1.0
_MANY = 1000
_MISSING = ("Could not find", "Requested resource not found")

_log = logging.getLogger(__name__)


class HookController:
    """Reconciles hooks: their runs, one after the other."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        workload: HookWorkload,
        activities: Activities,
        logs: Logs,
        invoke: Invoke,
        acting: Acting,
    ) -> None:
        self._settings = settings
        self._store = store
        self._workload = workload
        self._activities = activities
        self._logs = logs
        self._invoke = invoke
        self._acting = acting

    def resume(self) -> list[Key]:
        """After a start of control: publish all hooks, remove what nobody goes on with; all are to be woken."""
        self.publish()
        runs = self._store.read.rows(KIND, GOING_ON)
        self._workload.sweep((run.parent, run.spec["number"]) for run in runs)
        return [row.key for row in self._store.read.rows(HOOK_KIND)]

    def publish(self) -> None:
        """Every edge knows hooks as they are now."""
        publish(self._store.read, self._settings)

    def reconcile(self, key: Key) -> float | None:
        """Go on until something has to be waited for."""
        while (row := self._store.read.get(key)) is not None:
            hook = Hook.of(row)
            match self._next(hook, key):
                case Save(runs, line):
                    self._save(hook, key, runs, line)
                case Work(run):
                    self._activities.begin(key, _activity(run), self._working(hook, run), builds=run.status == BUILDING)
                    return None
                case Wait(seconds):
                    return seconds
        self._activities.forget(key)
        return None

    def _next(self, hook: Hook, key: Key) -> Save | Work | Wait:
        """The next step but calls, which are made."""
        while True:
            runs = self._unfinished(key)
            run = current(runs)
            try:
                step = decide(hook, runs, self._see(hook, key, run), time.time())
                if not isinstance(step, Ask):
                    return step
                self._ask(hook, step)
            except AWSError as error:
                return _refused(run, error)

    def _ask(self, hook: Hook, step: Ask) -> None:
        self._call(hook, "sagemaker", step.operation, step.params)
        saved = step.saved
        if saved is not None:
            self._store.write(lambda transaction: transaction.save(saved))
        self._say(hook, step.run, step.line)

    def remove(self, hook: Hook, key: Key) -> None:
        """After its row has gone: no work, no files, no log; what it has made in SageMaker stays."""
        self._activities.forget(key)
        self.publish()
        self._workload.clear(hook.name)
        self._logs.remove(key, hook.log_group)

    def _unfinished(self, key: Key) -> list[Row]:
        """Oldest first."""
        query = Query(
            KIND, key.account, key.region, "name", descending=False, statuses=GOING_ON, parent=key.name, limit=_MANY
        )
        return list(self._store.read.page(query).rows)

    def _see(self, hook: Hook, key: Key, run: Row | None) -> Seen:
        if run is None:
            return Seen()
        if run.status in (FETCHING, BUILDING):
            return Seen(outcome=self._activities.outcome(key, _activity(run)))
        name = run.state.get("unique", "")
        if run.status == TRAINING:
            return Seen(job=self._described(hook, "DescribeTrainingJob", {"TrainingJobName": name}))
        if run.status == DEPLOYING:
            endpoint = steps.endpoint_name(hook.steps)
            return Seen(
                model=self._described(hook, "DescribeModel", {"ModelName": name}),
                config=self._described(hook, "DescribeEndpointConfig", {"EndpointConfigName": name}),
                endpoint=self._described(hook, "DescribeEndpoint", {"EndpointName": endpoint}),
            )
        return Seen(unique=unique_name(hook.name, run.spec["number"]))

    def _described(self, hook: Hook, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """None where there is no such thing."""
        try:
            return self._call(hook, "sagemaker", operation, params)
        except AWSError as error:
            if any(words in error.message for words in _MISSING):
                return None
            raise

    def _call(self, hook: Hook, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """As the hook's role, through the same door as a client."""
        principal = self._acting(hook.role, f"hook-{hook.name}")
        return self._invoke(Call(principal, service, operation, dict(params), hook.region))

    def _save(self, hook: Hook, key: Key, runs: tuple[Row, ...], line: str) -> None:
        self._store.write(lambda transaction: [transaction.save(run) for run in runs])
        for run in runs:
            self._say(hook, run, line)
            if LIFECYCLE.terminal(run.status):
                for status in (FETCHING, BUILDING):
                    self._activities.forget(key, _activity(replace(run, status=status)))
                self._workload.clear(hook.name, run.spec["number"])

    def _working(self, hook: Hook, run: Row) -> Callable[[Callable[[], bool]], object]:
        number = run.spec["number"]

        def work(ended: Callable[[], bool]) -> object:
            self._ensure_log(hook, run)
            with lines_into(self._workload.log_file(hook, stream(run))) as line:
                if run.status == FETCHING:
                    return self._workload.fetch(hook, number, line, ended)
                ask = partial(self._call, hook)
                return self._workload.build(hook, number, run.state["commit"], line, ended, ask)

        return work

    def _say(self, hook: Hook, run: Row, text: str) -> None:
        _log.info("hook %s: run %d %s", hook.name, run.spec["number"], text)
        self._ensure_log(hook, run)
        with lines_into(self._workload.log_file(hook, stream(run))) as line:
            line(text)

    def _ensure_log(self, hook: Hook, run: Row) -> None:
        self._logs.ensure(run.key, hook.log_group, stream(run))


def _refused(run: Row | None, error: AWSError) -> Save:
    """What was asked for will not be had. Raises Again where it may be, later."""
    if error.code in _LATER or run is None:
        raise Again(_RETRY_SECONDS, error.message) from error
    return failed(run, f"{error.code}: {error.message}", time.time())


def stream(run: Row) -> str:
    """The log stream of a run."""
    return f"{run.spec['number']:06}"


def _activity(run: Row) -> str:
    return f"{run.status} {run.spec['number']}"
