"""LIBSVM text: `label[:weight] index:value index:value …`, one record a line."""

from __future__ import annotations

from array import array
from typing import NamedTuple, Optional


class Sparse(NamedTuple):
    """Coordinates of the values that are there; `rows` counts every line, also one without values."""

    rows: int
    row: array[int]
    column: array[int]
    value: array[float]


def parse_features(text: str) -> Sparse:
    """Features only: a leading label is skipped. Raises ValueError where a pair is no `index:value`.

    Indices are given back as they stand in the text (whether they begin at 0 or 1 is the reader's question).
    """
    rows, columns, values = array("q"), array("q"), array("d")
    lines = text.split("\n")
    for number, line in enumerate(lines):
        for item in line.split():
            index, colon, value = item.partition(":")
            if colon:
                rows.append(number)
                columns.append(int(index))
                values.append(float(value))
    return Sparse(len(lines), rows, columns, values)


def first_fault(line: str) -> Optional[str]:
    """Why a line of training data is no LIBSVM; None where it is."""
    label, *pairs = line.split(" ")
    parts = label.split(":")
    if len(parts) > 2 or not all(_is_number(part) for part in parts):
        return f"{label} does not follow LIBSVM label format <label>(:<weight>)."
    for pair in pairs:
        if pair.strip() and len(pair.split(":")) != 2:
            return f"{pair} does not follow LIBSVM format <index>:<value>."
    return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
