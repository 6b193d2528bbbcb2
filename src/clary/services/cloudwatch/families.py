"""Composite alarms and the alarms that their rules name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clary.alarms.composite import child_names
from clary.alarms.rows import COMPOSITE_PARENT, KIND, key_of
from clary.alarms.rule import parse
from clary.services.cloudwatch.alarm_rows import find
from clary.services.context import Context
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.view import Reader, View


def children(context: Context, name: str) -> list[Row]:
    """The alarms that a composite alarm's rule names, by name; none of a metric alarm. Raises ResourceNotFound."""
    row = find(context, name)
    rule = row.spec.get("AlarmRule")
    names = sorted(child_names(parse(rule))) if rule else []
    found = (context.store.read.get(key_of(context.account, context.region, each)) for each in names)
    return [child for child in found if child is not None]


def parents_of(context: Context, name: str) -> list[Row]:
    """The composite alarms whose rules name an alarm, by name. Raises ResourceNotFound."""
    return named_parents(context.store.read, find(context, name).key)


def named_parents(view: View | Reader, key: Key) -> list[Row]:
    """The composite alarms whose rules name the alarm of this key."""
    composites = view.children(KIND, Key(KIND, key.account, key.region, COMPOSITE_PARENT))
    return [row for row in composites if key.name in child_names(parse(row.spec["AlarmRule"]))]
