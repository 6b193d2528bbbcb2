"""What an inference experiment may ask for
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateInferenceExperiment.html,
https://docs.aws.amazon.com/sagemaker/latest/dg/shadow-tests-create.html).

The limits are AWS's; no public source shows the words of their errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from clary.errors import ValidationError
from clary.services.context import Context
from clary.services.resources import Params
from clary.services.sagemaker.endpoint_configs import MOST_INSTANCES, check_capture
from clary.services.sagemaker.errors import limit_exceeded
from clary.services.sagemaker.shadows import check_shadows
from clary.workload import experiment
from clary.workload.experiment import PROMOTE, REMOVE, RETAIN

_DAY = 86_400.0
_DAYS, _MOST_DAYS = 7, 30

_AFTERWARDS = ((RETAIN, REMOVE), (RETAIN, RETAIN), (REMOVE, PROMOTE))
"""What may become of the production variant and of the shadow."""


def check_experiment(context: Context, spec: Mapping[str, Any]) -> None:
    """Raises ValidationError, ResourceLimitExceeded where it could not be deployed."""
    named = [each["VariantName"] for each in spec["ModelVariants"]]
    wanted = [experiment.source(spec), experiment.shadow(spec)]
    if sorted(named) != sorted(wanted) or len(set(wanted)) < len(wanted):
        raise ValidationError(
            "ModelVariants must be the variants that ShadowModeConfig names, one for production and one for its shadow."
        )
    _check_counts(spec["ModelVariants"])
    production, shadow = sorted(spec["ModelVariants"], key=lambda each: wanted.index(each["VariantName"]))
    check_shadows(context, [production], [shadow])
    (mirrored,) = spec["ShadowModeConfig"]["ShadowModelVariants"]
    if mirrored["SamplingPercentage"] < 0:
        raise ValidationError("SamplingPercentage must be between 0 and 100.")
    if "DataStorageConfig" in spec:
        check_capture({"DestinationS3Uri": spec["DataStorageConfig"]["Destination"]})


def _check_counts(variants: Sequence[Params]) -> None:
    for each in variants:
        asked = each["InfrastructureConfig"]["RealTimeInferenceConfig"]
        if asked["InstanceCount"] < 1:
            raise ValidationError(f"Variant {each['VariantName']}: InstanceCount must be at least 1.")
        if asked["InstanceCount"] > MOST_INSTANCES:
            raise limit_exceeded(f"{asked['InstanceType']} for endpoint usage", MOST_INSTANCES, asked["InstanceCount"])


def schedule(asked: Mapping[str, datetime] | None, now: float, begins: float | None = None) -> tuple[float, float]:
    """When it begins and when it ends, in epoch seconds; what is not said is now, or `begins`, and AWS's seven days
    later. Raises ValidationError."""
    said = asked or {}
    start = said["StartTime"].timestamp() if "StartTime" in said else now if begins is None else begins
    end = said["EndTime"].timestamp() if "EndTime" in said else max(start, now) + _DAYS * _DAY
    if end <= max(start, now):
        raise ValidationError("Schedule: EndTime must be in the future, and later than StartTime.")
    if end - max(start, now) > _MOST_DAYS * _DAY:
        raise ValidationError(f"Schedule: an inference experiment can run for {_MOST_DAYS} days at most.")
    return start, end


def stop_asked(context: Context, spec: Mapping[str, Any], params: Params) -> Params:
    """What StopInferenceExperiment wants of the variants. Raises ValidationError."""
    names = (experiment.source(spec), experiment.shadow(spec))
    asked, desired = params["ModelVariantActions"], params.get("DesiredModelVariants") or []
    unknown = sorted({*asked, *(each["VariantName"] for each in desired)} - set(names))
    if unknown:
        raise ValidationError(f"The experiment has no variant {', '.join(unknown)}.")
    actions = experiment.actions(spec, asked)
    if (actions[names[0]], actions[names[1]]) not in _AFTERWARDS:
        raise ValidationError(
            "ModelVariantActions: the production variant is retained, with or without its shadow, or it is removed and "
            "the shadow is promoted."
        )
    removed = [each["VariantName"] for each in desired if actions[each["VariantName"]] == REMOVE]
    if removed:
        raise ValidationError(f"DesiredModelVariants: variant {', '.join(removed)} is to be removed.")
    _check_counts(desired)
    for each in desired:
        check_shadows(context, [each], [])
    return {"actions": actions, "variants": desired}
