"""DeploymentConfig: how UpdateEndpoint is to shift traffic, as a plan that a controller follows
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeploymentConfig.html,
https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html).

The limits are AWS's; no public source shows the words of their errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clary.errors import ValidationError
from clary.lifecycles.endpoint import Deployment, Variant, production_of, standing_count
from clary.lifecycles.rollout import CREATING, Rollout, Step, rolling_steps
from clary.services.resources import Params
from clary.services.sagemaker.serverless import check_way

_SIZES = {
    "CANARY": ("CanarySize", 0, 50),
    "LINEAR": ("LinearStepSize", 10, 50),
    "ROLLING": ("MaximumBatchSize", 5, 50),
}
"""Which member says how much is shifted in a step, and what it may be in percent of a variant's instances."""

_PERCENT = "CAPACITY_PERCENT"
_NO_CONFIG: Params = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE"}}}


def check_deployment_config(config: Params | None) -> None:
    """What can be said without knowing the endpoint. Raises ValidationError."""
    if not config:
        return
    if config.get("BlueGreenUpdatePolicy") and config.get("RollingUpdatePolicy"):
        raise ValidationError(
            "DeploymentConfig: only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be specified."
        )
    kind, policy, size = _parts(config)
    if kind in _SIZES and size is None:
        raise ValidationError(f"DeploymentConfig: {_SIZES[kind][0]} is required for traffic routing of type {kind}.")
    needless = [member for known, (member, _, _) in _SIZES.items() if known != kind and member in _routing(config)]
    if needless:
        raise ValidationError(f"DeploymentConfig: {needless[0]} is not for traffic routing of type {kind}.")
    waits = _wait(config) + policy.get("TerminationWaitInSeconds", 0)
    if waits >= policy.get("MaximumExecutionTimeoutInSeconds", waits + 1):
        raise ValidationError(
            "DeploymentConfig: MaximumExecutionTimeoutInSeconds must be larger than the total of "
            "WaitIntervalInSeconds and TerminationWaitInSeconds."
        )


def rollout(config: Params | None, old: Deployment, new: Deployment, now: float) -> Rollout:
    """The plan by which `new` takes the place of `old`, begun `now` (epoch seconds). Raises ValidationError where these
    two do not allow for it."""
    kind, policy, size = _parts(config or _NO_CONFIG)
    check_way(config, old, new)
    before = {variant["name"]: standing_count(variant) for variant in old["variants"]}
    goal = _counts(new["variants"])
    shifted = _counts(production_of(new))
    _check_variants(kind, before, goal)
    if size is not None:
        _check_size(kind, size, shifted)
    batch = _batch(size, goal) if kind == "ROLLING" and size else 0
    steps = rolling_steps(goal, before, batch) if batch else _shifts(kind, size, before, goal, shifted)
    alarms = ((config or {}).get("AutoRollbackConfiguration") or {}).get("Alarms") or ()
    plan = Rollout(
        type=kind,
        steps=steps,
        wait=float(_wait(config or _NO_CONFIG)),
        termination=float(policy.get("TerminationWaitInSeconds", 0)),
        alarms=[alarm["AlarmName"] for alarm in alarms if "AlarmName" in alarm],
        before=before,
        goal=goal,
        batch=_batch(policy.get("RollbackMaximumBatchSize"), before) if batch else 0,
        started=now,
        step=0,
        stage=CREATING,
        since=now,
        shares={},
    )
    if "MaximumExecutionTimeoutInSeconds" in policy:
        plan["limit"] = float(policy["MaximumExecutionTimeoutInSeconds"])
    return plan


def _routing(config: Params) -> Params:
    routing: Params = (config.get("BlueGreenUpdatePolicy") or {}).get("TrafficRoutingConfiguration") or {}
    return routing


def _parts(config: Params) -> tuple[str, Params, Params | None]:
    """How traffic moves, the policy that says so, and how much of it in a step."""
    rolling = config.get("RollingUpdatePolicy")
    if rolling:
        return "ROLLING", rolling, rolling["MaximumBatchSize"]
    kind = _routing(config).get("Type", "ALL_AT_ONCE")
    size = _routing(config).get(_SIZES[kind][0]) if kind in _SIZES else None
    return kind, config.get("BlueGreenUpdatePolicy") or {}, size


def _wait(config: Params) -> int:
    rolling = config.get("RollingUpdatePolicy")
    seconds: int = (rolling or _routing(config)).get("WaitIntervalInSeconds", 0)
    return seconds


def _counts(variants: Iterable[Variant]) -> dict[str, int]:
    return {variant["name"]: variant["desired_count"] for variant in variants}


def _check_variants(kind: str, before: Mapping[str, int], goal: Mapping[str, int]) -> None:
    if kind not in _SIZES:
        return
    if kind == "ROLLING" and len(goal) > 1:
        raise ValidationError("DeploymentConfig: RollingUpdatePolicy is not for endpoints with several variants.")
    if set(before) != set(goal):
        raise ValidationError(
            f"DeploymentConfig: for a deployment of type {kind} the new endpoint configuration must have the same "
            f"variant names as the endpoint has: {', '.join(sorted(before))}."
        )


def _check_size(kind: str, size: Params, goal: Mapping[str, int]) -> None:
    member, least, most = _SIZES[kind]
    for name, count in goal.items():
        total = 100 if size["Type"] == _PERCENT else count
        if not least * total <= size["Value"] * 100 <= most * total:
            allowed = f"between {least}% and {most}%" if least else f"less than or equal to {most}%"
            raise ValidationError(
                f"DeploymentConfig: {member} must be {allowed} of the total instance count of variant {name} ({count})."
            )


def _shifts(
    kind: str, size: Params | None, before: dict[str, int], goal: dict[str, int], shifted: dict[str, int]
) -> list[Step]:
    """Blue and green: all of the new fleet comes first, and all of the old one stays until the last. What is `shifted`
    is the traffic of production variants; a shadow has its part of it in either fleet."""
    total = {name: 100 if size and size["Type"] == _PERCENT else count for name, count in shifted.items()}
    each = int(size["Value"]) if size else 0
    several = max(-(-count // each) for count in total.values()) if each else 1
    several = min(several, 2) if kind == "CANARY" else several
    steps = [
        _shift(before, goal, {name: min(1.0, each * number / total[name]) for name in total})
        for number in range(1, several)
    ]
    return [*steps, _shift(dict.fromkeys(before, 0), goal, dict.fromkeys(total, 1.0))]


def _shift(left: dict[str, int], goal: dict[str, int], shares: dict[str, float]) -> Step:
    return Step(counts=dict(goal), shares=shares, left=dict(left))


def _batch(size: Mapping[str, Any] | None, counts: Mapping[str, int]) -> int:
    """Instances at a time, of the one variant that there is; all of them where nothing else is said."""
    (count,) = counts.values()
    if size is None:
        return max(1, count)
    wanted: int = size["Value"] * count // 100 if size["Type"] == _PERCENT else size["Value"]
    return max(1, min(wanted, count))
