"""Tables of numbers put on top of each other, predicted at once, and taken apart again."""

from __future__ import annotations

import itertools
from typing import Any, Callable, List, Optional, Sequence

import numpy as np

from clary.toolkit import arrays
from clary.toolkit.server.batching import Rows

Array = Any
Model = Any

_TYPES = frozenset("fd")
"""numpy's characters of float32 and float64: their names take it longer than all else here."""

_LINE = "line"


TableOf = Callable[[Sequence[List[float]]], Array]
"""What a framework makes of one-line bodies, on top of each other."""


class Stacked:
    """`predict` takes a table (rows, columns) and gives one prediction a row; `columns` are the model's, 0 if unknown.

    Only tables of equal width and type are put together: numpy would turn one of two types into the other. Bodies of
    one line become a table together, where `table_of` is said: one by one that takes several times as long.
    """

    def __init__(self, predict: Callable[[Array], Array], columns: int = 0, table_of: Optional[TableOf] = None) -> None:
        self._predict = predict
        self._columns = columns
        self._table_of = table_of if columns != 1 else None  # there a line is a column

    def line(self, text: str) -> Optional[Rows]:
        """One request's body of CSV, where it is one line of numbers; else None, and `rows` is for it."""
        row = arrays.csv_row(text) if self._table_of is not None else None
        return None if row is None else Rows((_LINE, len(row)), 1, row)

    def rows(self, data: Array) -> Optional[Rows]:
        """One request's table; None for what is none."""
        table = as_table(data, self._columns)
        if not isinstance(table, np.ndarray) or table.ndim != 2 or table.dtype.char not in _TYPES or not len(table):
            return None
        return Rows((table.dtype.char, table.shape[1]), len(table), table)

    def predict(self, data: Sequence[Array]) -> List[Array]:
        """Raises what the model raises, and ValueError where it does not give one prediction a row."""
        if self._table_of is not None and isinstance(data[0], list):
            return apart(np.asarray(self._predict(self._table_of(data))), [1] * len(data))
        return apart(np.asarray(self._predict(np.concatenate(data))), [len(table) for table in data])


def apart(predictions: Array, lengths: Sequence[int]) -> List[Array]:
    """Each request's own. Raises ValueError where there is not one prediction a row."""
    ends = list(itertools.accumulate(lengths))
    if predictions.ndim == 0 or len(predictions) != ends[-1]:
        raise ValueError("the model does not give one prediction for each row")
    return [predictions[begin:end] for begin, end in zip([0, *ends], ends)]  # noqa: B905 - Python 3.8


def as_table(data: Array, columns: int) -> Array:
    """A single row of CSV arrives with one dimension; models want two."""
    if getattr(data, "ndim", 2) != 1:
        return data
    return data.reshape(-1, 1) if columns == 1 else data.reshape(1, -1)
