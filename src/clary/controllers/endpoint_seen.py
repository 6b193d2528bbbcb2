"""What is known of an endpoint or inference component: the containers that its row names, and what is seen of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from clary.compute.base import State
from clary.controllers import rollout as rollouts
from clary.controllers.activities import Outcome
from clary.lifecycles.endpoint import Deployment, Member, Variant, members_of
from clary.store.rows import Row
from clary.workload.placement import Room


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
