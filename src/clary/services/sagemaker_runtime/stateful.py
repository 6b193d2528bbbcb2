"""Requests of stateful sessions: to the replica that has the session
(https://docs.aws.amazon.com/sagemaker/latest/dg/stateful-sessions.html)."""

from __future__ import annotations

from collections.abc import Mapping

from clary.errors import AWSError
from clary.serving.routes import Route, VariantRoute
from clary.serving.sessions import NEW, Sessions
from clary.serving.ways import InSession

_NEW_HEADER = "x-amzn-sagemaker-new-session-id"
_CLOSED_HEADER = "x-amzn-sagemaker-closed-session-id"


def container_of(sessions: Sessions, owner: str, session: str) -> str:
    """The first container of the replica that has it; empty where the model is asked for a new one. `owner` is the
    name under which the route is published. Raises ValidationError where there is no such session (any more)."""
    if session == NEW:
        return ""
    container = sessions.container(owner, session)
    if not container:
        raise closed(session)
    return container


def variant_of(route: Route, container: str, session: str, named: str | None) -> VariantRoute:
    """The variant whose replica has the session, `named` or not. Raises ValidationError where that replica is gone."""
    for variant in route.variants:
        if named in (None, variant.name) and any(container == target.containers[0] for target in variant.targets):
            return variant
    raise closed(session)


def keep(sessions: Sessions, owner: str, way: InSession, headers: Mapping[str, str]) -> None:
    """What an answer's headers say of its session: that there is one now, or none any more."""
    said, ended = headers.get(_NEW_HEADER), headers.get(_CLOSED_HEADER)
    if said and way.replica is not None:
        sessions.begin(owner, said, way.replica.target.containers[0])
    if ended:
        sessions.end(owner, ended)


def closed(session: str) -> AWSError:
    """No public source shows what AWS says."""
    text = f"Session {session} does not exist: it has expired, was closed, or its instance is gone."
    return AWSError("ValidationError", text)
