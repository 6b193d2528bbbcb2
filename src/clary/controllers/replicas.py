"""The places of a deployment: as many replicas as are wanted, and who has ended is replaced."""

from __future__ import annotations

from functools import partial

from clary.compute.base import Exited, Running, State
from clary.controllers.activities import Failed
from clary.controllers.endpoint_seen import Seen
from clary.controllers.replica_failures import how_ended, last_words, why_ended, why_late
from clary.controllers.serverless import give_up
from clary.lifecycles.endpoint import Deployment, Member, Replica, Variant, is_ready
from clary.names import container_names

LASTED_SECONDS = 60.0
"""A replica that ran for so long is no crash loop: counting begins anew."""

PATIENCE = 100
"""One that had answered /ping is replaced at once, so many times in succession: somebody may be killing replicas, and
what they answer is worth more than what their starts cost. Then its model is taken for one that crashes."""

FIRST_BACKOFF = 0.5
LAST_BACKOFF = 30.0


def fill(deployment: Deployment, seen: Seen, now: float, *, serves: bool) -> None:
    """As many replicas as are wanted; containers that have ended are replaced, and none beside them. `serves`: whether
    those that are there answer already."""
    for variant in deployment["variants"]:
        if serves and "serverless" in variant:
            give_up(variant, partial(why_ended, variant, seen), partial(why_late, variant, seen, now))
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
    ended = how_ended(member, seen)
    if ended is not None:
        return _replacement(variant, member, ended, seen, now)
    if member["container"] in seen.healthy and not member.get("ready"):
        return {**member, "ready": True}
    running = seen.containers.get(member["container"])
    if "started" not in member and isinstance(running, Running):
        return {**member, "started": running.since}
    return member


def _replacement(variant: Variant, member: Member, ended: State | Failed, seen: Seen, now: float) -> Member:
    lasted = isinstance(ended, Exited) and ended.since is not None and ended.at - ended.since > LASTED_SECONDS
    answered = bool(member.get("ready"))
    restarts = 0 if lasted and answered else member.get("restarts", 0) + 1
    vain = 0 if answered else member.get("vain", 0) + 1
    container = seen.fresh()
    again = _new_member(variant, member["position"], container, container)
    again |= {"restarts": restarts, "vain": vain, "not_before": now + backoff(max(vain, restarts - PATIENCE))}
    if not member.get("ready") and "started" in member:
        again["started"] = member["started"]
    if isinstance(ended, Exited):
        again["last_words"] = last_words(variant, ended, seen.said(member))
    return again


def backoff(restarts: int) -> float:
    """Seconds before a place is filled after so many restarts that count; after the first at once."""
    return 0.0 if restarts < 2 else min(LAST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(restarts - 2, 16))
