"""Patterns over text: terms, phrases, any-of and none-of, regular expressions."""

from __future__ import annotations

import re
from collections.abc import Callable

from clary.logsearch.wording import MOST_REGEXES, BadPattern, regex, unquoted

_TERM = re.compile(r'\s*([?-]?)("(?:[^"\\]|\\.)*"|%(?:[^%\\]|\\.)+%|[^\s"]+)')
_PLAIN = re.compile(r"[\w.:/@=-]+")

Matches = Callable[[str], bool]


def compiled(pattern: str) -> Matches:
    """Whether a message matches. Raises BadPattern."""
    every, either, none = _terms(pattern)
    if not either and not none and len(every) == 1:
        return every[0]

    def matches(message: str) -> bool:
        return (
            all(term(message) for term in every)
            and (not either or any(term(message) for term in either))
            and not any(term(message) for term in none)
        )

    return matches


def _terms(pattern: str) -> tuple[list[Matches], list[Matches], list[Matches]]:
    groups: dict[str, list[Matches]] = {"": [], "?": [], "-": []}
    position = expressions = 0
    while position < len(pattern):
        found = _TERM.match(pattern, position)
        if found is None:
            raise BadPattern("Invalid filter pattern")
        expressions += found[2].startswith("%")
        groups[found[1]].append(_term(found[2]))
        position = found.end()
    if expressions > MOST_REGEXES:
        raise BadPattern(f"Invalid filter pattern: at most {MOST_REGEXES} regular expressions are allowed")
    either = groups["?"] if not groups[""] else []  # beside required terms, AWS takes ? terms as absent
    return groups[""], either, groups["-"]


def _term(text: str) -> Matches:
    if text.startswith("%") and len(text) > 1 and text.endswith("%"):
        return regex(text)
    if text.startswith('"'):
        phrase = unquoted(text)
        return lambda message: phrase in message
    if not _PLAIN.fullmatch(text):
        raise BadPattern(f"Invalid character(s) in term '{text}'")
    return lambda message: text in message
