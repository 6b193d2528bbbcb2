"""Columns of CSV, chosen on its bytes: a million rows are cut without a cell being looked at that stays where it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

from clary.workload.transform.jsonpath import Part, Path, chosen

Cut = Callable[[Sequence[bytes]], Sequence[bytes]]
"""Rows → rows. Raises IndexError where a row has no such column."""

_COMMA = b","


def rows(data: bytes) -> list[bytes]:
    """A row each, without their ends; empty lines are none. A cell within quotes holds no line's end: objects are cut
    at every one of them."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    return [row for row in data.split(b"\n") if row]


def joined(found: Sequence[bytes]) -> bytes:
    """Rows as lines."""
    return b"\n".join(found) + b"\n" if found else b""


def cut(path: Path) -> Cut | None:
    """Chooses a path's columns of rows; None where the path is no row's."""
    if path.is_whole:
        return lambda found: found
    if path.columns is None:
        return None
    parts = path.columns
    plain = _plain(parts)
    return lambda found: plain(found) if not _quoted(found) else [_of_quoted(row, parts) for row in found]


def _plain(parts: Sequence[Part]) -> Cut:
    """The fastest for columns without quotes."""
    match parts:
        case [slice(start=int(start), stop=None)] if start > 0:
            return lambda found: [_after(row, start) for row in found]
        case [0]:
            return lambda found: [row.partition(_COMMA)[0] for row in found]
        case [-1]:
            return lambda found: [row.rpartition(_COMMA)[2] for row in found]
        case [0, -1]:
            return lambda found: [row.partition(_COMMA)[0] + _COMMA + row.rpartition(_COMMA)[2] for row in found]
    return lambda found: [_COMMA.join(chosen(row.split(_COMMA), parts)) for row in found]


def _after(row: bytes, count: int) -> bytes:
    """`[count:]`, which is nothing where there are no more."""
    cells = row.split(_COMMA, count)
    return cells[count] if len(cells) > count else b""


def _quoted(found: Sequence[bytes]) -> bool:
    return any(b'"' in row for row in found)


def _of_quoted(row: bytes, parts: Sequence[Part]) -> bytes:
    """Cells that hold commas or quotes are quoted again. Raises UnicodeDecodeError, csv.Error."""
    [cells] = csv.reader([row.decode()])
    stream = io.StringIO()
    csv.writer(stream, lineterminator="").writerow(chosen(cells, parts))
    return stream.getvalue().encode()
