"""Why a replica, or all of a deployment, does not come up; in AWS's words where public sources show them."""

from __future__ import annotations

from clary.compute.base import Absent, Exited, Lost, State
from clary.controllers.activities import Failed
from clary.controllers.endpoint_seen import Seen
from clary.lifecycles.endpoint import Deployment, EndpointState, Member, Replica, Variant, members_of
from clary.names import container_names
from clary.workload.placement import NO_HOST, NO_ROOM, copies_of

STARTUP_SECONDS = 480.0
"""A container has 8 minutes to answer /ping
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html)."""

CRASHES = 3
"""A replica that has never answered /ping and has ended by itself so often will not come up."""


def impossible(upcoming: Deployment | None, seen: Seen) -> str | None:
    """Why a replica could never be started, however often it is tried."""
    for variant in upcoming["variants"] if upcoming else ():
        for member in members_of(variant):
            bundle, state = seen.bundles.get(member["container"]), seen.containers.get(member["container"])
            if isinstance(bundle, Failed):
                return bundle.reason
            if isinstance(state, Exited) and state.reason:
                return _cannot_start(variant, state.reason)
    return None


def crowded(state: EndpointState, seen: Seen) -> str | None:
    """Why there is no place for the copies that an inference component is to have more; on the way back they are not
    asked about: what answered before is to answer again."""
    there, copies = copies_of(state, "current"), copies_of(state)
    if there.keys() >= copies.keys():
        return None
    if seen.room is None:
        return NO_HOST
    return None if seen.room.holds(copies.values()) else NO_ROOM


def hopeless(upcoming: Deployment | None, seen: Seen, now: float) -> str | None:
    """Why a deployment will never be in service, or None while it may be."""
    for variant in upcoming["variants"] if upcoming else ():
        for member in members_of(variant):
            if member.get("ready"):
                continue
            if _is_late(variant, member, now) or member.get("restarts", 0) >= CRASHES:
                return _no_ping(variant, member, member.get("last_words") or seen.said(member))
    return None


def how_ended(member: Member, seen: Seen) -> State | Failed | None:
    """How this place came to be empty: the container is gone or serves no more, or could not even be prepared."""
    container = member["container"]
    if container in seen.silent:
        return Lost()
    state, bundle = seen.containers.get(container, Absent()), seen.bundles.get(container)
    if isinstance(state, Exited | Lost) or (isinstance(state, Absent) and member.get("ready")):
        return state
    return bundle if isinstance(bundle, Failed) else None


def why_ended(variant: Variant, seen: Seen, replica: Replica) -> str | None:
    """How a replica came to its end, or None."""
    for member in replica["members"]:
        ended = how_ended(member, seen)
        if isinstance(ended, Failed):
            return ended.reason
        if isinstance(ended, Exited) and ended.reason:
            return _cannot_start(variant, ended.reason)
        if ended is not None:
            said = seen.said(member)
            return _no_ping(variant, member, last_words(variant, ended, said) if isinstance(ended, Exited) else said)
    return None


def why_late(variant: Variant, seen: Seen, now: float, replica: Replica) -> str | None:
    """Why a replica will not be waited for any longer, or None."""
    late = (member for member in replica["members"] if _is_late(variant, member, now))
    return next((_no_ping(variant, member, seen.said(member)) for member in late), None)


def _is_late(variant: Variant, member: Member, now: float) -> bool:
    return not member.get("ready") and now - member.get("started", now) > startup_seconds(variant)


def startup_seconds(variant: Variant) -> float:
    """How long a container of this variant may take until it answers /ping."""
    return variant.get("startup_seconds") or STARTUP_SECONDS


def last_words(variant: Variant, ended: Exited, said: str) -> str:
    """What it said last, and that it was ended for its memory where it was."""
    allowed = "MemorySizeInMB allows" if "serverless" in variant else "its instance type has"
    memory = f"Its container used more memory than {allowed}. " if ended.out_of_memory else ""
    return memory + said


def _cannot_start(variant: Variant, reason: str) -> str:
    return (
        f"CannotStartContainerError. Please ensure the model container for variant {variant['name']} "
        f"starts correctly when invoked with 'docker run <image> serve'. {reason}"
    )


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
