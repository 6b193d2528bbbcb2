"""Expressions as text and as trees. AND and OR bind least, then comparisons, sums, products, powers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

DEEPEST = 50
"""Brackets and calls within one another."""

LONGEST = 2048

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[a-z][A-Za-z0-9_]*)|(?P<word>[A-Z][A-Z0-9_]*)"
    r"|\"(?P<text>[^\"]*)\"|'(?P<other>[^']*)'|(?P<mark>==|!=|<=|>=|&&|\|\||[-+*/^<>()\[\],]))"
)
_SAME = {"&&": "AND", "||": "OR"}
_LEVELS = (("OR",), ("AND",), ("==", "!=", "<=", ">=", "<", ">"), ("+", "-"), ("*", "/"))
"""Operators that join from left to right, by how loosely they bind."""


class BadExpression(ValueError):
    """A text that is no expression, or an expression that means nothing."""


@dataclass(frozen=True)
class Number:
    """A scalar."""

    value: float


@dataclass(frozen=True)
class Text:
    """In quotes."""

    value: str


@dataclass(frozen=True)
class Word:
    """A function's name or an option that stands by itself: `REPEAT`, `DESC`."""

    name: str


@dataclass(frozen=True)
class Name:
    """The Id of another query."""

    id: str


@dataclass(frozen=True)
class Several:
    """`[m1, m2]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Apply:
    """A function or an operator, and what it is applied to; unary minus is `-` of one."""

    function: str
    arguments: tuple[Node, ...]


Node = Number | Text | Word | Name | Several | Apply


@lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """Raises BadExpression."""
    if len(text) > LONGEST:
        raise BadExpression(f"an expression has at most {LONGEST} characters")
    return _Reader(text).whole()


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


class _Reader:
    """Reads one expression from left to right."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._next = next(self._tokens)
        self._depth = 0

    def whole(self) -> Node:
        node = self._joined(0)
        if self._next.kind != "end":
            raise self._bad()
        return node

    def _joined(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._signed()
        node = self._joined(level + 1)
        while self._next.kind == "operator" and self._next.text in _LEVELS[level]:
            operator = self._advance().text
            node = Apply(operator, (node, self._joined(level + 1)))
        return node

    def _signed(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadExpression(f"an expression is nested at most {DEEPEST} levels deep")
        node = Apply("-", (self._signed(),)) if self._take("-") else self._power()
        self._depth -= 1
        return node

    def _power(self) -> Node:
        node = self._plain()
        return Apply("^", (node, self._signed())) if self._take("^") else node

    def _plain(self) -> Node:
        token = self._advance()
        match token.kind:
            case "number":
                return Number(float(token.text))
            case "text":
                return Text(token.text)
            case "name":
                return Name(token.text)
            case "word":
                return Apply(token.text, self._list(")")) if self._take("(") else Word(token.text)
        if token.text == "[":
            return Several(self._list("]"))
        if token.text == "(":
            node = self._joined(0)
            self._need(")")
            return node
        raise self._bad(token)

    def _list(self, end: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self._take(end):
            if items:
                self._need(",")
            items.append(self._joined(0))
        return tuple(items)

    def _take(self, text: str) -> bool:
        if self._next.kind != "operator" or self._next.text != text:
            return False
        self._advance()
        return True

    def _need(self, text: str) -> None:
        if not self._take(text):
            raise self._bad()

    def _advance(self) -> _Token:
        token, self._next = self._next, next(self._tokens)
        return token

    def _bad(self, token: _Token | None = None) -> BadExpression:
        found = token or self._next
        what = "the end" if found.kind == "end" else f"'{found.text}'"
        return BadExpression(f"{what} is not expected at position {found.at}")


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise BadExpression(f"'{text[at:].strip()[0]}' is not expected at position {at}")
        kind = str(found.lastgroup)
        said = _SAME.get(found[kind], found[kind])
        yield _Token(_kind(kind, said), said, found.start(kind))
        at = found.end()
    while True:
        yield _Token("end", "", len(text))


def _kind(kind: str, said: str) -> str:
    if kind == "mark" or said in ("AND", "OR"):
        return "operator"
    return "text" if kind == "other" else kind
