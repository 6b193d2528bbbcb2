"""Wildcards and policy variables, turned into regular expressions that cannot be made to backtrack.

`*` is any text and `?` one character (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html);
`${aws:username}` is the value of a condition key, taken literally
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

Context = Mapping[str, Sequence[str]]
"""Condition keys in lower case, each with its values; a key without values is absent."""

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_DEFAULT = re.compile(r"^\s*([^,\s]+)\s*(?:,\s*'([^']*)')?\s*$")
_LITERALS = frozenset("*?$")
_ARN_COLONS = 5
"""Up to the fifth colon a wildcard stays within its part of an ARN; the resource after it may hold colons."""


class MissingValue(Exception):
    """A policy variable without value or default: the statement that holds it applies to nothing."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a pattern; wildcards are such only where it is not `literal`."""

    text: str
    literal: bool


def variables(text: str) -> list[str]:
    """The condition keys that a pattern takes its values from, as they are written."""
    found = (_DEFAULT.match(inside) for inside in _VARIABLE.findall(text) if inside not in _LITERALS)
    return [match[1] for match in found if match]


def has_variable(text: str) -> bool:
    """Whether the pattern's meaning depends on the request."""
    return "${" in text and _VARIABLE.search(text) is not None


def _value(inside: str, context: Context) -> str:
    if inside in _LITERALS:
        return inside
    found = _DEFAULT.match(inside)
    if found is None:
        raise MissingValue(inside)
    values = context.get(found[1].lower(), ())
    if len(values) == 1:
        return values[0]
    if found[2] is None:
        raise MissingValue(inside)
    return found[2]


def pieces(text: str, context: Context) -> tuple[Piece, ...]:
    """The pattern with its variables filled in. Raises MissingValue."""
    found = list(_VARIABLE.finditer(text))
    ends = [0, *(match.end() for match in found)]
    starts = [*(match.start() for match in found), len(text)]
    parts: list[Piece] = []
    for index, (end, start) in enumerate(zip(ends, starts, strict=True)):
        parts.append(Piece(text[end:start], literal=False))
        if index < len(found):
            parts.append(Piece(_value(found[index][1], context), literal=True))
    return tuple(piece for piece in parts if piece.text)


def plain(text: str, context: Context) -> str:
    """The text with its variables filled in, for operators without wildcards. Raises MissingValue."""
    return "".join(piece.text for piece in pieces(text, context)) if has_variable(text) else text


@dataclass(slots=True)
class _Run:
    """What stands between two stars: fixed in length; `reach` is what the star before it may cover."""

    reach: str
    source: str = ""


def _runs(parts: Sequence[Piece], *, arn: bool) -> list[_Run]:
    runs, colons = [_Run("")], 0
    for piece in parts:
        for letter in piece.text:
            anything = "[^:]" if arn and colons < _ARN_COLONS else "."
            if piece.literal or letter not in "*?":
                colons += letter == ":"
                runs[-1].source += re.escape(letter)
            elif letter == "?":
                runs[-1].source += anything
            else:
                runs.append(_Run(anything))
    return runs


def expression(parts: Sequence[Piece], *, arn: bool = False) -> str:
    """The source of a regular expression for `fullmatch`.

    The first place where a run fits is as good as any later one, so each star but the last is atomic: time stays
    linear in the text for every pattern.
    """
    first, *between = _runs(parts, arn=arn)
    if not between:
        return first.source
    last = between.pop()
    middle = "".join(f"(?>{run.reach}*?{run.source})" for run in between)
    return f"{first.source}{middle}{last.reach}*{last.source}"


@lru_cache(maxsize=4096)
def compiled(parts: tuple[Piece, ...], *, arn: bool) -> re.Pattern[str]:
    """The expression, compiled; kept, since the same variables come back with every request."""
    return re.compile(expression(parts, arn=arn), re.DOTALL)


def union(texts: Sequence[str], *, arn: bool) -> re.Pattern[str]:
    """One expression for any of several patterns without variables."""
    sources = (expression((Piece(text, literal=False),), arn=arn and text != "*") for text in texts)
    return re.compile("|".join(f"(?:{source})" for source in sources), re.DOTALL)
