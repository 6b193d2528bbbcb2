"""Patterns over JSON: `{ ($.code = 404 || $.code = 410) && $.user.name = "A*" }`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from clary.logsearch.wording import MOST_REGEXES, BadPattern, comparison

_TOKEN = re.compile(
    r'\s*(&&|\|\||[(){}]|!=|<=|>=|=|<|>|"(?:[^"\\]|\\.)*"|%(?:[^%\\]|\\.)+%'
    r"|\$(?:\.(?:[\w@:/-]+|\*)|\.?\[(?:\d+|\*|'[^']*'|\"[^\"]*\")\])+|[^\s()=<>!&|{}\"]+)"
)
_STEP = re.compile(r"\.([\w@:/*-]+)|\.?\[(?:(\d+|\*)|'([^']*)'|\"([^\"]*)\")\]")
_OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
_DEPTH = 50

Holds = Callable[[Any], bool]
Select = Callable[[Any], Any]

_MISSING = object()


def document(message: str) -> Any:  # noqa: ANN401  what JSON has
    """The object or the list that a message is; None where it is none."""
    if message.lstrip()[:1] not in ("{", "["):
        return None
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None


def compiled(pattern: str) -> tuple[Holds, Mapping[str, Select]]:
    """Whether a document is what the pattern says, and what reads the selectors that it names. Raises BadPattern."""
    reading = _Reading(_tokens(pattern))
    holds = reading.whole()
    return holds, reading.named


def selected(found: Any, selector: str) -> Any:  # noqa: ANN401
    """What a selector (`$.a.b[0]`) points to; None where there is nothing. Raises BadPattern for none."""
    value = _selection(selector)(found)
    return None if value is _MISSING else value


def is_there(value: Any) -> bool:  # noqa: ANN401
    """Whether what a selector found is anything."""
    return value is not _MISSING


def shown(value: Any) -> str:  # noqa: ANN401
    """As TestMetricFilter shows a value."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _tokens(pattern: str) -> list[str]:
    tokens, position = [], 0
    text = pattern.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise BadPattern("Invalid filter pattern")
        tokens.append(found[1])
        position = found.end()
    if sum(token.startswith("%") for token in tokens) > MOST_REGEXES:
        raise BadPattern(f"Invalid filter pattern: at most {MOST_REGEXES} regular expressions are allowed")
    return tokens


def _selection(text: str) -> Select:
    steps: list[str | int] = []
    position = 1
    while position < len(text):
        found = _STEP.match(text, position)
        if not text.startswith("$") or found is None:
            raise BadPattern(f"Invalid selector {text}")
        name, index, single, double = found.groups()
        steps.append(int(index) if index and index != "*" else name or index or single or double or "")
        position = found.end()
    if not steps:
        raise BadPattern(f"Invalid selector {text}")
    return lambda value: _walked(value, steps)


def _walked(value: Any, steps: list[str | int]) -> Any:  # noqa: ANN401
    for step in steps:
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return _MISSING
            value = value[step]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return _MISSING
    return value


class _Reading:
    """Reads tokens from left to right; && binds closer than ||."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0
        self.named: dict[str, Select] = {}

    def whole(self) -> Holds:
        self._take("{")
        holds = self._either()
        self._take("}")
        if self._place < len(self._tokens):
            raise BadPattern("Invalid filter pattern")
        return holds

    def _next(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _take(self, wanted: str = "") -> str:
        token = self._next()
        if not token or (wanted and token.upper() != wanted):
            raise BadPattern("Invalid filter pattern")
        self._place += 1
        return token

    def _either(self) -> Holds:
        parts = [self._all()]
        while self._next() == "||":
            self._take()
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else lambda value: any(part(value) for part in parts)

    def _all(self) -> Holds:
        parts = [self._one()]
        while self._next() == "&&":
            self._take()
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda value: all(part(value) for part in parts)

    def _one(self) -> Holds:
        if self._next() != "(":
            return self._condition()
        self._depth += 1
        if self._depth > _DEPTH:
            raise BadPattern("Invalid filter pattern: too many brackets")
        self._take("(")
        holds = self._either()
        self._take(")")
        self._depth -= 1
        return holds

    def _condition(self) -> Holds:
        selector = self._take()
        select = self.named[selector] = _selection(selector)
        operator = self._take().upper()
        if operator == "IS":
            return self._is(select)
        if operator == "NOT":
            self._take("EXISTS")
            return lambda value: select(value) is _MISSING
        if operator == "EXISTS":
            return lambda value: select(value) is not _MISSING
        if operator not in _OPERATORS:
            raise BadPattern("Invalid filter pattern")
        return _compared(select, operator, self._take())

    def _is(self, select: Select) -> Holds:
        wanted = self._take().upper()
        if wanted not in ("NULL", "TRUE", "FALSE"):
            raise BadPattern("Invalid filter pattern")
        constant = {"NULL": None, "TRUE": True, "FALSE": False}[wanted]
        return lambda value: select(value) is constant


def _compared(select: Select, operator: str, text: str) -> Holds:
    """What is not there is not equal to anything, and not unequal either."""
    compare = comparison(operator, text)

    def holds(value: Any) -> bool:  # noqa: ANN401
        found = select(value)
        return found is not _MISSING and compare(found)

    return holds
