"""What a hook's runs need next: `decide`, pure. One run at a time; of those that wait the newest counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from clary.controllers.activities import Done, Failed, Outcome
from clary.hooks import steps
from clary.hooks.hook import Hook
from clary.lifecycles.hook_run import (
    BUILDING,
    DEPLOYING,
    FAILED,
    FETCHING,
    LIFECYCLE,
    QUEUED,
    SKIPPED,
    SUCCEEDED,
    TRAINING,
)
from clary.store.rows import Row

LOOK_SECONDS = 1.0
"""Between two looks at a training job or an endpoint."""

_CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")

Described = Mapping[str, Any]


@dataclass(frozen=True)
class Seen:
    """What a run's status makes worth a look; None: there is no such thing."""

    unique: str = ""
    """What a run that begins may call all that it makes."""
    outcome: Outcome | None = None
    """Of its fetching or building; None where it was not begun since control started."""
    job: Described | None = None
    model: Described | None = None
    config: Described | None = None
    endpoint: Described | None = None


@dataclass(frozen=True)
class Save:
    """Save these runs; each has a line for its log."""

    runs: tuple[Row, ...]
    line: str


@dataclass(frozen=True)
class Work:
    """Fetch or build, as the run's status says."""

    run: Row


@dataclass(frozen=True)
class Ask:
    """Call an operation of SageMaker's as the hook's role; then `saved`, where that is to be remembered."""

    run: Row
    operation: str
    params: Mapping[str, Any]
    line: str
    saved: Row | None = None


@dataclass(frozen=True)
class Wait:
    """Nothing for so many seconds, or until it is woken."""

    seconds: float | None = None


Step = Save | Work | Ask | Wait


def current(runs: Sequence[Row]) -> Row | None:
    """The run that goes on, else the one to begin. `runs` are those that have not ended, oldest first."""
    going = [run for run in runs if run.status != QUEUED]
    return going[0] if going else (runs[-1] if runs else None)


def decide(hook: Hook, runs: Sequence[Row], seen: Seen, now: float) -> Step:
    """The next step of the hook whose unfinished `runs` these are, oldest first."""
    waiting = [run for run in runs if run.status == QUEUED]
    if len(waiting) > 1:
        why = f"a newer push is to be built: run {waiting[-1].spec['number']}"
        return Save(tuple(_moved(run, SKIPPED, now, reason=why) for run in waiting[:-1]), f"skipped: {why}")
    run = current(runs)
    return _STEPS[run.status](hook, run, seen, now) if run else Wait()


def failed(run: Row, reason: str, now: float) -> Save:
    """It cannot go on."""
    return Save((_moved(run, FAILED, now, reason=reason),), f"failed: {reason}")


def _begin(_hook: Hook, run: Row, seen: Seen, now: float) -> Step:
    """What it makes is named before it is made: whoever goes on after a crash finds it."""
    return Save((_moved(run, FETCHING, now, unique=seen.unique),), f"run {run.spec['number']} begins")


def _fetch(_hook: Hook, run: Row, seen: Seen, now: float) -> Step:
    if not isinstance(seen.outcome, Done):
        return _work(run, seen.outcome, now)
    commit = seen.outcome.value
    moved = _moved(run, BUILDING, now, commit=commit.id, subject=commit.subject)
    return Save((moved,), f"commit {commit.id} {commit.subject}")


def _build(hook: Hook, run: Row, seen: Seen, now: float) -> Step:
    if not isinstance(seen.outcome, Done):
        return _work(run, seen.outcome, now)
    return _after(hook, run, TRAINING if steps.trains(hook.steps) else DEPLOYING, now, image=seen.outcome.value)


def _work(run: Row, outcome: Outcome | None, now: float) -> Step:
    """It is not done."""
    if outcome is None:
        return Work(run)
    return failed(run, outcome.reason, now) if isinstance(outcome, Failed) else Wait()


def _after(hook: Hook, run: Row, status: str, now: float, **found: str) -> Save:
    """Into `status`, or to the end where nothing more was wanted."""
    if status == DEPLOYING and not steps.endpoint_name(hook.steps):
        return Save((_moved(run, SUCCEEDED, now, **found),), "succeeded")
    return Save((_moved(run, status, now, **found),), status.lower())


def _train(hook: Hook, run: Row, seen: Seen, now: float) -> Step:
    job, name = seen.job, run.state["unique"]
    if job is None:
        params = steps.training_job(hook.steps, name, run.state["image"], hook.role)
        return Ask(run, steps.TRAIN, params, f"training job {name} is created")
    status = job["TrainingJobStatus"]
    if status == "Completed":
        return _after(hook, run, DEPLOYING, now, model_data=job["ModelArtifacts"]["S3ModelArtifacts"])
    if status in ("Failed", "Stopped"):
        why = job.get("FailureReason") or f"it was {status.lower()}"
        return failed(run, f"training job {name}: {why}", now)
    return Wait(LOOK_SECONDS)


def _deploy(hook: Hook, run: Row, seen: Seen, now: float) -> Step:
    name, state = run.state["unique"], run.state
    if seen.model is None:
        params = steps.model(hook.steps, name, state["image"], state.get("model_data", ""), hook.role)
        return Ask(run, steps.MODEL, params, f"model {name} is created")
    if seen.config is None:
        return Ask(run, steps.CONFIG, steps.endpoint_config(hook.steps, name, name), f"configuration {name} is created")
    return _serve(hook, run, seen.endpoint, now)


def _serve(hook: Hook, run: Row, found: Described | None, now: float) -> Step:
    """What is there already is updated: it goes on answering meanwhile."""
    config, name = run.state["unique"], steps.endpoint_name(hook.steps)
    if found is None and run.state.get("asked"):
        return failed(run, f"endpoint {name} was deleted", now)
    asked = replace(run, state={**run.state, "asked": True})
    if found is None:
        params = steps.endpoint(hook.steps, config)
        return Ask(run, steps.ENDPOINT, params, f"endpoint {name} is created", asked)
    if found["EndpointStatus"] in _CHANGING:
        return Wait(LOOK_SECONDS)
    if found["EndpointStatus"] == "InService" and found["EndpointConfigName"] == config:
        return Save((_moved(run, SUCCEEDED, now),), f"endpoint {name} serves it")
    if run.state.get("asked"):
        return failed(run, f"endpoint {name}: {found.get('FailureReason') or found['EndpointStatus']}", now)
    params = steps.endpoint_update(hook.steps, config)
    return Ask(run, "UpdateEndpoint", params, f"endpoint {name} is updated", asked)


_STEPS: Mapping[str, Callable[[Hook, Row, Seen, float], Step]] = {
    QUEUED: _begin,
    FETCHING: _fetch,
    BUILDING: _build,
    TRAINING: _train,
    DEPLOYING: _deploy,
}
"""By the run's status."""


def _moved(run: Row, status: str, now: float, **found: str) -> Row:
    """With the time at which it came there."""
    LIFECYCLE.check(run.status, status)
    times = {**run.state.get("times", {}), status: now}
    state = {**run.state, **found, "times": times}
    return replace(run, status=status, state=state, modified=datetime.fromtimestamp(now, UTC))
