"""The rules of composite alarms: `ALARM("cpu") AND NOT OK(queue)`
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html).

NOT binds closest, then AND, then OR. An alarm is named by its name or its ARN, in quotes where the name has blanks,
brackets or commas.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

DEEPEST = 50
"""Brackets and NOTs within one another."""

StateOf = Callable[[str], str]
"""The state of an alarm, by its name or ARN as the rule has it."""

_TOKEN = re.compile(
    r'\s*(?:(?P<word>[A-Z_]+(?=[\s()]|$))|(?P<mark>[()])|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<name>[^\s()",]+))'
)
_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
_CONSTANTS = {"TRUE": True, "FALSE": False}


class BadRule(ValueError):
    """A text that is no rule; says where."""


@dataclass(frozen=True)
class Constant:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True)
class Is:
    """Whether an alarm is in a state."""

    state: str
    alarm: str


@dataclass(frozen=True)
class Not:
    """The opposite."""

    of: Rule


@dataclass(frozen=True)
class Joined:
    """All of them (`every`), or any."""

    every: bool
    parts: tuple[Rule, ...]


Rule = Constant | Is | Not | Joined


@lru_cache(maxsize=1024)
def parse(text: str) -> Rule:
    """Raises BadRule."""
    return _Reader(text).whole()


def holds(rule: Rule, state_of: StateOf) -> bool:
    """Whether it is fulfilled."""
    match rule:
        case Constant(value):
            return value
        case Is(state, alarm):
            return state_of(alarm) == state
        case Not(of):
            return not holds(of, state_of)
        case Joined(every, parts):
            return (all if every else any)(holds(part, state_of) for part in parts)


def alarms(rule: Rule) -> list[str]:
    """The alarms that it names, each once, as the rule has them."""
    return list(dict.fromkeys(_alarms(rule)))


def _alarms(rule: Rule) -> Iterator[str]:
    match rule:
        case Is(_, alarm):
            yield alarm
        case Not(of):
            yield from _alarms(of)
        case Joined(_, parts):
            for part in parts:
                yield from _alarms(part)


@dataclass(frozen=True)
class _Token:
    kind: str
    """`word`, `mark`, `quoted`, `name` or `end`."""
    text: str
    at: int


class _Reader:
    """Reads one rule from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._next = next(self._tokens)
        self._depth = 0

    def whole(self) -> Rule:
        rule = self._any()
        if self._next.kind != "end":
            raise self._bad("AND or OR")
        return rule

    def _any(self) -> Rule:
        return self._series("OR", every=False)

    def _series(self, word: str, *, every: bool) -> Rule:
        parts = [self._part(every=every)]
        while self._take("word", word):
            parts.append(self._part(every=every))
        return parts[0] if len(parts) == 1 else Joined(every, tuple(parts))

    def _part(self, *, every: bool) -> Rule:
        return self._term() if every else self._series("AND", every=True)

    def _term(self) -> Rule:
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadRule(f"AlarmRule is nested deeper than {DEEPEST} levels")
        rule = self._negated() if self._take("word", "NOT") else self._plain()
        self._depth -= 1
        return rule

    def _negated(self) -> Rule:
        return Not(self._term())

    def _plain(self) -> Rule:
        if self._take("mark", "("):
            rule = self._any()
            self._need(")")
            return rule
        token = self._next
        if token.kind == "word" and token.text in _CONSTANTS:
            self._advance()
            return Constant(_CONSTANTS[token.text])
        if token.kind == "word" and token.text in _STATES:
            self._advance()
            return Is(token.text, self._alarm())
        raise self._bad("ALARM, OK, INSUFFICIENT_DATA, TRUE, FALSE, NOT or a bracket")

    def _alarm(self) -> str:
        self._need("(")
        token = self._next
        if token.kind in ("end", "mark") or not token.text:
            raise self._bad("the name of an alarm")
        self._advance()
        self._need(")")
        return token.text

    def _take(self, kind: str, text: str) -> bool:
        if (self._next.kind, self._next.text) != (kind, text):
            return False
        self._advance()
        return True

    def _need(self, mark: str) -> None:
        if not self._take("mark", mark):
            raise self._bad(f"'{mark}'")

    def _advance(self) -> None:
        self._next = next(self._tokens)

    def _bad(self, wanted: str) -> BadRule:
        found = f"'{self._next.text}'" if self._next.kind != "end" else "the end"
        return BadRule(f"Error in AlarmRule at position {self._next.at}: expected {wanted}, found {found}")


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise BadRule(f"Error in AlarmRule at position {at}: '{text[at:].strip()[0]}' is not expected here")
        kind = str(found.lastgroup)
        said = re.sub(r"\\(.)", r"\1", found[kind]) if kind == "quoted" else found[kind]
        yield _Token(kind, said, found.start(kind))
        at = found.end()
    while True:
        yield _Token("end", "", len(text))
