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

RANDOM = "RANDOM"
ROUTING_STRATEGIES = frozenset({"LEAST_OUTSTANDING_REQUESTS", RANDOM})
"""Which replica of a variant is asked."""

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
    """How often this place was filled anew since one lasted; many set the back-off."""
    vain: int
    """How many before this one have ended, one after the other, without having answered; set the back-off."""
    not_before: float
    """Back-off: do not start before (epoch seconds)."""


class Replica(TypedDict):
    """One instance of a variant: it answers while all of its containers do."""

    members: list[Member]
    """In the order of the variant's container definitions."""


class Serverless(TypedDict):
    """How a variant without instances has its replicas: as many as requests need at once
    (https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html)."""

    memory_mb: int
    max_concurrency: int
    """Requests at once, each with a replica of its own; more are throttled."""
    provisioned: int
    """Replicas that are always there; 0: none without requests."""
    failures: int
    """How many of its replicas have not come up since it serves: requests that wait for one are told."""
    said: str
    """Why the last of them did not."""


class Demand(TypedDict):
    """What one copy of an inference component takes of its instance
    (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_InferenceComponentComputeResourceRequirements.html).
    """

    millicores: int
    """Thousandths of a core; 0: none are set aside."""
    memory_mb: int
    """MinMemoryRequiredInMb."""
    most_memory_mb: int
    """MaxMemoryRequiredInMb: more than that it may not use; 0: as much as its instance has."""
    accelerators: int


class Variant(TypedDict, total=False):
    """One production variant as deployed: what was configured, resolved once, so that a config may be deleted."""

    name: str
    weight: float
    desired_count: int
    """Replicas that are wanted; of a serverless variant as many as requests have asked for, and not fewer than are
    provisioned. While it is being deployed one at least: the model is to have shown that it comes up."""
    instance_type: str
    """Absent where `serverless` is there."""
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
    accelerator: str
    """AcceleratorType, which nothing heeds: the service has ended. Absent where none was said."""
    routing: str
    """RoutingStrategy; absent where none was said: the replica with the fewest requests outstanding is asked."""
    replicas: list[Replica]
    shadow: bool
    """Requests are mirrored to it, and nobody sees its answers; absent: a production variant."""
    managed_scaling: dict[str, Any]
    """ManagedInstanceScaling of a variant without a model, whose instances are there for inference components: it has
    no container definitions, and its replicas have no containers."""
    endpoint: str
    """Of an inference component: EndpointName of the endpoint on whose instances its copies are. Absent: not one."""
    demand: Demand
    """Of an inference component: what each copy takes. Absent: an instance of its own."""
    serverless: Serverless
    """Absent: its replicas are instances."""


class Deployment(TypedDict, total=False):
    """All variants of one endpoint configuration."""

    config: str
    """EndpointConfigName."""
    variants: list[Variant]
    """Production variants first, then the shadow variant where there is one."""
    capture: dict[str, Any]
    """The configuration's DataCaptureConfig; absent where it has none."""
    specification: dict[str, Any]
    """Of an inference component: the Specification that it was asked to be; `config` is empty then."""
    asynchronous: dict[str, Any]
    """The configuration's AsyncInferenceConfig; absent where requests are answered as they come."""


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


def is_host(variant: Variant) -> bool:
    """Whether it has no model: its instances are there for inference components."""
    return variant.get("container_definitions") == []


def production_of(deployment: Deployment | None) -> list[Variant]:
    """The variants whose answers are seen."""
    return [variant for variant in (deployment or {}).get("variants", ()) if not variant.get("shadow")]


def shadows_of(deployment: Deployment | None) -> list[Variant]:
    """The variants to which requests are mirrored; one at most."""
    return [variant for variant in (deployment or {}).get("variants", ()) if variant.get("shadow")]


def fewest_instances(deployment: Deployment | None) -> int:
    """That a variant of it may be scaled to: of an asynchronous endpoint none, since requests can wait; nor of an
    inference component."""
    return 0 if deployment and ("asynchronous" in deployment or "specification" in deployment) else 1


def standing_count(variant: Variant) -> int:
    """Replicas that a variant has without any request."""
    return variant["serverless"]["provisioned"] if "serverless" in variant else variant["desired_count"]


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
