"""How the copies of an inference component are replaced
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_InferenceComponentRollingUpdatePolicy.html): by the plan
that endpoints have."""

from __future__ import annotations

import math

from clary.lifecycles.endpoint import Deployment
from clary.lifecycles.rollout import Rollout
from clary.services.resources import Params
from clary.services.sagemaker.deployment_config import check_deployment_config, rollout
from clary.workload.placement import Room, copies_of

_SMALLEST_BATCH = 0.05
"""Of all copies: AWS's limit."""


def check_component_rollout(config: Params | None) -> None:
    """What can be said without knowing the component. Raises ValidationError."""
    check_deployment_config(config)


def component_rollout(
    config: Params | None, old: Deployment, new: Deployment, room: Room | None, now: float
) -> Rollout:
    """The plan by which `new` takes the place of `old`; where nothing is said, all at once, if the instances have room
    for that, else in the smallest batches. Raises ValidationError."""
    count = new["variants"][0]["desired_count"]
    if not count:
        return rollout(None, old, new, now)
    if config is None and count > 1 and not _fits_beside(old, new, room):
        config = _in_small_batches(count)
    return rollout(config, old, new, now)


def _fits_beside(old: Deployment, new: Deployment, room: Room | None) -> bool:
    [variant] = new["variants"]
    copies = [*copies_of({"current": old}).values(), *[variant["demand"]] * variant["desired_count"]]
    return room is not None and room.holds(copies)


def _in_small_batches(count: int) -> Params:
    batch = {"Type": "COPY_COUNT", "Value": max(1, math.ceil(count * _SMALLEST_BATCH))}
    return {"RollingUpdatePolicy": {"MaximumBatchSize": batch, "WaitIntervalInSeconds": 0}}
