"""What a query is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Value:
    """A constant."""

    value: str | float


@dataclass(frozen=True)
class Field:
    """A field of an event, or what a command before has named so."""

    name: str


@dataclass(frozen=True)
class Regex:
    """An expression between slashes."""

    pattern: str


@dataclass(frozen=True)
class Period:
    """`5m`, in milliseconds."""

    milliseconds: int


@dataclass(frozen=True)
class Apply:
    """A function or an operator (in lower case) and its arguments."""

    function: str
    arguments: tuple[Expression, ...]


Expression = Value | Field | Regex | Period | Apply


@dataclass(frozen=True)
class Named:
    """An expression and what its results are called."""

    expression: Expression
    name: str


@dataclass(frozen=True)
class Fields:
    """`fields`, and `display` (`only`)."""

    named: Sequence[Named]
    only: bool


@dataclass(frozen=True)
class Filter:
    """`filter`."""

    condition: Expression


@dataclass(frozen=True)
class Parse:
    """`parse`: `pattern` is a regular expression, or what stands around the `*` of a glob."""

    field: Expression
    pattern: str | tuple[str, ...]
    names: Sequence[str]


@dataclass(frozen=True)
class Stats:
    """`stats … by …`."""

    aggregates: Sequence[Named]
    groups: Sequence[Named]


@dataclass(frozen=True)
class Sort:
    """`sort`: expressions, and whether each descends."""

    keys: Sequence[tuple[Expression, bool]]


@dataclass(frozen=True)
class Limit:
    """`limit`, and `tail` (`last`)."""

    count: int


@dataclass(frozen=True)
class Dedup:
    """`dedup`."""

    fields: Sequence[Expression]


Command = Fields | Filter | Parse | Stats | Sort | Limit | Dedup
