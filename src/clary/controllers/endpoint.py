"""What an endpoint needs next: `decide`, pure, over the row and what is seen of its replicas.

A row has up to two deployments: `current`, which answers, and `next`, which is to take its place: with replicas of its
own, in the steps of a rollout (`controllers/rollout.py`), or, where only weights and counts change, at once, with the
same replicas and as many more as are wanted. `decide` first says what the row should be; only where the row is so
already does it say what is to be done for it. Containers that no deployment names any more are nobody's: whoever saves
the row retires them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import cast

from clary.compute.base import Absent, Exited, Lost, Running, State
from clary.controllers import rollout as rollouts
from clary.controllers.activities import Done, Failed, Outcome
from clary.controllers.serverless import give_up, settle
from clary.lifecycles.endpoint import (
    DELETED,
    FAILED,
    IN_SERVICE,
    LIFECYCLE,
    ROLLING_BACK,
    UPDATE_ROLLBACK_FAILED,
    UPDATING,
    Deployment,
    EndpointState,
    Member,
    Replica,
    Variant,
    is_ready,
    members_of,
    replicas_of,
)
from clary.lifecycles.rollout import Rollout
from clary.names import container_names
from clary.store.rows import Row
from clary.workload.failure import cut
from clary.workload.placement import NO_HOST, NO_ROOM, Room, copies_of

STARTUP_SECONDS = 480.0
"""A container has 8 minutes to answer /ping
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html)."""

CRASHES = 3
"""A replica that has never answered /ping and has ended by itself so often will not come up."""

LASTED_SECONDS = 60.0
"""A replica that ran for so long is no crash loop: the next one starts at once."""

FIRST_BACKOFF = 0.5
LAST_BACKOFF = 30.0


@dataclass(frozen=True)
class Seen:
    """What is known beside the row, by container id."""

    fresh: Callable[[], str]
    """An id for one more container."""
    containers: Mapping[str, State] = field(default_factory=dict)
    bundles: Mapping[str, Outcome] = field(default_factory=dict)
    """Of the activity that lays out a container's bundle; absent where it was not begun since control started."""
    healthy: frozenset[str] = frozenset()
    """Those that have answered /ping with 200."""
    silent: frozenset[str] = frozenset()
    """Those that have answered, and do not any more."""
    said: Callable[[Member], str] = lambda _: ""
    """The last lines of a container's log."""
    alarms: rollouts.Alarms | None = None
    """Those that the rollout names; None where it names none, or they cannot be read just now."""
    room: Room | None = None
    """For the copies of an inference component; None: nowhere."""


@dataclass(frozen=True)
class Save:
    """Save this row and publish its route, then look again."""

    row: Row


@dataclass(frozen=True)
class Remove:
    """The endpoint is not wanted: publish that it has no route, delete its row, retire its containers."""


@dataclass(frozen=True)
class Act:
    """The row is as it should be; what its replicas need. `again`: seconds until something is due by the clock."""

    prepare: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    probe: tuple[str, ...] = ()
    again: float | None = None


Step = Save | Remove | Act


def decide(row: Row, seen: Seen, now: float) -> Step:
    """The next step; `now` in epoch seconds."""
    if row.target == DELETED:
        return Remove()
    wanted = _wanted(row, seen, now)
    if wanted.status != row.status or wanted.state != row.state:
        return Save(replace(wanted, modified=datetime.fromtimestamp(now, UTC)))
    return _act(row, seen, now)


def _wanted(row: Row, seen: Seen, now: float) -> Row:
    """The row as it should be, given what is seen."""
    state = cast("EndpointState", copy.deepcopy(dict(row.state)))
    status = _entered(row.status, state)
    back = status == ROLLING_BACK and state.get("next") is not None
    reason = _impossible(state.get("current") if back else state.get("next"), seen)
    for deployment, serves in _with_traffic(state):
        _fill(deployment, seen, now, serves=serves)
    reason = reason or (None if back else _crowded(state, seen))
    if back:
        return _going_back(row, state, reason or _hopeless(state.get("current"), seen, now), now)
    if state.get("next") is None or status == UPDATE_ROLLBACK_FAILED:
        return _at(row, status, IN_SERVICE if status == ROLLING_BACK else status, state)
    reason = reason or _hopeless(state.get("next"), seen, now)
    reason = reason or rollouts.in_the_way(state.get("rollout"), seen.alarms, now)
    if reason is not None:
        return _given_up(row, status, state, reason, now)
    return _in_place(row, status, state) if _taken_over(state, seen, now) else _at(row, status, status, state)


def _with_traffic(state: EndpointState) -> list[tuple[Deployment, bool]]:
    """`current` and `next`, as far as they are there, and whether their replicas answer already: those of a `next` that
    differs in weights and counts only do."""
    current, coming = state.get("current"), state.get("next")
    found = ((current, True), (coming, current is not None and "rollout" not in state))
    return [(deployment, serves) for deployment, serves in found if deployment]


def _entered(status: str, state: EndpointState) -> str:
    """An endpoint in service for which something is to come is Updating."""
    if state.get("next") and status == IN_SERVICE:
        return LIFECYCLE.check(status, UPDATING)
    return status


def _taken_over(state: EndpointState, seen: Seen, now: float) -> bool:
    """Whether what is to come is all there; takes the next stage of a rollout where it is time."""
    if "rollout" in state:
        return rollouts.onward(state, seen.alarms, now)
    return all(map(is_ready, replicas_of(state["next"])))


def _in_place(row: Row, status: str, state: EndpointState) -> Row:
    if state["next"]:
        settle(state["next"], state.get("current"))
    state["current"], state["next"] = state["next"], None
    state.pop("failure_reason", None)
    state.pop("rollout", None)
    return _at(row, status, IN_SERVICE, state)


def _given_up(row: Row, status: str, state: EndpointState, reason: str, now: float) -> Row:
    state["failure_reason"] = cut(reason)
    serves = status == UPDATING and state.get("current") is not None
    if not serves or rollouts.turn_back(state, now):
        _drop(state)
    return _at(row, status, ROLLING_BACK if serves else FAILED, state)


def _going_back(row: Row, state: EndpointState, reason: str | None, now: float) -> Row:
    """The old fleet comes back, and all traffic to it; or it does not come up, and both stay as they are."""
    if reason is not None:
        state["failure_reason"] = cut(f"{state['failure_reason']} Rolling back failed: {reason}")
        return _at(row, ROLLING_BACK, UPDATE_ROLLBACK_FAILED, state)
    if not rollouts.backward(state, now):
        return _at(row, ROLLING_BACK, ROLLING_BACK, state)
    _drop(state)
    return _at(row, ROLLING_BACK, IN_SERVICE, state)


def _drop(state: EndpointState) -> None:
    state["next"] = None
    state.pop("rollout", None)


def _at(row: Row, before: str, status: str, state: EndpointState) -> Row:
    return replace(row, status=LIFECYCLE.check(before, status), state=state)


def _impossible(upcoming: Deployment | None, seen: Seen) -> str | None:
    """Why a replica could never be started, however often it is tried."""
    for variant in upcoming["variants"] if upcoming else ():
        for member in members_of(variant):
            bundle, state = seen.bundles.get(member["container"]), seen.containers.get(member["container"])
            if isinstance(bundle, Failed):
                return bundle.reason
            if isinstance(state, Exited) and state.reason:
                return _cannot_start(variant, state.reason)
    return None


def _crowded(state: EndpointState, seen: Seen) -> str | None:
    """Why there is no place for the copies that an inference component is to have more; on the way back they are not
    asked about: what answered before is to answer again."""
    there, copies = copies_of(state, "current"), copies_of(state)
    if there.keys() >= copies.keys():
        return None
    if seen.room is None:
        return NO_HOST
    return None if seen.room.holds(copies.values()) else NO_ROOM


def _cannot_start(variant: Variant, reason: str) -> str:
    return (
        f"CannotStartContainerError. Please ensure the model container for variant {variant['name']} "
        f"starts correctly when invoked with 'docker run <image> serve'. {reason}"
    )


def _fill(deployment: Deployment, seen: Seen, now: float, *, serves: bool) -> None:
    """As many replicas as are wanted; containers that have ended are replaced, and none beside them."""
    for variant in deployment["variants"]:
        if serves and "serverless" in variant:
            give_up(variant, partial(_why_ended, variant, seen), partial(_why_late, variant, seen, now))
        known = _kept(variant.get("replicas", []), variant["desired_count"])
        missing = variant["desired_count"] - len(known)
        tended = [_tended_replica(variant, replica, seen, now) for replica in known]
        variant["replicas"] = tended + [_new_replica(variant, seen) for _ in range(missing)]


def _kept(replicas: list[Replica], count: int) -> list[Replica]:
    """As many of them, rather those that answer."""
    return replicas if len(replicas) <= count else sorted(replicas, key=is_ready, reverse=True)[:count]


def _new_replica(variant: Variant, seen: Seen) -> Replica:
    containers = [seen.fresh() for _ in variant["container_definitions"]]
    members = [_new_member(variant, number, each, containers[0]) for number, each in enumerate(containers)]
    return Replica(members=members)


def _new_member(variant: Variant, position: int, container: str, instance: str) -> Member:
    """Of those with the same `instance`, any id, the streams are named as of one instance."""
    stream = instance_stream(variant["name"], instance)
    names = container_names(variant["container_definitions"])
    return Member(
        container=container,
        position=position,
        log_stream=stream if len(names) == 1 else f"{stream}/{names[position]}",
        ready=False,
        restarts=0,
        not_before=0.0,
    )


def instance_stream(variant: str, instance: str) -> str:
    """The log stream of an instance with one container; with several the container's name follows."""
    return f"{variant}/i-0{instance[:16]}"


def _tended_replica(variant: Variant, replica: Replica, seen: Seen, now: float) -> Replica:
    return Replica(members=[_tended(variant, member, seen, now) for member in replica["members"]])


def _tended(variant: Variant, member: Member, seen: Seen, now: float) -> Member:
    ended = _ended(member, seen)
    if ended is not None:
        return _replacement(variant, member, ended, seen, now)
    if member["container"] in seen.healthy and not member.get("ready"):
        return {**member, "ready": True}
    running = seen.containers.get(member["container"])
    if "started" not in member and isinstance(running, Running):
        return {**member, "started": running.since}
    return member


def _ended(member: Member, seen: Seen) -> State | Failed | None:
    """How this place came to be empty: the container is gone or serves no more, or could not even be prepared."""
    container = member["container"]
    if container in seen.silent:
        return Lost()
    state, bundle = seen.containers.get(container, Absent()), seen.bundles.get(container)
    if isinstance(state, Exited | Lost) or (isinstance(state, Absent) and member.get("ready")):
        return state
    return bundle if isinstance(bundle, Failed) else None


def _why_ended(variant: Variant, seen: Seen, replica: Replica) -> str | None:
    """How a replica came to its end, or None."""
    for member in replica["members"]:
        ended = _ended(member, seen)
        if isinstance(ended, Failed):
            return ended.reason
        if isinstance(ended, Exited) and ended.reason:
            return _cannot_start(variant, ended.reason)
        if ended is not None:
            said = seen.said(member)
            return _no_ping(variant, member, _last_words(variant, ended, said) if isinstance(ended, Exited) else said)
    return None


def _why_late(variant: Variant, seen: Seen, now: float, replica: Replica) -> str | None:
    """Why a replica will not be waited for any longer, or None."""
    late = (member for member in replica["members"] if _is_late(variant, member, now))
    return next((_no_ping(variant, member, seen.said(member)) for member in late), None)


def _replacement(variant: Variant, member: Member, ended: State | Failed, seen: Seen, now: float) -> Member:
    lasted = isinstance(ended, Exited) and ended.since is not None and ended.at - ended.since > LASTED_SECONDS
    restarts = 0 if lasted and member.get("ready") else member.get("restarts", 0) + 1
    container = seen.fresh()
    again = _new_member(variant, member["position"], container, container)
    again |= {"restarts": restarts, "not_before": now + backoff(restarts)}
    if not member.get("ready") and "started" in member:
        again["started"] = member["started"]
    if isinstance(ended, Exited):
        again["last_words"] = _last_words(variant, ended, seen.said(member))
    return again


def _last_words(variant: Variant, ended: Exited, said: str) -> str:
    allowed = "MemorySizeInMB allows" if "serverless" in variant else "its instance type has"
    memory = f"Its container used more memory than {allowed}. " if ended.out_of_memory else ""
    return memory + said


def backoff(restarts: int) -> float:
    """Seconds before a place is filled for the `restarts`th time; the first is filled at once."""
    return 0.0 if restarts < 2 else min(LAST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(restarts - 2, 16))


def _hopeless(upcoming: Deployment | None, seen: Seen, now: float) -> str | None:
    """Why a deployment will never be in service, or None while it may be."""
    for variant in upcoming["variants"] if upcoming else ():
        for member in members_of(variant):
            if member.get("ready"):
                continue
            if _is_late(variant, member, now) or member.get("restarts", 0) >= CRASHES:
                return _no_ping(variant, member, member.get("last_words") or seen.said(member))
    return None


def _is_late(variant: Variant, member: Member, now: float) -> bool:
    return not member.get("ready") and now - member.get("started", now) > startup_seconds(variant)


def startup_seconds(variant: Variant) -> float:
    """How long a container of this variant may take until it answers /ping."""
    return variant.get("startup_seconds") or STARTUP_SECONDS


def _no_ping(variant: Variant, member: Member, said: str) -> str:
    """AWS's words, and what it would be looked up for. Of those for a serverless variant public sources show the first
    half only."""
    if "serverless" in variant:
        reason = (
            f"Unable to successfully stand up your model within the allotted {startup_seconds(variant):.0f} second "
            "timeout. Please ensure that downloading your model artifacts, starting your model container and passing "
            "the ping health checks can be completed within that time."
        )
        return f"{reason} Its last lines: {said}" if said else reason
    names = container_names(variant["container_definitions"])
    which = "primary container" if len(names) == 1 else names[member["position"]]
    reason = (
        f"The {which} for production variant {variant['name']} did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )
    return f"{reason} Its last lines: {said}" if said else reason


def _act(row: Row, seen: Seen, now: float) -> Act:
    """What the containers need that are not ready."""
    prepare, start, probe, due = [], [], [], _due(row, now)
    for container, (variant, member) in by_container(row).items():
        if member.get("ready"):
            continue
        if member.get("not_before", 0.0) > now:
            due.append(member["not_before"] - now)
            continue
        if "started" in member:
            due.append(max(0.0, member["started"] + startup_seconds(variant) - now) + 0.01)
        if isinstance(seen.containers.get(container, Absent()), Running):
            probe.append(container)
        elif isinstance(seen.bundles.get(container), Done):
            start.append(container)
        elif container not in seen.bundles:
            prepare.append(container)
    return Act(tuple(prepare), tuple(start), tuple(probe), min(due, default=None))


def _due(row: Row, now: float) -> list[float]:
    """Seconds until the rollout is to be looked at."""
    rollout: Rollout | None = row.state.get("rollout")
    seconds = rollouts.seconds_left(rollout, now) if rollout and row.status == UPDATING else None
    return [] if seconds is None else [seconds]


def deployments(row: Row) -> list[Deployment]:
    """`current` and `next`, as far as they are there."""
    found = (row.state.get("current"), row.state.get("next"))
    return [deployment for deployment in found if deployment]


def by_container(row: Row) -> dict[str, tuple[Variant, Member]]:
    """Every container with its variant; `current` and `next` share replicas where only weights or counts change."""
    return {
        member["container"]: (variant, member)
        for deployment in deployments(row)
        for variant in deployment["variants"]
        for member in members_of(variant)
    }


def containers_of(row: Row) -> set[str]:
    """Ids that the row names."""
    return set(by_container(row))
