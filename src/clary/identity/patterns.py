"""Wildcards and policy variables, turned into regular expressions that cannot be made to backtrack.

`*` is any text and `?` one character (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html);
`${aws:username}` is the value of a condition key, taken literally
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class _Variable:
    """What stands between `${` and `}`."""

    inside: str
    fixed: str | None
    """One of the letters that mean something, written so that it does not."""
    key: str
    """In lower case; empty where this is no variable at all."""
    default: str | None

    def value(self, context: Context) -> str:
        """Raises MissingValue."""
        if self.fixed is not None:
            return self.fixed
        values = context.get(self.key, ())
        if self.key and len(values) == 1:
            return values[0]
        if self.default is None:
            raise MissingValue(self.inside)
        return self.default


def _variable(inside: str) -> _Variable:
    found = _DEFAULT.match(inside)
    fixed = inside if inside in _LITERALS else None
    return _Variable(inside, fixed, found[1].lower() if found else "", found[2] if found else None)


@lru_cache(maxsize=4096)
def _variables(text: str) -> tuple[_Variable, ...]:
    return tuple(_variable(inside) for inside in _VARIABLE.findall(text))


def _values(text: str, context: Context) -> tuple[str, ...]:
    return tuple([variable.value(context) for variable in _variables(text)])


def _filled(text: str, values: Sequence[str]) -> Iterator[Piece]:
    end = 0
    for found, value in zip(_VARIABLE.finditer(text), values, strict=True):
        yield Piece(text[end : found.start()], literal=False)
        yield Piece(value, literal=True)
        end = found.end()
    yield Piece(text[end:], literal=False)


def pieces(text: str, context: Context) -> tuple[Piece, ...]:
    """The pattern with its variables filled in. Raises MissingValue."""
    return tuple(piece for piece in _filled(text, _values(text, context)) if piece.text)


def matching(text: str, context: Context, *, arn: bool) -> re.Pattern[str]:
    """The same as an expression. Raises MissingValue."""
    return _matching(text, _values(text, context), arn=arn)


@lru_cache(maxsize=4096)
def _matching(text: str, values: tuple[str, ...], *, arn: bool) -> re.Pattern[str]:
    """Kept, since the same variables come back with every request."""
    parts = [piece for piece in _filled(text, values) if piece.text]
    return re.compile(expression(parts, arn=arn), re.DOTALL)


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


def union(texts: Sequence[str], *, arn: bool) -> re.Pattern[str]:
    """One expression for any of several patterns without variables."""
    sources = (expression((Piece(text, literal=False),), arn=arn and text != "*") for text in texts)
    return re.compile("|".join(f"(?:{source})" for source in sources), re.DOTALL)
