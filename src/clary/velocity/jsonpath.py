"""JSONPath, as `$input.path` and `$input.json` take it (https://goessner.net/articles/JsonPath/, Jayway's reading of
it: a path that can name one value only gives that value, any other a list of what it finds)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from clary.velocity.limits import Budget, TemplateError

Value = Any
Find = Callable[[Value, Budget], Iterator[Value]]

_NAME = re.compile(r"[^.\[\]()*?'\"@,:\s]+")
_SLICE = re.compile(r"(-?\d+)?\s*:\s*(-?\d+)?(?:\s*:\s*(-?\d+))?")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_COMPARISON = re.compile(r"==|!=|<=|>=|<|>")
_FUNCTIONS = {"length": len, "size": len}


class Missing(Exception):
    """Nothing lies where a path points that can name one value only."""


@dataclass(frozen=True)
class _Part:
    find: Find
    definite: bool


@dataclass(frozen=True)
class Path:
    """A compiled path."""

    parts: tuple[_Part, ...]

    def of(self, document: Value, budget: Budget) -> Value:
        """What it names. Raises Missing."""
        found = [document]
        for part in self.parts:
            found = [each for value in found for each in part.find(value, budget)]
        if not all(part.definite for part in self.parts):
            return found
        if not found:
            raise Missing
        return found[0]


def _children(value: Value) -> list[Value]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _everything(value: Value, budget: Budget) -> Iterator[Value]:
    budget.spend()
    yield value
    for child in _children(value):
        yield from _everything(child, budget)


def _one(key: str | int) -> Find:
    def find(value: Value, budget: Budget) -> Iterator[Value]:
        budget.spend()
        if isinstance(key, str):
            if isinstance(value, dict) and key in value:
                yield value[key]
        elif isinstance(value, list) and -len(value) <= key < len(value):
            yield value[key]

    return find


def _any(value: Value, budget: Budget) -> Iterator[Value]:
    children = _children(value)
    budget.spend(1 + len(children))
    yield from children


def _union(keys: list[str | int]) -> Find:
    def find(value: Value, budget: Budget) -> Iterator[Value]:
        for key in keys:
            yield from _one(key)(value, budget)

    return find


def _slice(begin: int | None, end: int | None, step: int | None) -> Find:
    def find(value: Value, budget: Budget) -> Iterator[Value]:
        chosen = value[begin:end:step] if isinstance(value, list) else []
        budget.spend(1 + len(chosen))
        yield from chosen

    return find


def _below(inner: Find) -> Find:
    def find(value: Value, budget: Budget) -> Iterator[Value]:
        for each in _everything(value, budget):
            yield from inner(each, budget)

    return find


def _measured(value: Value, budget: Budget) -> Iterator[Value]:
    budget.spend()
    if isinstance(value, dict | list | str):
        yield len(value)


Holds = Callable[[Value, Budget], bool]


def _filtered(holds: Holds) -> Find:
    def find(value: Value, budget: Budget) -> Iterator[Value]:
        for child in _children(value):
            budget.spend()
            if holds(child, budget):
                yield child

    return find


class _Reader:
    """Recursive descent over a path."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._place = 0

    def read(self) -> Path:
        if self._peek() == "$":
            self._place += 1
        parts = self._parts()
        if self._place < len(self._source):
            raise self._wrong()
        return Path(tuple(parts))

    def _wrong(self) -> TemplateError:
        return TemplateError(f"not a JSONPath that is understood: {self._source!r}, at character {self._place + 1}")

    def _peek(self, length: int = 1) -> str:
        return self._source[self._place : self._place + length]

    def _take(self, text: str) -> bool:
        if self._source.startswith(text, self._place):
            self._place += len(text)
            return True
        return False

    def _expect(self, text: str) -> None:
        self._space()
        if not self._take(text):
            raise self._wrong()

    def _space(self) -> None:
        while self._peek().isspace():
            self._place += 1

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._source, self._place)
        if found:
            self._place = found.end()
        return found

    def _parts(self) -> list[_Part]:
        parts: list[_Part] = []
        while True:
            if self._take(".."):
                parts.append(_Part(_below(self._step(after_dots=True).find), definite=False))
            elif self._peek() in (".", "["):
                parts.append(self._step(after_dots=False))
            elif not parts and self._match(_NAME):  # `path` without `$.` before it
                self._place = 0 if self._source[0] != "$" else 1
                parts.append(self._step(after_dots=True))
            else:
                return parts

    def _step(self, *, after_dots: bool) -> _Part:
        if self._take("["):
            return self._bracket()
        if not after_dots:
            self._expect(".")
        if self._take("*"):
            return _Part(_any, definite=False)
        name = self._match(_NAME)
        if name is None:
            raise self._wrong()
        if name[0] in _FUNCTIONS and self._take("()"):
            return _Part(_measured, definite=True)
        return _Part(_one(name[0]), definite=True)

    def _bracket(self) -> _Part:
        self._space()
        if self._take("*"):
            part = _Part(_any, definite=False)
        elif self._take("?"):
            self._expect("(")
            holds = self._either()
            self._expect(")")
            part = _Part(_filtered(holds), definite=False)
        elif found := self._match(_SLICE):
            part = _Part(_slice(*(int(each) if each else None for each in found.groups())), definite=False)
            if found[3] and not int(found[3]):
                raise self._wrong()
        else:
            part = self._keys()
        self._expect("]")
        return part

    def _keys(self) -> _Part:
        keys = [self._key()]
        self._space()
        while self._take(","):
            self._space()
            keys.append(self._key())
            self._space()
        return _Part(_one(keys[0]), definite=True) if len(keys) == 1 else _Part(_union(keys), definite=False)

    def _key(self) -> str | int:
        if self._peek() in ("'", '"'):
            return self._quoted()
        number = self._match(re.compile(r"-?\d{1,9}"))
        if number is None:
            raise self._wrong()
        return int(number[0])

    def _quoted(self) -> str:
        quote, out = self._peek(), ""
        self._place += 1
        while (char := self._peek()) != quote:
            if not char:
                raise self._wrong()
            if char == "\\":
                self._place += 1
                char = self._peek()
            out += char
            self._place += 1
        self._place += 1
        return out

    def _either(self) -> Holds:
        first = self._both()
        self._space()
        if not self._take("||"):
            return first
        second = self._either()
        return lambda value, budget: first(value, budget) or second(value, budget)

    def _both(self) -> Holds:
        first = self._comparison()
        self._space()
        if not self._take("&&"):
            return first
        second = self._both()
        return lambda value, budget: first(value, budget) and second(value, budget)

    def _comparison(self) -> Holds:
        self._space()
        if self._take("!"):
            denied = self._comparison()
            return lambda value, budget: not denied(value, budget)
        if self._take("("):
            inner = self._either()
            self._expect(")")
            return inner
        left = self._operand()
        self._space()
        mark = self._match(_COMPARISON)
        if mark is None:
            return lambda value, budget: left(value, budget) is not _NOTHING
        right = self._operand()
        return lambda value, budget: _compares(mark[0], left(value, budget), right(value, budget))

    def _operand(self) -> Callable[[Value, Budget], Value]:
        self._space()
        if self._take("@"):
            path = Path(tuple(self._parts()))
            return lambda value, budget: _found(path, value, budget)
        constant = self._constant()
        return lambda _, __: constant

    def _constant(self) -> Value:
        if self._peek() in ("'", '"'):
            return self._quoted()
        for word, value in (("true", True), ("false", False), ("null", None)):
            if self._take(word):
                return value
        number = self._match(_NUMBER)
        if number is None:
            raise self._wrong()
        return float(number[0]) if any(c in number[0] for c in ".eE") else int(number[0][:40])


_NOTHING = object()


def _found(path: Path, value: Value, budget: Budget) -> Value:
    try:
        return path.of(value, budget)
    except Missing:
        return _NOTHING


def _compares(mark: str, left: Value, right: Value) -> bool:
    simple = (str, int, float, bool, type(None))
    if not isinstance(left, simple) or not isinstance(right, simple):
        return mark == "!="
    if mark in ("==", "!="):
        return (left == right and isinstance(left, bool) == isinstance(right, bool)) == (mark == "==")
    numbers = all(isinstance(each, int | float) for each in (left, right))
    if not numbers and not (isinstance(left, str) and isinstance(right, str)):
        return False
    return _ORDERS[mark](left, right)


_ORDERS: Mapping[str, Callable[[Value, Value], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


@lru_cache(maxsize=1024)
def compiled(source: str) -> Path:
    """Raises TemplateError."""
    try:
        return _Reader(source).read()
    except RecursionError:
        raise TemplateError("a JSONPath is nested too deeply") from None
