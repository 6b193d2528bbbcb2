"""What an inference experiment needs next: `decide`, pure, over its row and what its endpoint shows.

Each status that changes the endpoint does so in the same way: a configuration is named in the row, then made, then the
endpoint is asked to become so; whoever goes on after a crash finds by the name how far it has come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from clary.lifecycles.inference_experiment import (
    CANCELLED,
    COMPLETED,
    CREATED,
    CREATING,
    LIFECYCLE,
    RUNNING,
    STARTING,
    STOPPING,
    UPDATING,
    Stop,
)
from clary.store.rows import Row
from clary.workload import experiment

LOOK_SECONDS = 0.5
"""Between two looks at an endpoint that changes."""

WATCH_SECONDS = 10.0
"""Between two looks at one that serves: whether it is still there."""

_CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
_IN_SERVICE = "InService"
_NAME_CHARACTERS = 63
_UNIQUE_CHARACTERS = 8
_REASON_CHARACTERS = 1024


@dataclass(frozen=True)
class Seen:
    """What is known beside the row; None: there is no such thing."""

    unique: str
    """For the name of one more configuration."""
    endpoint: Mapping[str, Any] | None = None
    """DescribeEndpoint's."""
    config: Mapping[str, Any] | None = None
    """DescribeEndpointConfig's, of the configuration that is to be deployed."""


@dataclass(frozen=True)
class Save:
    """Save this row, and look again."""

    row: Row


@dataclass(frozen=True)
class Ask:
    """Call an operation of SageMaker's as the experiment's role; then save `row`, where that is to be remembered."""

    operation: str
    params: Mapping[str, Any]
    row: Row | None = None


@dataclass(frozen=True)
class Wait:
    """Nothing until it is woken, or so many seconds have passed."""

    seconds: float | None = None


Step = Save | Ask | Wait

Build = Callable[[Mapping[str, Any], str], Mapping[str, Any]]
"""CreateEndpointConfig's parameters, from the experiment's spec and the configuration's name."""


def decide(row: Row, seen: Seen, now: float) -> Step:
    """The next step; `now` in epoch seconds."""
    step = _STEPS.get(row.status)
    return step(row, seen, now) if step else Wait()


def refused(row: Row, reason: str, now: float) -> Save:
    """What it needs will not be had: an update is taken back, all else has ended."""
    said = reason[:_REASON_CHARACTERS]
    if row.status != UPDATING:
        return Save(_moved(row, CANCELLED, now, ended=now, reason=said))
    back = replace(row, spec=row.state["previous"], state={**row.state, "config": row.state["running"]})
    return Save(_moved(back, RUNNING, now, reason=said))


def _create(row: Row, seen: Seen, now: float) -> Step:
    """The endpoint is there and answers; one that is not there is made, with production alone."""
    if "stop" in row.state:
        return refused(row, row.state.get("reason", ""), now)
    name, found = row.spec["EndpointName"], seen.endpoint
    if found is None or found["EndpointConfigName"] in row.state["made"]:
        return _deploy(row, seen, now, experiment.before, lambda _: _moved(row, CREATED, now))
    if found["EndpointStatus"] in _CHANGING:
        return Wait(LOOK_SECONDS)
    if found["EndpointStatus"] != _IN_SERVICE:
        return refused(row, f"Endpoint {name} is {found['EndpointStatus']}.", now)
    return Save(_moved(row, CREATED, now))


def _created(row: Row, seen: Seen, now: float) -> Step:
    """Until its time has come; what the endpoint is then is what it goes back to."""
    if "stop" in row.state:
        return refused(row, row.state.get("reason", ""), now)
    if now < row.state["begins"]:
        return Wait(row.state["begins"] - now)
    if seen.endpoint is None:
        return refused(row, f"Endpoint {row.spec['EndpointName']} was deleted.", now)
    if seen.endpoint["EndpointStatus"] in _CHANGING:
        return Wait(LOOK_SECONDS)
    return Save(_moved(_afresh(row), STARTING, now, original=seen.endpoint["EndpointConfigName"]))


def _start(row: Row, seen: Seen, now: float) -> Step:
    """Its variants are deployed, for the first time or changed."""
    if now >= row.state["ends"] or "stop" in row.state:
        return _stopping(row, now)
    if seen.endpoint is None:
        return refused(row, f"Endpoint {row.spec['EndpointName']} was deleted.", now)
    return _deploy(row, seen, now, experiment.during, lambda config: _moved(row, RUNNING, now, running=config))


def _run(row: Row, seen: Seen, now: float) -> Step:
    """Until its time is over, or somebody stops it."""
    if now >= row.state["ends"] or "stop" in row.state or seen.endpoint is None:
        return _stopping(row, now)
    return Wait(min(WATCH_SECONDS, row.state["ends"] - now))


def _stopping(row: Row, now: float) -> Step:
    stop: Stop = row.state.get("stop") or Stop(actions=experiment.actions(row.spec, {}), variants=[])
    if experiment.stays_as_it_is(row.spec, stop):
        return Save(_moved(row, STOPPING, now, stop=stop))
    stopped = _moved(_afresh(row), STOPPING, now, stop=stop)
    if experiment.stays_as_it_was(row.spec, stop):
        stopped = replace(stopped, state={**stopped.state, "config": row.state["original"]})
    return Save(stopped)


def _stop(row: Row, seen: Seen, now: float) -> Step:
    """The endpoint becomes what is wanted afterwards; one that somebody else has changed is left alone."""
    name, found = row.spec["EndpointName"], seen.endpoint
    if found is None:
        return Save(_ended(row, now, f"Endpoint {name} was deleted."))
    known = {*row.state["made"], row.state["original"]}
    if found["EndpointStatus"] not in _CHANGING and found["EndpointConfigName"] not in known:
        return Save(_ended(row, now, f"Endpoint {name} was updated by somebody else, and is left as it is."))
    return _deploy(row, seen, now, partial(experiment.after, row.state["stop"]), lambda _: _ended(row, now))


def _ended(row: Row, now: float, reason: str = "") -> Row:
    said = row.state.get("reason") or reason
    status = CANCELLED if row.target == CANCELLED else COMPLETED
    return _moved(row, status, now, ended=now, **({"reason": said} if said else {}))


def _deploy(row: Row, seen: Seen, now: float, build: Build, done: Callable[[str], Row]) -> Step:
    """The endpoint becomes as the configuration that the row names, which `build` gives the parameters of."""
    if "config" not in row.state:
        return Save(_named(row, seen.unique))
    name, config, found = row.spec["EndpointName"], row.state["config"], seen.endpoint
    if found and found["EndpointStatus"] in _CHANGING:
        return Wait(LOOK_SECONDS)
    if found and (found["EndpointConfigName"], found["EndpointStatus"]) == (config, _IN_SERVICE):
        return Save(done(config))
    if row.state.get("asked"):
        why = (found or {}).get("FailureReason") or "it was deleted, or updated by somebody else."
        return refused(row, f"Endpoint {name} could not be deployed: {why}", now)
    if seen.config is None:
        return Ask("CreateEndpointConfig", build(row.spec, config))
    asked = replace(row, state={**row.state, "asked": True})
    operation = "UpdateEndpoint" if found else "CreateEndpoint"
    return Ask(operation, {"EndpointName": name, "EndpointConfigName": config}, asked)


def _named(row: Row, unique: str) -> Row:
    """One more configuration is to be deployed: its name, before it is made."""
    short = row.key.name[: _NAME_CHARACTERS - _UNIQUE_CHARACTERS - 1].rstrip("-")
    config = f"{short}-{unique[:_UNIQUE_CHARACTERS]}"
    return replace(row, state={**row.state, "config": config, "made": [*row.state["made"], config]})


def _afresh(row: Row) -> Row:
    """For what comes next another configuration is deployed."""
    state = {member: value for member, value in row.state.items() if member not in ("config", "asked")}
    return replace(row, state=state)


_STEPS: Mapping[str, Callable[[Row, Seen, float], Step]] = {
    CREATING: _create,
    CREATED: _created,
    STARTING: _start,
    RUNNING: _run,
    UPDATING: _start,
    STOPPING: _stop,
}
"""By the row's status; the others are the end."""


def _moved(row: Row, status: str, now: float, **found: Any) -> Row:  # noqa: ANN401  whatever the state holds
    LIFECYCLE.check(row.status, status)
    state = {**row.state, **found}
    return replace(row, status=status, state=state, modified=datetime.fromtimestamp(now, UTC))
