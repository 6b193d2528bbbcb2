"""Patterns over words between spaces: `[ip, user, ..., status = 4* && status != 404, bytes > 1000]`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from clary.logsearch.wording import MOST_REGEXES, BadPattern, Comparison, comparison

_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|\[([^\]]*)\]|(\S+)')
_BARE_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
"""The same where no `]` follows: each `[` would look for one up to the end."""

_TOKEN = re.compile(r'\s*(&&|\|\||[(),]|\.\.\.|!=|<=|>=|=|<|>|"(?:[^"\\]|\\.)*"|%(?:[^%\\]|\\.)+%|[^\s(),=<>!&|"]+)')
_NAME = re.compile(r"[\w.$-]+")
_OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
_REST = "..."


@dataclass(frozen=True)
class _Column:
    """`either`: conditions of which one must hold, each all of several."""

    name: str
    either: Sequence[Sequence[Comparison]]

    def fits(self, word: str) -> bool:
        return not self.either or any(all(holds(word) for holds in every) for every in self.either)


@dataclass(frozen=True)
class Columns:
    """`before`, then any words where there are `...`, then `after`."""

    before: Sequence[_Column]
    after: Sequence[_Column] | None

    @property
    def names(self) -> frozenset[str]:
        """`$status`."""
        return frozenset(f"${column.name}" for column in (*self.before, *(self.after or ())))

    def words(self, message: str) -> Mapping[str, str] | None:
        """By the columns' names; None where the message is not what the pattern says."""
        words = [_word(found) for found in _found(message)]
        columns = (*self.before, *(self.after or ()))
        if len(words) < len(columns) or (self.after is None and len(words) > len(columns)):
            return None
        last = len(self.after or ())
        chosen = [*words[: len(self.before)], *(words[len(words) - last :] if last else ())]
        if not all(column.fits(word) for column, word in zip(columns, chosen, strict=True)):
            return None
        return {column.name: word for column, word in zip(columns, chosen, strict=True)}


def _found(message: str) -> Iterator[re.Match[str]]:
    last, position = message.rfind("]"), 0
    while found := (_WORD if position <= last else _BARE_WORD).search(message, position):
        yield found
        position = found.end()


def _word(found: re.Match[str]) -> str:
    return next((group for group in found.groups() if group is not None), "")


def compiled(pattern: str) -> Columns:
    """Raises BadPattern."""
    if not pattern.endswith("]"):
        raise BadPattern("Invalid filter pattern")
    tokens = _tokens(pattern[1:-1])
    columns: list[_Column] = []
    rest: int | None = None
    for part in _parts(tokens):
        if part == [_REST]:
            if rest is not None:
                raise BadPattern("Invalid filter pattern: ... may stand once")
            rest = len(columns)
        else:
            columns.append(_column(part, len(columns)))
    if rest is None:
        return Columns(columns, None if columns else ())
    return Columns(columns[:rest], columns[rest:])


def _tokens(text: str) -> list[str]:
    tokens, position, text = [], 0, text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise BadPattern("Invalid filter pattern")
        tokens.append(found[1])
        position = found.end()
    if sum(token.startswith("%") for token in tokens) > MOST_REGEXES:
        raise BadPattern(f"Invalid filter pattern: at most {MOST_REGEXES} regular expressions are allowed")
    return tokens


def _parts(tokens: Sequence[str]) -> list[list[str]]:
    if not tokens:
        return []
    parts: list[list[str]] = [[]]
    for word in tokens:
        if word == ",":
            parts.append([])
        elif word not in "()":
            parts[-1].append(word)
    return parts


def _column(tokens: Sequence[str], number: int) -> _Column:
    if not tokens:
        return _Column(f"w{number + 1}", ())
    name = tokens[0]
    if not _NAME.fullmatch(name):
        raise BadPattern("Invalid filter pattern")
    if len(tokens) == 1:
        return _Column(name, ())
    either: list[list[Comparison]] = [[]]
    place = 0
    while place < len(tokens):
        either[-1].append(_condition(name, tokens[place : place + 3]))
        place += 3
        if place < len(tokens):
            if tokens[place] not in ("&&", "||") or place + 1 == len(tokens):
                raise BadPattern("Invalid filter pattern")
            if tokens[place] == "||":
                either.append([])
            place += 1
    return _Column(name, either)


def _condition(name: str, tokens: Sequence[str]) -> Comparison:
    if len(tokens) != 3 or tokens[0] != name or tokens[1] not in _OPERATORS:
        raise BadPattern("Invalid filter pattern")
    return comparison(tokens[1], tokens[2])
