"""Values of many rows under one name: what every part of a model is asked with, and answers."""

from __future__ import annotations

import math
from typing import Any, Dict, Iterable, List, NamedTuple, Optional

import numpy as np

from clary.toolkit.pmml.reading import Invalid

Array = Any

STRING, INTEGER, FLOAT, DOUBLE, BOOLEAN = "string", "integer", "float", "double", "boolean"
KINDS = (STRING, INTEGER, FLOAT, DOUBLE, BOOLEAN)
"""The data types that can be asked; dates and times are not among them."""
_TRUTHS = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}


class Unanswerable(Exception):
    """A request's values are not what the model may be asked with; the message says why."""


class Column(NamedTuple):
    """Strings are objects; all other values float64, those of kind `float` rounded to float32."""

    kind: str
    values: Array
    missing: Array

    def take(self, rows: Array) -> Column:
        """Those of some rows."""
        return Column(self.kind, self.values[rows], self.missing[rows])

    def to_list(self) -> List[Any]:
        """Python's own values; None for what is missing."""
        plain = _PLAIN.get(self.kind, float)
        return [None if gone else plain(value) for value, gone in zip(self.values, self.missing)]  # noqa: B905

    def array(self) -> Array:
        """As numpy has it: NaN, or an empty string, for what is missing."""
        if self.kind == STRING:
            return np.where(self.missing, "", self.values).astype(str)
        if self.kind == INTEGER and not self.missing.any():
            return self.values.astype(np.int64)
        return np.where(self.missing, np.nan, self.values)


_PLAIN: Dict[str, Any] = {STRING: str, INTEGER: int, BOOLEAN: bool}
Columns = Dict[str, Column]


def kind_of(text: str, what: str) -> str:
    """A data type. Raises Invalid."""
    if text not in KINDS:
        raise Invalid(f"{what}: the data type {text[:40]!r} is not offered: {', '.join(KINDS)} are")
    return text


def parsed(text: str, kind: str) -> Any:  # noqa: ANN401 - a string, or a number
    """A value as the file or a request writes it. Raises ValueError."""
    if kind == STRING:
        return text
    if kind == BOOLEAN:
        if text.strip().lower() not in _TRUTHS:
            raise ValueError(f"{text[:60]!r} is no truth value")
        return _TRUTHS[text.strip().lower()]
    return rounded(float(text), kind)


def constant_of(text: str, kind: str, what: str) -> Any:  # noqa: ANN401 - as `parsed`
    """A value that the file says. Raises Invalid."""
    try:
        return parsed(text, kind)
    except ValueError as error:
        raise Invalid(f"{what}: {error}") from None


def rounded(value: Any, kind: str) -> Any:  # noqa: ANN401 - a number, or an array of them
    """As the kind has it. Raises ValueError for an integer that is none."""
    if kind == FLOAT:
        with np.errstate(over="ignore"):
            narrow = np.asarray(value, np.float64).astype(np.float32).astype(np.float64)
        return narrow if narrow.ndim else float(narrow)
    if kind == INTEGER and not bool(np.all(np.isnan(value) | (value == np.floor(value)))):
        raise ValueError("a value that is no whole number stands for an integer")
    return value


def numbers(values: Array, kind: str = DOUBLE, missing: Optional[Array] = None) -> Column:
    """A column of float64; NaN is missing."""
    gone = np.isnan(values)
    return Column(kind, values, gone if missing is None else gone | missing)


def strings(values: Iterable[str], missing: Array) -> Column:
    """A column of strings."""
    found = np.empty(len(missing), object)
    found[:] = list(values)
    return Column(STRING, found, missing)


def constant(value: Any, kind: str, count: int) -> Column:  # noqa: ANN401 - as `parsed`
    """The same value in each row."""
    if kind == STRING:
        return strings([value] * count, np.zeros(count, bool))
    return Column(kind, np.full(count, float(value)), np.zeros(count, bool))


def nothing(kind: str, count: int) -> Column:
    """Missing in each row."""
    gone = np.ones(count, bool)
    return strings([""] * count, gone) if kind == STRING else Column(kind, np.full(count, np.nan), gone)


def read(values: List[Any], kind: str, name: str) -> Column:
    """A request's values: strings, numbers, truth values, None. Raises Unanswerable."""
    missing = np.asarray([each is None or (isinstance(each, float) and math.isnan(each)) for each in values], bool)
    try:
        found = ["" if gone else _plain(each, kind) for each, gone in zip(values, missing)]  # noqa: B905
        if kind == STRING:
            return strings(found, missing)
        return Column(kind, np.asarray([np.nan if each == "" else each for each in found], float), missing)
    except (ValueError, TypeError, OverflowError) as error:
        raise Unanswerable(f"{name} is no {kind}: {error}") from None


def _plain(value: Any, kind: str) -> Any:  # noqa: ANN401 - whatever a request holds
    if isinstance(value, (list, dict)):
        raise TypeError("a list stands for one value")
    if kind == STRING:
        return _text(value)
    if isinstance(value, str):
        return parsed(value, kind)
    return rounded(float(value), kind)


def _text(value: Any) -> str:  # noqa: ANN401 - a string, a number, a truth value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def cast(column: Column, kind: str) -> Column:
    """As another data type: strings are read, numbers rounded or written. Raises Unanswerable."""
    if column.kind == kind:
        return column
    try:
        if STRING in (kind, column.kind):
            return read(column.to_list(), kind, "a field")
        return Column(kind, rounded(column.values, kind), column.missing)
    except ValueError as error:
        raise Unanswerable(str(error)) from None
