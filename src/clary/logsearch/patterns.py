"""Filter patterns (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html).

ERROR ARGUMENTS        both words         ?ERROR ?WARN    either
"INTERNAL SERVER"      the phrase         ERROR -EXITING  the first without the second
%40[13]%               a regular expression
{ $.code = 404 && $.who != "*bot*" }      members of JSON
[ip, user, ..., status=4*, bytes>1000]    words between spaces
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from clary.logsearch import columns, members, terms
from clary.logsearch.wording import BadPattern

__all__ = ["BadPattern", "Found", "Pattern", "compiled"]


class Found(NamedTuple):
    """An event that a pattern matches."""

    values: Mapping[str, str]
    """What the pattern names, as TestMetricFilter shows it: `$.code`, `$status`."""
    value_of: Callable[[str], Any]
    """Of any selector (`$.latency`, `$bytes`); None where there is none."""


class Pattern(NamedTuple):
    """What a pattern does."""

    matches: Callable[[str], bool]
    """Whether it matches a message."""
    find: Callable[[str], Found | None]
    """What it finds in a message; None where it does not match."""
    names: frozenset[str] | None
    """The selectors that its events have; None: any member of JSON."""


def compiled(pattern: str) -> Pattern:
    """Raises BadPattern."""
    text = pattern.strip()
    if text.startswith("{"):
        return _of_members(text)
    if text.startswith("["):
        return _of_columns(text)
    matches = terms.compiled(text)

    def find(message: str) -> Found | None:
        return Found({}, lambda _: None) if matches(message) else None

    return Pattern(matches, find, frozenset())


def _of_members(text: str) -> Pattern:
    holds, named = members.compiled(text)

    def find(message: str) -> Found | None:
        document = members.document(message)
        if document is None or not holds(document):
            return None
        values = {
            name: members.shown(found) for name, select in named.items() if members.is_there(found := select(document))
        }
        return Found(values, lambda selector: members.selected(document, selector))

    def matches(message: str) -> bool:
        document = members.document(message)
        return document is not None and holds(document)

    return Pattern(matches, find, None)


def _of_columns(text: str) -> Pattern:
    named = columns.compiled(text)

    def find(message: str) -> Found | None:
        words = named.words(message)
        if words is None:
            return None
        values = {f"${name}": word for name, word in words.items()}
        return Found(values, values.get)

    return Pattern(lambda message: named.words(message) is not None, find, named.names)
