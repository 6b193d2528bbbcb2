"""From what alarms say to how many instances are wanted: pure.

Cool-downs, bounds and suspended states as in
https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TargetTrackingScalingPolicyConfiguration.html and
https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-suspend-resume-scaling.html.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clary.scaling.rows import STEP
from clary.scaling.steps import stepped
from clary.scaling.tracking import HIGH, LOW, tracked_in, tracked_out

OUT, IN = "out", "in"

DEFAULT_COOLDOWN = 300
"""Seconds; AWS's for variants."""

_SUSPENDED = {OUT: "DynamicScalingOutSuspended", IN: "DynamicScalingInSuspended"}


@dataclass(frozen=True)
class Proposal:
    """One alarm's change for one policy."""

    policy: str
    type: str
    config: Mapping[str, Any]
    alarm: str
    state: str
    which: str = ""
    """Of a target tracking policy: `AlarmHigh` or `AlarmLow`; empty for an alarm that is none of its own."""
    points: tuple[float, ...] = ()
    """Oldest first."""
    threshold: float = 0.0
    agreed: bool = True
    """Whether all other target tracking policies would remove instances as well."""

    @property
    def cause(self) -> str:
        """In AWS's words."""
        return f"monitor alarm {self.alarm} in state {self.state} triggered policy {self.policy}"

    def wanted(self, base: int) -> int | None:
        """Instances out of `base`, whatever the bounds are; None where this alarm means nothing to the policy."""
        if self.type == STEP:
            return stepped(self.config, base, self.points, self.threshold)
        if self.which == HIGH:
            return tracked_out(base, self.points, self.config["TargetValue"])
        if self.which == LOW and self.agreed and not self.config.get("DisableScaleIn"):
            return tracked_in(base, self.points, self.config["TargetValue"])
        return None

    def cooldown(self, direction: str) -> int:
        """Seconds after a scaling in this direction."""
        tracking = "ScaleOutCooldown" if direction == OUT else "ScaleInCooldown"
        found = self.config.get("Cooldown" if self.type == STEP else tracking)
        return DEFAULT_COOLDOWN if found is None else int(found)


@dataclass(frozen=True)
class Bounds:
    """What a scalable target allows."""

    least: int
    most: int
    suspended: Mapping[str, bool]

    def allows(self, direction: str) -> bool:
        """Whether alarms may scale in this direction."""
        return not self.suspended.get(_SUSPENDED[direction])


@dataclass(frozen=True)
class Cooldown:
    """What the last scaling leaves behind."""

    direction: str
    base: int
    """Instances before it."""
    until: float
    """Epoch seconds."""


@dataclass(frozen=True)
class Scale:
    """Set the count."""

    capacity: int
    cause: str
    direction: str
    cooldown: int | None = None
    """Seconds, from when it is done; None where no policy has asked for it: a cool-down that runs goes on."""


@dataclass(frozen=True)
class NotScaled:
    """Nothing to do: recorded among the activities that are not scaled."""

    cause: str
    reason: Mapping[str, Any]
    """`Code`, and the bound or count that is the reason."""


Decision = Scale | NotScaled | None


def enforced(bounds: Bounds, current: int) -> Scale | None:
    """What new bounds ask for at once."""
    if current < bounds.least:
        return Scale(bounds.least, f"minimum capacity was set to {bounds.least}", OUT)
    if current > bounds.most:
        return Scale(bounds.most, f"maximum capacity was set to {bounds.most}", IN)
    return None


def decide(
    bounds: Bounds, current: int, cooldown: Cooldown | None, proposals: Sequence[Proposal], now: float
) -> Decision:
    """Of several wishes the greatest count; less only where nobody wants more. None: nothing, and nothing to say."""
    running = cooldown if cooldown and cooldown.until > now else None
    found = [each for each in (_wish(each, current, running) for each in proposals) if each is not None]
    if not found:
        return None
    wanted, proposal = max(found, key=lambda each: each[0])
    if wanted == current:
        return _idle(proposal, running, current)
    direction = OUT if wanted > current else IN
    if not bounds.allows(direction) or (direction == IN and running):
        return None
    return _bounded(bounds, current, wanted, proposal, direction)


def _wish(proposal: Proposal, current: int, running: Cooldown | None) -> tuple[int, Proposal] | None:
    """After a scaling out, what it has added counts as a part of what is wanted next, until its cool-down ends."""
    wanted = proposal.wanted(current)
    if wanted is not None and running and running.direction == OUT and wanted > current:
        again = proposal.wanted(min(running.base, current))
        wanted = max(current, current if again is None else again)
    return None if wanted is None else (wanted, proposal)


def _idle(proposal: Proposal, running: Cooldown | None, current: int) -> Decision:
    if running:
        return None
    return NotScaled(proposal.cause, {"Code": "AlreadyAtDesiredCapacity", "CurrentCapacity": current})


def _bounded(bounds: Bounds, current: int, wanted: int, proposal: Proposal, direction: str) -> Decision:
    if direction == OUT and current >= bounds.most:
        return NotScaled(proposal.cause, {"Code": "AlreadyAtMaxCapacity", "MaxCapacity": bounds.most})
    if direction == IN and current <= bounds.least:
        return NotScaled(proposal.cause, {"Code": "AlreadyAtMinCapacity", "MinCapacity": bounds.least})
    capacity = min(wanted, bounds.most) if direction == OUT else max(wanted, bounds.least)
    return Scale(capacity, proposal.cause, direction, proposal.cooldown(direction))
