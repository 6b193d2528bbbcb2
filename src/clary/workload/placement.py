"""Whether the copies of inference components fit on the instances of their endpoint's variant.

Where a copy is stands nowhere: all instances are on one machine, so that a copy that runs may count for another of them
at any time. The copies fit if they can be dealt out at all (docs/decisions/0046).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from clary.instances import Shape, shape
from clary.lifecycles.endpoint import DELETED, Demand, Variant, is_host, production_of
from clary.lifecycles.endpoint import KIND as ENDPOINT_KIND
from clary.lifecycles.inference_component import KIND
from clary.store.rows import Key, Row

NO_ROOM = (
    "CapacityError: There is not enough hardware resources on the instances for this endpoint to create a copy of the "
    "inference component."
)
"""AWS's FailureReason, as users report it; SDKs look for its first word."""

NO_HOST = "The endpoint variant that is to host the inference component does not exist."
"""It was deleted just when the component was created. No public source shows AWS's words."""

_MB = 2**20


class Rows(Protocol):
    """What is read of the store, within a transaction or without."""

    def get(self, key: Key) -> Row | None:
        """The row of a key."""
        ...

    def children(self, kind: str, parent: Key) -> list[Row]:
        """The rows of a kind below another row."""
        ...


@dataclass(frozen=True)
class Room:
    """What one component's copies may take: the instances of its variant, but for what other components hold there."""

    shape: Shape
    most: int
    """Instances; with managed scaling as many as there may be."""
    taken: tuple[Mapping[str, Any], ...]

    def holds(self, copies: Iterable[Demand]) -> bool:
        """Whether these copies find a place beside the others'."""
        needed = instances_for([*self.taken, *copies], self.shape)
        return needed is not None and needed <= self.most


def instances_for(copies: Iterable[Mapping[str, Any]], one: Shape) -> int | None:
    """How many instances of the shape `one` hold these copies, the largest dealt out first, each to the first that has
    room; None where a copy is larger than an instance."""
    whole = (one.cpus * 1000, one.memory_bytes // _MB, one.gpus)
    sizes = [(copy["millicores"], copy["memory_mb"], copy["accelerators"]) for copy in copies]
    free: list[tuple[int, ...]] = []
    for size in sorted(sizes, key=lambda size: (_share(size, whole), size), reverse=True):
        number = next((number for number, left in enumerate(free) if _fits(size, left)), len(free))
        if number == len(free):
            if not _fits(size, whole):
                return None
            free.append(whole)
        free[number] = tuple(left - taken for left, taken in zip(free[number], size, strict=True))
    return len(free)


def _fits(size: tuple[int, ...], left: tuple[int, ...]) -> bool:
    return all(wanted <= there for wanted, there in zip(size, left, strict=True))


def _share(size: tuple[int, ...], whole: tuple[int, ...]) -> float:
    """Of what a copy needs most of, the part of an instance."""
    return max(wanted / max(1, there) for wanted, there in zip(size, whole, strict=True))


def copies_of(state: Mapping[str, Any], *deployments: str) -> dict[str, Demand]:
    """What each copy of a component takes, by its first container; a copy that two deployments share is one."""
    return {
        replica["members"][0]["container"]: variant["demand"]
        for name in deployments or ("current", "next")
        for variant in (state.get(name) or {}).get("variants", ())
        if "demand" in variant
        for replica in variant.get("replicas", ())
    }


def room_of(rows: Rows, component: Row) -> Room | None:
    """The room of an inference component; None for everything else, and where there is no such variant any more."""
    if component.key.kind != KIND:
        return None
    name = component.spec["VariantName"]
    variant = host(rows.get(endpoint_of(component)), name)
    if variant is None:
        return None
    others = [row for row in _on(rows, endpoint_of(component), name) if row.key != component.key]
    taken = tuple(demand for row in others for demand in copies_of(row.state).values())
    return Room(shape(variant["instance_type"]), bounds(variant)[1], taken)


def endpoint_of(component: Row) -> Key:
    """The endpoint on whose instances a component's copies are."""
    return Key(ENDPOINT_KIND, component.key.account, component.key.region, component.spec["EndpointName"])


def components_on(rows: Rows, endpoint: Key) -> list[Row]:
    """The inference components of an endpoint that are not being deleted."""
    return [row for row in rows.children(KIND, endpoint) if row.target != DELETED]


def _on(rows: Rows, endpoint: Key, variant: str) -> list[Row]:
    return [row for row in components_on(rows, endpoint) if row.spec["VariantName"] == variant]


def copies_on(rows: Rows, endpoint: Key, variant: str) -> list[Demand]:
    """What all copies of all components on a variant take."""
    return [demand for row in _on(rows, endpoint, variant) for demand in copies_of(row.state).values()]


def host(endpoint: Row | None, name: str) -> Variant | None:
    """The variant of an endpoint that components are on, as it serves or, at first, is to."""
    deployment = (endpoint.state.get("current") or endpoint.state.get("next")) if endpoint else None
    variants = (each for each in production_of(deployment) if each["name"] == name and is_host(each))
    return next(variants, None)


def bounds(variant: Variant) -> tuple[int, int]:
    """The fewest and the most instances: with ManagedInstanceScaling what it says, else those that there are
    (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariantManagedInstanceScaling.html)."""
    managed = variant.get("managed_scaling") or {}
    if managed.get("Status") != "ENABLED":
        return variant["desired_count"], variant["desired_count"]
    return managed["MinInstanceCount"], managed["MaxInstanceCount"]


def instances_wanted(variant: Variant, copies: Iterable[Demand]) -> int:
    """How many instances the variant is to have for these copies: as many as hold them, within its bounds."""
    least, most = bounds(variant)
    needed = instances_for(copies, shape(variant["instance_type"]))
    return most if needed is None else max(least, min(most, needed))


def with_instances(endpoint: Row, name: str, count: int) -> Row:
    """An endpoint's row with so many instances of a variant that serves and has no model."""
    current = endpoint.state["current"]
    changed = {"desired_count": count, "replicas": [{"members": []}] * count}
    variants = [{**each, **changed} if each["name"] == name else each for each in current["variants"]]
    return replace(endpoint, state={**endpoint.state, "current": {**current, "variants": variants}})
