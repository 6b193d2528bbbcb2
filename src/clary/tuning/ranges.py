"""Whether a tuning's request makes sense, told in AWS's words as far as they are public
(https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html,
https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-limits.html)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from clary.errors import ValidationError
from clary.tuning import limits
from clary.tuning.definitions import Spec, parameter_ranges, training_definitions
from clary.tuning.parameters import number, whole

MOST_TUNED = 30
MOST_HYPERPARAMETERS = 100
"""Static and tuned ones of a definition together."""

_KINDS = ("IntegerParameterRanges", "ContinuousParameterRanges", "CategoricalParameterRanges")


def check(spec: Spec) -> None:
    """Raises ValidationError for ranges, limits or a strategy that make no sense.

    `spec` has passed the API model, and `autotune.settled` where it has Autotune.
    """
    limits.check_definitions(spec)
    for one in training_definitions(spec):
        _check_ranges(parameter_ranges(spec, one), one.get("StaticHyperParameters") or {})
    limits.check(spec)


def _check_ranges(ranges: Mapping[str, Any], static: Mapping[str, str]) -> None:
    _check_names(ranges, static)
    for each in ranges.get("IntegerParameterRanges") or ():
        _check_integer(each)
    for each in ranges.get("ContinuousParameterRanges") or ():
        _check_continuous(each)
    for each in ranges.get("CategoricalParameterRanges") or ():
        _check_categorical(each)


def _names(ranges: Mapping[str, Any]) -> Iterator[str]:
    for kind in _KINDS:
        yield from (each["Name"] for each in ranges.get(kind) or ())


def _check_names(ranges: Mapping[str, Any], static: Mapping[str, str]) -> None:
    if ranges.get("AutoParameters"):
        raise ValidationError("AutoParameters can be specified only when Autotune is enabled.")
    counted = Counter(_names(ranges))
    if not counted:
        raise ValidationError("At least one hyperparameter range must be specified for the hyperparameter tuning job.")
    if counted.total() > MOST_TUNED:
        raise ValidationError(
            f"The number of hyperparameters that can be searched [{counted.total()}] must be less than or equal to "
            f"[{MOST_TUNED}]."
        )
    if counted.total() + len(static) > MOST_HYPERPARAMETERS:
        raise ValidationError(
            f"The total number of static and tunable hyperparameters [{counted.total() + len(static)}] must be less "
            f"than or equal to [{MOST_HYPERPARAMETERS}]."
        )
    _check_once(counted, static)


def _check_once(counted: Mapping[str, int], static: Mapping[str, str]) -> None:
    twice = sorted(name for name, times in counted.items() if times > 1)
    if twice:
        raise ValidationError(f"Duplicate hyperparameter names found in the hyperparameter ranges: {_listed(twice)}.")
    both = sorted(counted.keys() & static.keys())
    if both:
        raise ValidationError(
            f"The following hyperparameters are specified both as static hyperparameters and as hyperparameter ranges: "
            f"{_listed(both)}."
        )


def _check_integer(each: Mapping[str, Any]) -> None:
    low, high = whole(each["MinValue"]), whole(each["MaxValue"])
    if low is None or high is None:
        raise _invalid(each, "MinValue and MaxValue must be integers")
    _check_order(each, low, high)
    if each.get("ScalingType") == "ReverseLogarithmic":
        raise _invalid(each, "ReverseLogarithmic scaling is supported only for continuous hyperparameter ranges")
    _check_scale(each, low, high)


def _check_continuous(each: Mapping[str, Any]) -> None:
    low, high = number(each["MinValue"]), number(each["MaxValue"])
    if low is None or high is None:
        raise _invalid(each, "MinValue and MaxValue must be numbers")
    _check_order(each, low, high)
    _check_scale(each, low, high)


def _check_categorical(each: Mapping[str, Any]) -> None:
    twice = sorted(value for value, times in Counter(each["Values"]).items() if times > 1)
    if twice:
        raise ValidationError(f"Duplicate values found for the hyperparameter [{each['Name']}]: {_listed(twice)}.")


def _check_order(each: Mapping[str, Any], low: float, high: float) -> None:
    """AWS takes no range of one value either (its users ask for it: aws/amazon-sagemaker-feedback, issue 195)."""
    if low >= high:
        raise _invalid(each, "MinValue must be less than MaxValue")


def _check_scale(each: Mapping[str, Any], low: float, high: float) -> None:
    scale = each.get("ScalingType", "Auto")
    if scale == "Logarithmic" and low <= 0:
        raise _invalid(each, "Logarithmic scaling works only for ranges that have values greater than 0")
    if scale == "ReverseLogarithmic" and not 0 <= low < high < 1:
        raise _invalid(
            each, "ReverseLogarithmic scaling works only for ranges that are entirely within the range 0<=x<1.0"
        )


def _invalid(each: Mapping[str, Any], why: str) -> ValidationError:
    return ValidationError(
        f"Invalid range for the hyperparameter [{each['Name']}] with MinValue [{each['MinValue']}] and MaxValue "
        f"[{each['MaxValue']}]: {why}."
    )


def _listed(names: list[str]) -> str:
    return "[" + ", ".join(names) + "]"
