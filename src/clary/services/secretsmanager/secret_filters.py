"""Filters of lists of secrets: pure
(https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clary.services.resources import Params
from clary.services.secretsmanager.errors import invalid
from clary.store.rows import Row


def fits(row: Row, tags: Mapping[str, str], filters: Sequence[Params]) -> bool:
    """Whether all filters let it pass: each by one of its values, none of which it denies (`!`)."""
    return all(_passes(row, tags, each) for each in filters)


def _passes(row: Row, tags: Mapping[str, str], asked: Params) -> bool:
    values = asked.get("Values") or []
    if not asked.get("Key") or not values:
        raise invalid("A filter needs a key and values.")
    denied = [value[1:] for value in values if value.startswith("!")]
    wanted = [value for value in values if not value.startswith("!")]
    if any(_holds(row, tags, asked["Key"], value) for value in denied):
        return False
    return not wanted or any(_holds(row, tags, asked["Key"], value) for value in wanted)


def _holds(row: Row, tags: Mapping[str, str], key: str, value: str) -> bool:
    text = row.spec.get("Description") or ""
    match key:
        case "name":
            return row.key.name.startswith(value)
        case "description":
            return text.lower().startswith(value.lower())
        case "tag-key":
            return any(name.startswith(value) for name in tags)
        case "tag-value":
            return any(each.startswith(value) for each in tags.values())
        case "all":
            everything = " ".join((row.key.name, text, *tags, *tags.values())).lower()
            return all(word in everything for word in value.lower().split())
        case _:
            return False  # no secret is another region's replica, or a service's
