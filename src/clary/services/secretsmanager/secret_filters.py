"""Filters of lists of secrets: pure
(https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from clary.services.resources import Params
from clary.services.secretsmanager.errors import invalid
from clary.store.rows import Row

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[^\W_A-Z]+|[A-Z]+")
"""`prod/AppBeta` is prod, App and Beta; `COMPANYthings` is COMPAN and Ythings."""


def check(filters: Sequence[Params]) -> None:
    """Raises InvalidParameterException for one that lacks its key or its values."""
    for each in filters:
        if not each.get("Key"):
            raise invalid("Invalid filter key")
        if not each.get("Values"):
            raise invalid(f"Invalid filter values for key: {each['Key']}")


def fits(row: Row, tags: Mapping[str, str], filters: Sequence[Params]) -> bool:
    """Whether all filters let it pass: each by one of its values, none of which it denies (`!`)."""
    return all(_passes(row, tags, each["Key"], each["Values"]) for each in filters)


def _passes(row: Row, tags: Mapping[str, str], key: str, values: Sequence[str]) -> bool:
    denied = [value[1:] for value in values if value.startswith("!")]
    wanted = [value for value in values if not value.startswith("!")]
    if any(_holds(row, tags, key, value) for value in denied):
        return False
    return not wanted or any(_holds(row, tags, key, value) for value in wanted)


def _holds(row: Row, tags: Mapping[str, str], key: str, value: str) -> bool:
    text = row.spec.get("Description") or ""
    match key:
        case "name":
            return row.key.name.startswith(value)
        case "description":
            return _said(value, [text])
        case "tag-key":
            return any(name.startswith(value) for name in tags)
        case "tag-value":
            return any(each.startswith(value) for each in tags.values())
        case "all":
            return _said(value, [row.key.name, text, *tags, *tags.values()])
        case _:
            return False  # no secret is another region's replica, or a service's


def _said(value: str, texts: Sequence[str]) -> bool:
    """Whether every word of the value begins a word of the texts, in whatever order and case."""
    sought = _words(value)
    words = [word for text in texts for word in _words(text)]
    return bool(sought) and all(any(word.startswith(each) for word in words) for each in sought)


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]
