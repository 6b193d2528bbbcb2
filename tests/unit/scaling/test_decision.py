"""What follows from alarms: bounds, cool-downs, suspended states, several policies
(https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html)."""

from __future__ import annotations

from typing import Any

import pytest

from clary.scaling.decision import IN, OUT, Bounds, Cooldown, NotScaled, Proposal, Scale, decide, enforced
from clary.scaling.rows import STEP, TRACKING
from clary.scaling.steps import CHANGE
from clary.scaling.tracking import HIGH, LOW

NOW = 1_000.0
FREE = Bounds(1, 10, {})


def tracking(which: str, *points: float, agreed: bool = True, **config: Any) -> Proposal:
    kept = {"TargetValue": 100.0, **config}
    return Proposal("tracks", TRACKING, kept, f"the-{which}", "ALARM", which, points, agreed=agreed)


def adding(amount: int, name: str = "steps", **config: Any) -> Proposal:
    steps = [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": amount}]
    return Proposal(name, STEP, {"AdjustmentType": CHANGE, "StepAdjustments": steps, **config}, "slow", "ALARM")


def removing(amount: int) -> Proposal:
    steps = [{"MetricIntervalUpperBound": 0.0, "ScalingAdjustment": -amount}]
    return Proposal("less", STEP, {"AdjustmentType": CHANGE, "StepAdjustments": steps}, "idle", "ALARM")


def wanted(current: int, *proposals: Proposal, bounds: Bounds = FREE, cooldown: Cooldown | None = None) -> int | str:
    """The new count, why there is none, or `nothing`."""
    found = decide(bounds, current, cooldown, proposals, NOW)
    if isinstance(found, Scale):
        return found.capacity
    return found.reason["Code"] if isinstance(found, NotScaled) else "nothing"


@pytest.mark.parametrize(
    ("current", "proposal", "count"),
    [
        (1, tracking(HIGH, 120.0, 150.0, 240.0), 3),
        (2, tracking(HIGH, 300.0, 300.0, 101.0), 3),
        (2, tracking(HIGH), 3),
        (3, tracking(HIGH, 1000.0), 10),
        (3, tracking(HIGH, 1e308), 10),
        (3, tracking(LOW, -1e308), 1),
        (4, tracking(LOW, 10.0, 50.0, 20.0), 2),
        (4, tracking(LOW, 89.0), 3),
        (4, tracking(LOW, 0.0), 1),
        (4, tracking(LOW), 3),
        (4, tracking(LOW, 10.0, agreed=False), "nothing"),
        (4, tracking(LOW, 10.0, DisableScaleIn=True), "nothing"),
        (4, tracking("", 1000.0), "nothing"),
        (10, tracking(HIGH, 1000.0), "AlreadyAtMaxCapacity"),
        (12, tracking(HIGH, 1000.0), "AlreadyAtMaxCapacity"),
        (1, tracking(LOW, 0.0), "AlreadyAtMinCapacity"),
        (3, adding(0), "AlreadyAtDesiredCapacity"),
    ],
    ids=lambda value: value.which or value.policy if isinstance(value, Proposal) else str(value),
)
def test_one_policy(current: int, proposal: Proposal, count: int | str) -> None:
    assert wanted(current, proposal) == count


def test_of_several_wishes_the_greatest_count() -> None:
    assert wanted(2, adding(1), adding(4, "more"), removing(1)) == 6
    assert wanted(6, removing(1), removing(3)) == 5


@pytest.mark.parametrize(("which", "name"), [(HIGH, "DynamicScalingOutSuspended"), (LOW, "DynamicScalingInSuspended")])
def test_what_is_suspended_does_not_happen(which: str, name: str) -> None:
    assert wanted(5, tracking(which, 500.0 if which == HIGH else 0.0), bounds=Bounds(1, 10, {name: True})) == "nothing"


def test_what_was_added_counts_for_what_is_wanted_next_while_it_cools_down() -> None:
    """AWS's example: 2 were added, then a step of 3 comes within the cool-down: 1 is added."""
    cooling = Cooldown(OUT, base=4, until=NOW + 1)
    assert wanted(6, adding(2), cooldown=cooling) == "nothing"
    assert wanted(6, adding(3), cooldown=cooling) == 7
    assert wanted(6, adding(3), cooldown=Cooldown(OUT, 4, NOW)) == 9
    assert wanted(6, tracking(HIGH, 150.0), cooldown=cooling) == "nothing"
    assert wanted(6, tracking(HIGH, 200.0), cooldown=cooling) == 8


def test_scaling_in_waits_for_a_cooldown_and_scaling_out_does_not() -> None:
    for direction in (OUT, IN):
        assert wanted(5, removing(1), cooldown=Cooldown(direction, 4, NOW + 1)) == "nothing"
    assert wanted(5, adding(1), cooldown=Cooldown(IN, 6, NOW + 1)) == 6


def test_an_activity_says_why_and_how_long_it_cools_down() -> None:
    found = decide(FREE, 1, None, [adding(1, Cooldown=60)], NOW)
    assert found == Scale(2, "monitor alarm slow in state ALARM triggered policy steps", OUT, 60)
    assert adding(1).cooldown(OUT) == tracking(LOW).cooldown(IN) == 300
    assert tracking(LOW, ScaleInCooldown=0, ScaleOutCooldown=7).cooldown(IN) == 0


def test_new_bounds_are_enforced() -> None:
    bounds = Bounds(2, 4, {"DynamicScalingOutSuspended": True})
    assert enforced(bounds, 1) == Scale(2, "minimum capacity was set to 2", OUT)
    assert enforced(bounds, 5) == Scale(4, "maximum capacity was set to 4", IN)
    assert enforced(bounds, 3) is None
