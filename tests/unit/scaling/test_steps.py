"""Step scaling by the tables of
https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html."""

from __future__ import annotations

from typing import Any

import pytest

from clary.scaling.steps import CHANGE, EXACT, PERCENT, adjusted, aggregated, stepped


def step(lower: float | None, upper: float | None, amount: int) -> dict[str, Any]:
    bounds = {"MetricIntervalLowerBound": lower, "MetricIntervalUpperBound": upper}
    return {**{name: value for name, value in bounds.items() if value is not None}, "ScalingAdjustment": amount}


OUT = [step(0, 10, 0), step(10, 20, 10), step(20, None, 30)]
IN = [step(-10, 0, 0), step(-20, -10, -10), step(None, -20, -30)]


@pytest.mark.parametrize(
    ("adjustments", "base", "value", "wanted"),
    [
        (OUT, 10, 59.9, 10),
        (OUT, 10, 60, 11),
        (OUT, 11, 69.9, 12),
        (OUT, 11, 70, 14),
        (OUT, 11, 1000, 14),
        (OUT, 10, 49, None),
        (IN, 14, 40.1, 14),
        (IN, 14, 40, 13),
        (IN, 13, 30, 10),
        (IN, 13, 0, 10),
        (IN, 13, 51, None),
        (IN, 13, 50, 13),
    ],
)
def test_the_steps_of_awss_example_with_a_threshold_of_50(
    adjustments: list[dict[str, Any]], base: int, value: float, wanted: int | None
) -> None:
    assert stepped({"AdjustmentType": PERCENT, "StepAdjustments": adjustments}, base, [value], 50) == wanted


@pytest.mark.parametrize(
    ("base", "kind", "amount", "least", "wanted"),
    [
        (3, CHANGE, 5, 0, 8),
        (3, CHANGE, -2, 0, 1),
        (3, EXACT, 5, 0, 5),
        (10, PERCENT, 10, 0, 11),
        (100, PERCENT, 10, 0, 110),
        (127, PERCENT, 10, 0, 139),
        (67, PERCENT, 1, 0, 68),
        (58, PERCENT, -1, 0, 57),
        (667, PERCENT, -1, 0, 661),
        (4, PERCENT, 25, 2, 6),
        (4, PERCENT, -25, 2, 2),
        (4, PERCENT, 0, 2, 4),
    ],
)
def test_adjustments(base: int, kind: str, amount: int, least: int, wanted: int) -> None:
    assert adjusted(base, kind, amount, least) == wanted


@pytest.mark.parametrize(("aggregation", "value"), [("Average", 3.0), ("Minimum", 1.0), ("Maximum", 6.0)])
def test_datapoints_become_one_value(aggregation: str, value: float) -> None:
    assert aggregated([2.0, 1.0, 6.0], aggregation) == value


def test_an_alarm_without_datapoints_has_just_reached_its_threshold() -> None:
    assert stepped({"AdjustmentType": CHANGE, "StepAdjustments": [step(0, None, 2)]}, 1, [], 50) == 3
