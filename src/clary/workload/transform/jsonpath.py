"""The JSONPath of InputFilter and OutputFilter: `$`, `.name`, `*`, `['a','b']`, `[0,2]`, `[1:]`, `[-1]`, `[0,5:]`
(https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html#data-processing-operators).

Several names lead to an object with just these members; several numbers to a list. A dot may stand before a bracket.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Value = Any
"""What JSON holds."""

Part = int | slice
"""One part of `[0,5:]`."""

_STEP = re.compile(
    r"\.(?P<name>[A-Za-z_][\w-]*)"
    r"|\.?(?:\*|\[\*\])(?P<star>)"
    r"|\.?\[(?P<parts>\s*(?:-?\d*:-?\d*|-?\d+)\s*(?:,\s*(?:-?\d*:-?\d*|-?\d+)\s*)*)\]"
    r"|\.?\[(?P<names>\s*'[^']*'\s*(?:,\s*'[^']*'\s*)*)\]"
)


class BadPath(Exception):
    """What is no JSONPath of this subset, or leads nowhere in a record."""


@dataclass(frozen=True)
class Path:
    """A path, taken apart."""

    text: str
    steps: tuple[Callable[[Value], Value], ...]
    columns: tuple[Part, ...] | None
    """Where it chooses columns of a row of CSV: which; None for a path that a row does not have."""

    @property
    def is_whole(self) -> bool:
        """`$`: everything stays as it is."""
        return not self.steps

    def of(self, value: Value) -> Value:
        """What it leads to. Raises BadPath."""
        try:
            for step in self.steps:
                value = step(value)
        except (KeyError, IndexError, TypeError, AttributeError):
            raise BadPath(f"The path {self.text} leads nowhere in a record.") from None
        return value


def parse(text: str) -> Path:
    """An empty text is `$`. Raises BadPath."""
    if text and not text.startswith("$"):
        raise BadPath(f"{text!r} is no JSONPath: it does not begin with $.")
    at, found = 1, []
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            raise BadPath(f"{text!r} is no JSONPath that SageMaker takes: see position {at}.")
        found.append(step)
        at = step.end()
    columns = _columns(found[0]) if len(found) == 1 else None
    return Path(text, tuple(_step(step) for step in found), columns)


def _step(found: re.Match[str]) -> Callable[[Value], Value]:
    if found["name"]:
        return lambda value: value[found["name"]]
    if found["star"] is not None:
        return lambda value: list(value.values()) if isinstance(value, dict) else list(value)
    if found["names"] is not None:
        return _of_object(re.findall(r"'([^']*)'", found["names"]))
    return _of_list(_parts(found["parts"]))


def _of_object(names: Sequence[str]) -> Callable[[Value], Value]:
    if len(names) == 1:
        return lambda value: value[names[0]]
    return lambda value: {name: value[name] for name in names}


def _of_list(parts: tuple[Part, ...]) -> Callable[[Value], Value]:
    if len(parts) == 1:
        return lambda value: _list(value)[parts[0]]
    return lambda value: chosen(_list(value), parts)


def _list(value: Value) -> list[Value]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value


def chosen(row: Sequence[Value], parts: Sequence[Part]) -> list[Value]:
    """What the parts of `[0,5:]` choose, in their order. Raises IndexError."""
    found: list[Value] = []
    for part in parts:
        found.extend(row[part] if isinstance(part, slice) else (row[part],))
    return found


def _columns(found: re.Match[str]) -> tuple[Part, ...] | None:
    if found["star"] is not None:
        return (slice(None),)
    return _parts(found["parts"]) if found["parts"] is not None else None


def _parts(text: str) -> tuple[Part, ...]:
    return tuple(_part(part.strip()) for part in text.split(","))


def _part(text: str) -> Part:
    start, colon, stop = text.partition(":")
    if not colon:
        return int(text)
    return slice(int(start) if start else None, int(stop) if stop else None)
