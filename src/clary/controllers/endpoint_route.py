"""Who answers for an endpoint, and with how much of its traffic: pure, over its row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clary.lifecycles import inference_component
from clary.lifecycles.endpoint import RANDOM, Deployment, Variant, is_host, is_ready, production_of, shadows_of
from clary.names import container_names
from clary.serving.asynchronous.config import Asynchronous
from clary.serving.capture import Capture, is_on
from clary.serving.routes import OnDemand, Route, Target, VariantRoute, component_id, endpoint_id
from clary.store.rows import Key, Row
from clary.workload.hosting import log_group, of_many_models
from clary.workload.placement import copies_of

REPLAY = "CLARY_REPLAY"
"""In a container's environment: `off` where what it does must not be done twice."""


def route_id(key: Key) -> str:
    """The name under which the route of an endpoint or an inference component is published."""
    of = component_id if key.kind == inference_component.KIND else endpoint_id
    return of(key.account, key.region, key.name)


def route(row: Row) -> Route | None:
    """Who answers for this endpoint or component; None while nobody ever has.

    While a rollout shifts traffic, a variant has two entries of the same name, the old fleet's and the new one's.
    """
    current: Deployment | None = row.state.get("current")
    if current is None:
        return None
    group, production = log_group(row.key), production_of(current)
    shares: dict[str, float] = row.state.get("rollout", {}).get("shares", {})
    if not shares:
        entries = tuple(_entry(current, variant, group, variant["weight"]) for variant in production)
    else:
        entries = tuple(_shared(current, row.state["next"], shares, group))
    first, *_ = production
    return Route(
        entries,
        endpoint=first.get("endpoint", ""),
        hosts_components=is_host(first),
        idle="endpoint" in first and not (first["desired_count"] or copies_of(row.state)),
        asynchronous=_asynchronous(row, current),
    )


def _asynchronous(row: Row, current: Deployment) -> Asynchronous | None:
    """Of its one variant, and of the endpoint that was created then: its name may be another one's some day."""
    config, [variant, *_] = current.get("asynchronous"), production_of(current)
    return Asynchronous.of(config, variant.get("role", ""), row.created.isoformat()) if config else None


def _shared(old: Deployment, new: Deployment, shares: dict[str, float], group: str) -> Iterator[VariantRoute]:
    """Weights count within a fleet: what the fleets' configurations weigh against each other is nothing."""
    for deployment, other in ((old, new), (new, old)):
        total = sum(variant["weight"] for variant in production_of(deployment))
        others = {variant["name"]: _answers(variant) for variant in production_of(other)}
        for variant in production_of(deployment):
            moved = shares.get(variant["name"], 1.0)
            share = _taken(variant, moved if deployment is new else 1 - moved, others.get(variant["name"]))
            if share > 0:
                weight = variant["weight"] / total * share if total else 0.0
                yield _entry(deployment, variant, group, weight, share)


def _taken(variant: Variant, share: float, other: bool | None) -> float:
    """A fleet takes the other's share as well where that has nobody who answers; `other` is None where the other has no
    such variant."""
    answers = _answers(variant)
    return share if other is None or other == answers else float(answers)


def _entry(deployment: Deployment, variant: Variant, group: str, weight: float, share: float = 1.0) -> VariantRoute:
    return VariantRoute(
        variant["name"],
        float(weight),
        _targets(variant),
        group,
        tuple(container_names(variant["container_definitions"])),
        bool(variant.get("direct")),
        _capture(deployment, variant),
        share,
        deployment["config"],
        _shadow(deployment, variant, group),
        of_many_models(variant),
        _on_demand(variant),
        variant.get("routing") == RANDOM,
        any(_once(each) for each in variant["container_definitions"]),
    )


def _once(definition: dict[str, Any]) -> bool:
    """Whether a container's user wants no request asked twice (docs/decisions/0017)."""
    environment: dict[str, str] = definition.get("Environment") or {}
    return environment.get(REPLAY) == "off"


def _on_demand(variant: Variant) -> OnDemand | None:
    serverless = variant.get("serverless")
    if serverless is None:
        return None
    return OnDemand(
        serverless["max_concurrency"],
        serverless["provisioned"],
        variant["desired_count"],
        serverless["failures"],
        serverless["said"],
    )


def _shadow(deployment: Deployment, variant: Variant, group: str) -> VariantRoute | None:
    """The shadow variant of the same fleet, weighted with the part of the requests to `variant` that it gets
    (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html: one weight over the other,
    all at most)."""
    for shadow in () if variant.get("shadow") else shadows_of(deployment):
        part = min(1.0, shadow["weight"] / variant["weight"]) if variant["weight"] else float(shadow["weight"] > 0)
        return _entry(deployment, shadow, group, part)
    return None


def _capture(deployment: Deployment, variant: Variant) -> Capture | None:
    config = deployment.get("capture")
    return Capture.of(config, variant.get("role", "")) if config and is_on(config) else None


def _answers(variant: Variant) -> bool:
    """Of a serverless variant replicas are started when they are asked for."""
    return "serverless" in variant or bool(_targets(variant))


def _targets(variant: Variant) -> tuple[Target, ...]:
    ready = (replica for replica in variant.get("replicas", []) if replica["members"] and is_ready(replica))
    return tuple(Target(tuple(member["container"] for member in replica["members"])) for replica in ready)
