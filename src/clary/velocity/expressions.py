"""Expressions: what stands in `#set`, `#if`, brackets and arguments
(https://velocity.apache.org/engine/1.7/vtl-reference.html)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from clary.velocity.cursor import Cursor
from clary.velocity.limits import TemplateError
from clary.velocity.methods import equal, put
from clary.velocity.run import Run, Value, as_number
from clary.velocity.text import as_text

_NUMBER = re.compile(r"-?\d{1,40}(?:\.\d+(?:[eE][+-]?\d{1,3})?)?")
_LONGEST_INTEGER = 2**63
_OPERATORS = (
    ("||", "or"),
    ("&&", "and"),
    ("==", "!=", "eq", "ne"),
    ("<=", ">=", "<", ">", "le", "ge", "lt", "gt"),
    ("+", "-"),
    ("*", "/", "%"),
)
"""Weakest first; those of one row are carried out from left to right."""

_SAME = {"or": "||", "and": "&&", "eq": "==", "ne": "!=", "le": "<=", "ge": ">=", "lt": "<", "gt": ">"}


class Expression(Protocol):
    """Anything with a value."""

    def value(self, run: Run) -> Value:
        """Raises TemplateError."""
        ...


Interpolate = Callable[[str], Expression]
"""Compiles what stands between double quotes: a template of its own."""


@dataclass(frozen=True)
class Constant:
    """A number, a plain text, true, false or null."""

    constant: Value

    def value(self, _: Run) -> Value:
        """Itself."""
        return self.constant


@dataclass(frozen=True)
class ListOf:
    """`[a, b]`."""

    items: tuple[Expression, ...]

    def value(self, run: Run) -> Value:
        """A new list."""
        run.budget.spend(1 + len(self.items))
        return [item.value(run) for item in self.items]


@dataclass(frozen=True)
class MapOf:
    """`{"a": b}`."""

    entries: tuple[tuple[Expression, Expression], ...]

    def value(self, run: Run) -> Value:
        """A new map."""
        run.budget.spend(1 + len(self.entries))
        return {as_text(key.value(run), run.budget): item.value(run) for key, item in self.entries}


@dataclass(frozen=True)
class RangeOf:
    """`[1..3]`, counting down where the first is the larger."""

    first: Expression
    last: Expression

    def value(self, run: Run) -> Value:
        """A new list of whole numbers."""
        first, last = self.first.value(run), self.last.value(run)
        if type(first) is not int or type(last) is not int:
            raise TemplateError("a range goes from a whole number to another")
        run.budget.spend(abs(last - first) + 1)
        return list(range(first, last + 1)) if first <= last else list(range(first, last - 1, -1))


@dataclass(frozen=True)
class Not:
    """`!a`."""

    operand: Expression

    def value(self, run: Run) -> Value:
        """The opposite."""
        return not truth(self.operand.value(run))


@dataclass(frozen=True)
class Minus:
    """`-a`."""

    operand: Expression

    def value(self, run: Run) -> Value:
        """The negative."""
        return -as_number(self.operand.value(run))


@dataclass(frozen=True)
class Binary:
    """`a op b`."""

    operator: str
    left: Expression
    right: Expression

    def value(self, run: Run) -> Value:
        """What the operator makes of both; `&&` and `||` look at the second only where they must."""
        run.budget.spend()
        left = self.left.value(run)
        if self.operator == "&&":
            return truth(left) and truth(self.right.value(run))
        if self.operator == "||":
            return truth(left) or truth(self.right.value(run))
        return _applied(self.operator, left, self.right.value(run), run)


def truth(value: Value) -> bool:
    """Velocity 1.7: all but null and false is true."""
    return value is not None and value is not False


def _applied(operator: str, left: Value, right: Value, run: Run) -> Value:
    if operator in ("==", "!="):
        return equal(left, right, run.budget) == (operator == "==")
    if operator == "+" and (isinstance(left, str) or isinstance(right, str)):
        texts = as_text(left, run.budget), as_text(right, run.budget)
        run.budget.room_for(sum(map(len, texts)))
        return run.budget.sized("".join(texts))
    if left is None or right is None:
        return None
    if operator in ("<", ">", "<=", ">="):
        return _ordered(operator, left, right)
    return _calculated(operator, as_number(left), as_number(right))


def _ordered(operator: str, left: Value, right: Value) -> bool:
    if not (isinstance(left, str) and isinstance(right, str)):
        left, right = as_number(left), as_number(right)
    return bool({"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[operator])


def _calculated(operator: str, left: float, right: float) -> Value:
    try:
        result = _arithmetic(operator, left, right)
    except (ZeroDivisionError, OverflowError):
        return None
    if isinstance(result, int) and abs(result) >= _LONGEST_INTEGER:
        raise TemplateError("a number is larger than 64 bits")
    return result


def _arithmetic(operator: str, left: float, right: float) -> float:
    """Java's: whole numbers are divided towards zero."""
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if not (isinstance(left, int) and isinstance(right, int)):
        return left / right if operator == "/" else left % right
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return quotient if operator == "/" else left - right * quotient


@dataclass(frozen=True)
class Step:
    """One part of a reference after its name: a property, an index, a method's call."""

    name: str = ""
    index: Expression | None = None
    arguments: tuple[Expression, ...] | None = None

    def of(self, value: Value, run: Run) -> Value:
        """What the step leads to."""
        if self.index is not None:
            return run.index(value, self.index.value(run))
        if self.arguments is None:
            return run.member(value, self.name)
        return run.call(value, self.name, [argument.value(run) for argument in self.arguments])


@dataclass(frozen=True)
class Reference:
    """`$name.step[step].step(…)`."""

    name: str
    steps: tuple[Step, ...]
    quiet: bool
    source: str
    """As it stands in the template: what is written where it has no value."""

    def value(self, run: Run) -> Value:
        """None where a part of it is not there."""
        value = run.variables.get(self.name)
        for step in self.steps:
            if value is None:
                return None
            value = step.of(value, run)
        return value

    def render(self, run: Run) -> None:
        """Write its value; its own text where there is none, nothing where it is quiet."""
        run.budget.spend()
        value = self.value(run)
        if value is not None:
            run.write(as_text(value, run.budget))
        elif not self.quiet:
            run.write(self.source)

    def assign(self, value: Value, run: Run) -> None:
        """`#set`: a variable, or an entry of a map or list. Raises TemplateError."""
        if not self.steps:
            run.variables[self.name] = value
            return
        holder = Reference(self.name, self.steps[:-1], self.quiet, self.source).value(run)
        last = self.steps[-1]
        if holder is None or last.arguments is not None:
            raise TemplateError(f"{self.source} cannot be set")
        put(holder, last.index.value(run) if last.index is not None else last.name, value)


class Expressions:
    """Reads expressions from a cursor."""

    def __init__(self, cursor: Cursor, interpolate: Interpolate) -> None:
        self._cursor = cursor
        self._interpolate = interpolate

    def expression(self, level: int = 0) -> Expression:
        """Raises TemplateError."""
        if level == len(_OPERATORS):
            return self._unary()
        left = self.expression(level + 1)
        while (operator := self._operator(_OPERATORS[level])) is not None:
            left = Binary(operator, left, self.expression(level + 1))
        return left

    def _operator(self, offered: tuple[str, ...]) -> str | None:
        cursor = self._cursor
        cursor.space()
        for operator in offered:
            if not cursor.sees(operator):
                continue
            after = cursor.peek(len(operator) + 1)[len(operator) :]
            if operator.isalpha() and (after.isalnum() or after == "_"):
                continue
            cursor.take(operator)
            return _SAME.get(operator, operator)
        return None

    def _unary(self) -> Expression:
        cursor = self._cursor
        cursor.space()
        if cursor.take("!"):
            return Not(self._unary())
        if re.match(r"not\b", cursor.peek(4)):
            cursor.take("not")
            return Not(self._unary())
        if cursor.sees("-") and not cursor.peek(2)[1:].isdigit():
            cursor.take("-")
            return Minus(self._unary())
        return self._primary()

    def _primary(self) -> Expression:
        cursor = self._cursor
        first = cursor.peek()
        if first == "$":
            reference = self.reference()
            if reference is None:
                raise cursor.wrong("expected a reference")
            return reference
        if first in ("'", '"'):
            return self._text()
        if cursor.take("("):
            inner = self.expression()
            cursor.expect(")")
            return inner
        if cursor.take("["):
            return self._list()
        if cursor.take("{"):
            return self._map()
        return self._constant()

    def _constant(self) -> Expression:
        cursor = self._cursor
        number = cursor.match(_NUMBER)
        if number is not None:
            if "." in number:
                return Constant(float(number))
            whole = int(number)
            if abs(whole) >= _LONGEST_INTEGER:
                raise cursor.wrong("a number is larger than 64 bits")
            return Constant(whole)
        for word, value in (("true", True), ("false", False), ("null", None)):
            if cursor.take(word):
                return Constant(value)
        raise cursor.wrong("expected a value")

    def _text(self) -> Expression:
        """A quote within is written twice; there is no other escape."""
        cursor = self._cursor
        quote = cursor.peek()
        cursor.take(quote)
        parts: list[str] = []
        while True:
            before = cursor.place
            parts.append(cursor.until(quote))
            if cursor.place == before + len(parts[-1]):
                raise cursor.wrong(f"a text that begins with {quote} does not end")
            if not cursor.take(quote):
                break
            parts.append(quote)
        text = "".join(parts)
        return self._interpolate(text) if quote == '"' and ("$" in text or "#" in text) else Constant(text)

    def _list(self) -> Expression:
        cursor = self._cursor
        cursor.space()
        if cursor.take("]"):
            return ListOf(())
        first = self.expression()
        cursor.space()
        if cursor.take(".."):
            last = self.expression()
            cursor.expect("]")
            return RangeOf(first, last)
        return ListOf((first, *self._more("]")))

    def _more(self, end: str) -> list[Expression]:
        """Further items, up to the end."""
        cursor = self._cursor
        items: list[Expression] = []
        cursor.space()
        while not cursor.take(end):
            cursor.expect(",")
            items.append(self.expression())
            cursor.space()
        return items

    def _map(self) -> Expression:
        cursor = self._cursor
        entries: list[tuple[Expression, Expression]] = []
        cursor.space()
        while not cursor.take("}"):
            if entries:
                cursor.expect(",")
            key = self.expression()
            cursor.expect(":")
            entries.append((key, self.expression()))
            cursor.space()
        return MapOf(tuple(entries))

    def arguments(self) -> tuple[Expression, ...]:
        """What stands between brackets that are open already."""
        cursor = self._cursor
        cursor.space()
        if cursor.take(")"):
            return ()
        return (self.expression(), *self._more(")"))

    def reference(self) -> Reference | None:
        """The reference that begins here; None, and nothing read, where the dollar begins none."""
        cursor, start = self._cursor, self._cursor.place
        found = re.compile(r"\$(!?)(\{?)([A-Za-z_][A-Za-z0-9_-]*)").match(cursor.text, start)
        if found is None:
            return None
        cursor.place = found.end()
        steps = self._steps()
        if found[2] and not cursor.take("}"):
            raise cursor.wrong("expected '}'")
        return Reference(found[3], tuple(steps), bool(found[1]), cursor.text[start : cursor.place])

    def _steps(self) -> list[Step]:
        cursor = self._cursor
        steps: list[Step] = []
        while True:
            if cursor.peek() == "." and re.match(r"[A-Za-z_]", cursor.peek(2)[1:]):
                cursor.take(".")
                name = cursor.identifier()
                steps.append(Step(name, arguments=self.arguments() if cursor.take("(") else None))
            elif cursor.take("["):
                steps.append(Step(index=self.expression()))
                cursor.expect("]")
            else:
                return steps
