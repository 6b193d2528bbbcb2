"""What a CreateHyperParameterTuningJob request says of its one or several training job definitions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clary.tuning.parameters import Categorical, Continuous, Integer, Parameter, Scale, auto_scale
from clary.tuning.space import Space

Spec = Mapping[str, Any]
"""The parameters of CreateHyperParameterTuningJob."""


@dataclass(frozen=True)
class Definition:
    """One training job definition."""

    name: str
    """DefinitionName, or "" where it has none."""
    space: Space
    static: Mapping[str, str]
    """StaticHyperParameters."""
    metric: str
    maximize: bool

    def better(self, one: float, other: float) -> bool:
        return one > other if self.maximize else one < other

    @property
    def worst(self) -> float:
        return -math.inf if self.maximize else math.inf


def definitions(spec: Spec) -> list[Definition]:
    """The definitions of a request that `ranges.check` has passed and `autotune.settled` has completed."""
    return [_definition(spec, one) for one in training_definitions(spec)]


def training_definitions(spec: Spec) -> Sequence[Mapping[str, Any]]:
    """Each TrainingJobDefinition as it was sent."""
    one = spec.get("TrainingJobDefinition")
    return [one] if one else list(spec.get("TrainingJobDefinitions") or ())


def parameter_ranges(spec: Spec, one: Mapping[str, Any]) -> Mapping[str, Any]:
    """ParameterRanges of a definition: its own, or the tuning's."""
    return one.get("HyperParameterRanges") or spec["HyperParameterTuningJobConfig"].get("ParameterRanges") or {}


def objective(spec: Spec, one: Mapping[str, Any]) -> Mapping[str, Any]:
    """`Type` and `MetricName` of a definition: its own, or the tuning's; empty where there is none."""
    config = spec["HyperParameterTuningJobConfig"]
    return one.get("TuningObjective") or config.get("HyperParameterTuningJobObjective") or {}


def _definition(spec: Spec, one: Mapping[str, Any]) -> Definition:
    aim = objective(spec, one)
    parameters = sorted(_parameters(parameter_ranges(spec, one)), key=lambda parameter: parameter.name)
    return Definition(
        name=one.get("DefinitionName", ""),
        space=Space(tuple(parameters)),
        static=dict(one.get("StaticHyperParameters") or {}),
        metric=aim["MetricName"],
        maximize=aim["Type"] == "Maximize",
    )


def _parameters(ranges: Mapping[str, Any]) -> Iterator[Parameter]:
    for each in ranges.get("IntegerParameterRanges") or ():
        low, high = int(each["MinValue"]), int(each["MaxValue"])
        yield Integer(each["Name"], low, high, _scale(each, low, high))
    for each in ranges.get("ContinuousParameterRanges") or ():
        start, end = float(each["MinValue"]), float(each["MaxValue"])
        yield Continuous(each["Name"], start, end, _scale(each, start, end))
    for each in ranges.get("CategoricalParameterRanges") or ():
        yield Categorical(each["Name"], tuple(each["Values"]))


def _scale(each: Mapping[str, Any], low: float, high: float) -> Scale:
    asked = each.get("ScalingType", "Auto")
    return auto_scale(low, high) if asked == "Auto" else asked
