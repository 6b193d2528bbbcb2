"""Filter patterns over unstructured events: terms, phrases, any-of and none-of
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html).

    ERROR ARGUMENTS        both words         ?ERROR ?WARN    either
    "INTERNAL SERVER"      the phrase         ERROR -EXITING  the first without the second
"""

from __future__ import annotations

import re
from collections.abc import Callable

from clary.services.logs.errors import invalid

Matches = Callable[[str], bool]

_TERM = re.compile(r'\s*([?-]?)("(?:[^"\\]|\\.)*"|[^\s"]+)')
_PLAIN = re.compile(r"[\w.:/@=-]+")


def compiled(pattern: str) -> Matches:
    """Whether a message matches. Raises InvalidParameterException."""
    pattern = pattern.strip()
    if pattern[:1] in ("{", "["):
        raise invalid("Invalid filter pattern: patterns for JSON and space-delimited events are not offered by Clary.")
    every, either, none = _terms(pattern)

    def matches(message: str) -> bool:
        return (
            all(term in message for term in every)
            and (not either or any(term in message for term in either))
            and not any(term in message for term in none)
        )

    return matches


def _terms(pattern: str) -> tuple[list[str], list[str], list[str]]:
    groups: dict[str, list[str]] = {"": [], "?": [], "-": []}
    position = 0
    while position < len(pattern):
        found = _TERM.match(pattern, position)
        if found is None:
            raise invalid("Invalid filter pattern")
        groups[found[1]].append(_term(found[2]))
        position = found.end()
    either = groups["?"] if not groups[""] else []  # beside required terms, AWS takes ? terms as absent
    return groups[""], either, groups["-"]


def _term(text: str) -> str:
    if text.startswith('"'):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if not _PLAIN.fullmatch(text):
        raise invalid(f"Invalid character(s) in term '{text}'")
    return text
