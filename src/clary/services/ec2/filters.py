"""Filters of what is described: each by one of its values, in which `*` and `?` stand for letters
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clary.services.ec2.errors import invalid_filter, missing

Paths = Mapping[str, str]
"""Filter → where its text stands in what is described: `IpPermissions.IpRanges.CidrIp`."""

_TAG = "tag:"
_TAGS = {"tag-key": "Tags.Key"}


def check(filters: Sequence[Mapping[str, Any]], paths: Paths) -> None:
    """Raises InvalidParameterValue, MissingParameter."""
    for each in filters:
        name = each.get("Name")
        if name is None:
            raise missing("Filter.Name")
        if name not in paths and name not in _TAGS and not name.startswith(_TAG):
            raise invalid_filter(name)


def fits(item: Mapping[str, Any], filters: Sequence[Mapping[str, Any]], paths: Paths) -> bool:
    """Whether all let it pass."""
    return all(_passes(item, each["Name"], each.get("Values") or (), paths) for each in filters)


def _passes(item: Mapping[str, Any], name: str, patterns: Sequence[str], paths: Paths) -> bool:
    if name.startswith(_TAG):
        found = [tag["Value"] for tag in item.get("Tags", ()) if tag["Key"] == name.removeprefix(_TAG)]
    else:
        found = list(_texts(item, ({**_TAGS, **paths})[name].split(".")))
    return any(like(text, pattern) for text in found for pattern in patterns)


def _texts(value: object, path: Sequence[str]) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _texts(each, path)
    elif not path:
        yield _text(value)
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _texts(value[path[0]], path[1:])


def _text(value: object) -> str:
    return ("false", "true")[value] if isinstance(value, bool) else str(value)


def like(text: str, pattern: str) -> bool:
    """Whether the pattern covers the text; `\\` takes a letter as it is. As long as both lengths multiplied, at most:
    only the last star is ever tried anew."""
    wanted = _pieces(pattern)
    at = place = 0
    star, after = -1, 0
    while at < len(text):
        if place < len(wanted) and wanted[place] in (_ONE, text[at]):
            at, place = at + 1, place + 1
        elif place < len(wanted) and wanted[place] == _ANY:
            star, after, place = place, at, place + 1
        elif star >= 0:
            after += 1
            at, place = after, star + 1
        else:
            return False
    return all(piece == _ANY for piece in wanted[place:])


_ANY, _ONE = "any", "one"
"""No letter is as long."""


def _pieces(pattern: str) -> list[str]:
    found: list[str] = []
    letters = iter(pattern)
    for letter in letters:
        if letter == "\\":
            found.append(next(letters, letter))
        else:
            found.append({"*": _ANY, "?": _ONE}.get(letter, letter))
    return found
