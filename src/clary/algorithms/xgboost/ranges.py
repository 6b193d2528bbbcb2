"""Kinds of hyperparameters and what they may be, with AWS's wording where they are not."""

from __future__ import annotations

import ast
from typing import Any, Callable, List, Mapping, NamedTuple, Optional, Sequence, Union

from clary.toolkit.errors import UserError


class Interval(NamedTuple):
    """A range of numbers; each end open, closed or not there."""

    above: Optional[float] = None
    least: Optional[float] = None
    below: Optional[float] = None
    most: Optional[float] = None

    def holds(self, value: float) -> bool:
        """Whether `value` lies in it."""
        return not (
            (self.above is not None and value <= self.above)
            or (self.least is not None and value < self.least)
            or (self.below is not None and value >= self.below)
            or (self.most is not None and value > self.most)
        )

    def __str__(self) -> str:
        low = f"({self.above}" if self.above is not None else f"[{self.least}" if self.least is not None else "(-inf"
        high = f"{self.below})" if self.below is not None else f"{self.most}]" if self.most is not None else "+inf)"
        return f"{low}, {high}"


class Choices(NamedTuple):
    """One of a few words."""

    words: Sequence[Any]

    def holds(self, value: object) -> bool:
        """Whether `value` is one of them."""
        return value in self.words

    def __str__(self) -> str:
        return str(list(self.words))


class Checked(NamedTuple):
    """Words, and a rule that tells more than membership (it may raise UserError)."""

    words: Sequence[str]
    rule: Callable[[str], bool]

    def holds(self, value: str) -> bool:
        """What the rule says."""
        return self.rule(value)

    def __str__(self) -> str:
        return str(list(self.words))


Range = Union[Interval, Choices, Checked]
Value = Any
"""A parsed hyperparameter: a number, a word, or a list of either."""


class Kind:
    """A hyperparameter: how it is parsed, where it lies, on which others it depends.

    `parse` raises ValueError; `check` and `depends` raise UserError.
    """

    def __init__(
        self,
        name: str,
        allowed: Range,
        *,
        needed: bool = False,
        needs: Sequence[str] = (),
        depends: Optional[Callable[[Value, Mapping[str, Value]], None]] = None,
    ) -> None:
        self.name = name
        self.allowed = allowed
        self.needed = needed
        self.needs = needs
        self.depends = depends

    def parse(self, text: str) -> Value:
        """The value that the text stands for."""
        return text

    def check(self, value: Value) -> None:
        """Raise UserError where the value does not lie in the range."""
        if not self.allowed.holds(value):
            raise UserError(f"Hyperparameter {self.name}: {value} is not in {self.allowed}")


class Word(Kind):
    """One of a few words."""


class Integer(Kind):
    """A whole number."""

    def parse(self, text: str) -> Value:
        """As `int` reads it."""
        return int(text)


class Continuous(Kind):
    """A number."""

    def parse(self, text: str) -> Value:
        """As `float` reads it."""
        return float(text)


class _Several(Kind):
    def _elements(self, value: Value) -> List[Value]:
        return list(value)

    def check(self, value: Value) -> None:
        """Raise UserError where one of them does not lie in the range."""
        if not all(self.allowed.holds(element) for element in self._elements(value)):
            raise UserError(f"Hyperparameter {self.name}: value {value} not in range {self.allowed}")


class Words(_Several):
    """Several words with commas between them."""

    def parse(self, text: str) -> Value:
        """The words."""
        return text.split(",")


class Tuple(_Several):
    """`(1,0,-1)`."""

    def parse(self, text: str) -> Value:
        """As a Python literal."""
        return _literal(text, tuple)


class NestedList(_Several):
    """`[[1,2],[3]]`."""

    def parse(self, text: str) -> Value:
        """As a Python literal."""
        return _literal(text, list)

    def _elements(self, value: Value) -> List[Value]:
        return [element for inner in value for element in inner]


def _literal(text: str, kind: type) -> Value:
    """Never `eval`: what stands there is read, not run."""
    try:
        value = ast.literal_eval(text.strip())
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if not isinstance(value, (tuple, list)):
        raise ValueError(f"not a {kind.__name__}")  # noqa: TRY004 - a fault of the text
    return kind(value)
