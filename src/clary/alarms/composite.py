"""When a composite alarm is in which state, and why it says that it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from clary.alarms.reasons import instant
from clary.alarms.rows import State, name_in
from clary.alarms.rule import Rule, alarms, holds
from clary.alarms.spec import ALARM, INSUFFICIENT_DATA, OK


@dataclass(frozen=True)
class Child:
    """An alarm that a rule names."""

    arn: str
    value: str
    since: float
    """Epoch seconds of its last change."""


def child_names(rule: Rule) -> list[str]:
    """Names of the alarms in a rule, each once. Raises ValueError for the ARN of anything else."""
    return list(dict.fromkeys(name_of(each) for each in alarms(rule)))


def name_of(named: str) -> str:
    """The name of an alarm that is named by its name or its ARN."""
    return name_in(named) if named.startswith("arn:") else named


def evaluate(arn: str, rule: Rule, children: Mapping[str, Child], why: str) -> State:
    """The state that follows from those of the children, by name; one that is not there has no data.

    `why` says what has led here where no child has changed: `created` or `updated`.
    """

    def state_of(named: str) -> str:
        child = children.get(name_of(named))
        return INSUFFICIENT_DATA if child is None else child.value

    value = ALARM if holds(rule, state_of) else OK
    newest = max(children.values(), key=lambda child: child.since, default=None)
    if newest is None or why:
        return State(
            value, f"{arn} was {why or 'updated'} and its alarm rule evaluates to {value}", _data(children.values())
        )
    moment = datetime.fromtimestamp(newest.since, UTC).strftime("%A %d %B, %Y %H:%M:%S UTC")
    return State(value, f"{newest.arn} transitioned to {newest.value} at {moment}", _data([newest]))


def _data(children: Iterable[Child]) -> str:
    said = [{"arn": each.arn, "state": {"value": each.value, "timestamp": instant(each.since)}} for each in children]
    return json.dumps({"triggeringAlarms": said}, separators=(",", ":"))


def in_cycle(name: str, children_of: Callable[[str], Iterable[str]]) -> bool:
    """Whether an alarm depends on itself: it is not evaluated then, as on AWS."""
    seen: set[str] = set()
    waiting = list(children_of(name))
    while waiting:
        each = waiting.pop()
        if each == name:
            return True
        if each not in seen:
            seen.add(each)
            waiting += children_of(each)
    return False
