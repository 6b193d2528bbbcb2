"""An endpoint's life (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html).

    Creating → InService | Failed
    InService → Updating → InService            (a failed update goes back to what served: RollingBack → InService)
    RollingBack → UpdateRollbackFailed → Updating    (what served does not come up again: both are in service, mixed)
    InService | Failed | UpdateRollbackFailed → Deleting → (the row is gone)

The row's `target` is `InService`, or `Deleted` once DeleteEndpoint was called.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypedDict

from clary.lifecycles.rollout import Rollout
from clary.lifecycles.table import Lifecycle

CREATING = "Creating"
IN_SERVICE = "InService"
UPDATING = "Updating"
ROLLING_BACK = "RollingBack"
UPDATE_ROLLBACK_FAILED = "UpdateRollbackFailed"
DELETING = "Deleting"
FAILED = "Failed"

DELETED = "Deleted"
"""A target, never a status: the row is gone instead."""

KIND = "endpoint"

MULTI_MODEL = "MultiModel"
"""The Mode of a container definition whose container is told which models to load."""

LIFECYCLE = Lifecycle(
    kind=KIND,
    initial=CREATING,
    moves={
        CREATING: frozenset({IN_SERVICE, FAILED, DELETING}),
        IN_SERVICE: frozenset({UPDATING, DELETING}),
        UPDATING: frozenset({IN_SERVICE, ROLLING_BACK, FAILED, DELETING}),
        ROLLING_BACK: frozenset({IN_SERVICE, UPDATE_ROLLBACK_FAILED, FAILED, DELETING}),
        UPDATE_ROLLBACK_FAILED: frozenset({UPDATING, DELETING}),
        FAILED: frozenset({DELETING}),
        DELETING: frozenset(),
    },
)


class Member(TypedDict, total=False):
    """One container of a replica."""

    container: str
    position: int
    """Which of the variant's container definitions is its own."""
    log_stream: str
    ready: bool
    """It has answered /ping with 200."""
    started: float
    """When its program began (epoch seconds), or that of the first that was to fill this place: the health check's time
    limit counts from here. Absent while its model is still fetched or its environment built."""
    last_words: str
    """How the log of the one before it in this place ended."""
    restarts: int
    """How often this place was filled anew; sets the back-off."""
    not_before: float
    """Back-off: do not start before (epoch seconds)."""


class Replica(TypedDict):
    """One instance of a variant: it answers while all of its containers do."""

    members: list[Member]
    """In the order of the variant's container definitions."""


class Variant(TypedDict, total=False):
    """One production variant as deployed: what was configured, resolved once, so that a config may be deleted."""

    name: str
    weight: float
    desired_count: int
    instance_type: str
    model: str
    """ModelName; the model's container definitions as they were when deployed stand in `container_definitions`."""
    container_definitions: list[dict[str, Any]]
    direct: bool
    """Each request names the container that is to answer it; else they answer one after the other."""
    role: str
    isolated: bool
    """The model's EnableNetworkIsolation."""
    startup_seconds: float
    """ContainerStartupHealthCheckTimeoutInSeconds; absent: AWS's 8 minutes."""
    download_seconds: float
    """ModelDataDownloadTimeoutInSeconds; absent: no limit."""
    replicas: list[Replica]
    shadow: bool
    """Requests are mirrored to it, and nobody sees its answers; absent: a production variant."""


class Deployment(TypedDict, total=False):
    """All variants of one endpoint configuration."""

    config: str
    """EndpointConfigName."""
    variants: list[Variant]
    """Production variants first, then the shadow variant where there is one."""
    capture: dict[str, Any]
    """The configuration's DataCaptureConfig; absent where it has none."""


class EndpointState(TypedDict, total=False):
    """What stands in the row's `state`; times in epoch seconds.

    CreateEndpoint and UpdateEndpoint write `next`; the controller moves it to `current` when every replica is ready
    and, where there is a `rollout`, all of its steps are done. A container that neither names is stopped once no edge
    routes to it.
    """

    current: Deployment | None
    next: Deployment | None
    rollout: Rollout
    """How `next` takes the place of `current`; absent where it does at once: CreateEndpoint, other weights and
    counts."""
    failure_reason: str


def production_of(deployment: Deployment | None) -> list[Variant]:
    """The variants whose answers are seen."""
    return [variant for variant in (deployment or {}).get("variants", ()) if not variant.get("shadow")]


def shadows_of(deployment: Deployment | None) -> list[Variant]:
    """The variants to which requests are mirrored; one at most."""
    return [variant for variant in (deployment or {}).get("variants", ()) if variant.get("shadow")]


def replicas_of(deployment: Deployment | None) -> Iterator[Replica]:
    """All replicas of all variants."""
    for variant in (deployment or {}).get("variants", ()):
        yield from variant.get("replicas", [])


def members_of(variant: Variant) -> Iterator[Member]:
    """All containers of all replicas."""
    for replica in variant.get("replicas", []):
        yield from replica["members"]


def is_ready(replica: Replica) -> bool:
    """Whether each of its containers has answered /ping with 200."""
    return all(member.get("ready") for member in replica["members"])


def leaving_name(name: str, unique: str) -> str:
    """What an endpoint's row is called from DeleteEndpoint on: the name is free at once for another endpoint, while the
    controller ends this one's containers. Nothing else has a `#` in its name."""
    return f"{name}#{unique}"
