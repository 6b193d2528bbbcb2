"""How one deployment takes the place of another
(https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html).

    Creating → ActivatingTraffic → Baking → Deleting → Creating …      once a step
    the last step: … → Baking → Waiting → (what is new has taken the place of what was)

A stage that lasts no time is passed over: Baking where WaitIntervalInSeconds is 0, Deleting where no old instance ends
before the last step. On the way back the fleets change parts: what grows is the old one, and nothing bakes.
"""

from __future__ import annotations

from typing import TypedDict

CREATING = "Creating"
ACTIVATING = "ActivatingTraffic"
BAKING = "Baking"
WAITING = "Waiting"
"""Baking as well, for TerminationWaitInSeconds, with all of the traffic on what is new."""
DELETING = "Deleting"


class Step(TypedDict):
    """One shift of traffic; everything by variant."""

    counts: dict[str, int]
    """Instances of the fleet that grows, before the shift."""
    shares: dict[str, float]
    """The part of the variant's traffic that the new fleet takes from then on."""
    left: dict[str, int]
    """Instances of the fleet that shrinks, after it has baked."""


class Rollout(TypedDict, total=False):
    """A deployment's plan and how far it has come; times in epoch seconds, all else in seconds."""

    type: str
    """ALL_AT_ONCE, CANARY, LINEAR or ROLLING."""
    steps: list[Step]
    """At least one; after the last all traffic is where it should be."""
    wait: float
    """WaitIntervalInSeconds, after each step."""
    termination: float
    """TerminationWaitInSeconds, after the last."""
    limit: float
    """MaximumExecutionTimeoutInSeconds; absent: none."""
    alarms: list[str]
    """Names; one of them in ALARM takes the deployment back."""
    before: dict[str, int]
    """Instances of each old variant when it began."""
    goal: dict[str, int]
    """Instances of each new variant when it has ended."""
    batch: int
    """A rolling deployment's: how many old instances come back at a time, should it be taken back."""

    started: float
    step: int
    """Which of the steps is being taken; counts from 0."""
    stage: str
    since: float
    """When the stage began."""
    shares: dict[str, float]
    """What the new fleet takes of each variant's traffic now."""


def rolling_steps(goal: dict[str, int], before: dict[str, int], batch: int) -> list[Step]:
    """A fleet that comes in batches while as much of another one ends. Of one variant; nothing where nothing comes."""
    ((name, total),) = goal.items()
    counts = [min(total, reached + batch) for reached in range(0, total, batch)]
    return [
        Step(
            counts={name: count},
            shares={name: count / total},
            left={name: before[name] - before[name] * count // total},
        )
        for count in counts
    ]


def way_back(rollout: Rollout, standing: dict[str, int], launched: dict[str, int]) -> list[Step]:
    """How the old fleet, of which so many instances are `standing`, comes back, and the new one ends, of which so many
    were `launched`. No steps where all of the old one is still there."""
    short = {name: count - standing.get(name, 0) for name, count in rollout["before"].items()}
    if not any(missing > 0 for missing in short.values()):
        return []
    ((name, total),) = rollout["before"].items()
    reached = [min(total, count) for count in range(standing[name] + rollout["batch"], total, rollout["batch"])]
    return [
        Step(
            counts={name: count},
            shares={name: rollout["shares"].get(name, 0.0) * (total - count) / short[name]},
            left={name: launched[name] * (total - count) // short[name]},
        )
        for count in [*reached, total]
    ]
