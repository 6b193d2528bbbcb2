"""The rules for a policy's configuration, beyond the model
(https://docs.aws.amazon.com/autoscaling/application/APIReference/API_StepAdjustment.html).

No public source shows AWS's texts for most of these; they are said in the words of its pages.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any

from clary.errors import ValidationError
from clary.scaling.rows import STEP, TRACKING
from clary.scaling.steps import PERCENT, Adjustment
from clary.services.applicationautoscaling.errors import not_offered
from clary.services.applicationautoscaling.places import scaled_by
from clary.services.resources import Params

_MEMBERS = {STEP: "StepScalingPolicyConfiguration", TRACKING: "TargetTrackingScalingPolicyConfiguration"}
_PLAIN = ("MetricName", "Namespace", "Statistic")


def configured(params: Params, before: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of PutScalingPolicy, `before` being what was kept. Raises ValidationError."""
    kind = params.get("PolicyType") or before.get("type") or STEP
    if kind not in _MEMBERS:
        raise not_offered(f"PolicyType {kind}")
    given = [name for name in (*_MEMBERS.values(), "PredictiveScalingPolicyConfiguration") if params.get(name)]
    if given and given != [_MEMBERS[kind]]:
        raise ValidationError(f"Only {_MEMBERS[kind]} can be specified with PolicyType {kind}")
    config = params.get(_MEMBERS[kind]) or (before.get("config") if before.get("type") == kind else None)
    if not config:
        raise ValidationError(f"{_MEMBERS[kind]} is required with PolicyType {kind}")
    if kind == STEP:
        _check_steps(config)
    else:
        _check_tracking(config, scaled_by(params).predefined)
    return {"name": params["PolicyName"], "type": kind, "config": config}


def shown(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a description that say how a policy is configured."""
    return {"PolicyName": spec["name"], "PolicyType": spec["type"], _MEMBERS[spec["type"]]: spec["config"]}


def metric_of(spec: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a target tracking policy tracks: two policies of one target may not track the same."""
    config = spec["config"]
    return config.get("PredefinedMetricSpecification"), config.get("CustomizedMetricSpecification")


def _check_tracking(config: Mapping[str, Any], offered: Collection[str]) -> None:
    predefined, customized = config.get("PredefinedMetricSpecification"), config.get("CustomizedMetricSpecification")
    if (predefined is None) == (customized is None):
        raise ValidationError("Exactly one of a predefined and a customized metric specification must be specified")
    if config["TargetValue"] <= 0:
        raise ValidationError("Target value must be greater than 0")
    if predefined and predefined["PredefinedMetricType"] not in offered:
        raise not_offered(f"PredefinedMetricType {predefined['PredefinedMetricType']}")
    _check_cooldowns(config, "ScaleOutCooldown", "ScaleInCooldown")
    if customized is not None:
        _check_customized(customized)


def _check_customized(asked: Mapping[str, Any]) -> None:
    plain = [name for name in (*_PLAIN, "Dimensions", "Unit") if asked.get(name)]
    if asked.get("Metrics"):
        if plain:
            raise ValidationError(f"{plain[0]} cannot be specified together with Metrics")
        return
    for name in _PLAIN:
        if not asked.get(name):
            raise ValidationError(f"{name} is required in a customized metric specification")


def _check_steps(config: Mapping[str, Any]) -> None:
    kind, adjustments = config.get("AdjustmentType"), config.get("StepAdjustments")
    if not kind or not adjustments:
        raise ValidationError("Adjustment type and step adjustments are required for a step scaling policy")
    if config.get("MinAdjustmentMagnitude") and kind != PERCENT:
        raise ValidationError(f"MinAdjustmentMagnitude can only be specified with the adjustment type {PERCENT}")
    _check_cooldowns(config, "Cooldown")
    _check_intervals(adjustments)


def _check_cooldowns(config: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if (config.get(name) or 0) < 0:
            raise ValidationError(f"{name} must be at least 0")


def _check_intervals(adjustments: Sequence[Adjustment]) -> None:
    """Neither gaps nor overlaps; open towards where they begin away from the threshold."""
    lowers = [each.get("MetricIntervalLowerBound") for each in adjustments]
    uppers = [each.get("MetricIntervalUpperBound") for each in adjustments]
    for word, bounds in (("lower", lowers), ("upper", uppers)):
        if bounds.count(None) > 1:
            raise ValidationError(f"At most one step adjustment can have an unspecified {word} bound")
    for lower, upper in zip(lowers, uppers, strict=True):
        if lower is None and upper is None:
            raise ValidationError("The lower and the upper bound of a step adjustment cannot both be unspecified")
        if lower is not None and upper is not None and lower >= upper:
            raise ValidationError("The upper bound of a step adjustment must be greater than its lower bound")
    _check_order(sorted(adjustments, key=_start))


def _start(each: Adjustment) -> float:
    lower = each.get("MetricIntervalLowerBound")
    return float("-inf") if lower is None else float(lower)


def _check_order(ordered: Sequence[Adjustment]) -> None:
    for before, after in pairwise(ordered):
        if before.get("MetricIntervalUpperBound") != after.get("MetricIntervalLowerBound"):
            raise ValidationError("Step adjustment intervals can neither overlap nor have a gap between them")
    lowest, highest = ordered[0].get("MetricIntervalLowerBound"), ordered[-1].get("MetricIntervalUpperBound")
    if lowest is not None and lowest < 0:
        raise ValidationError("A negative lower bound requires a step adjustment with an unspecified lower bound")
    if highest is not None and highest > 0:
        raise ValidationError("A positive upper bound requires a step adjustment with an unspecified upper bound")
