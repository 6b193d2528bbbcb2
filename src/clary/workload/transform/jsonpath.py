"""The JSONPath of InputFilter and OutputFilter: `$`, `.name`, `*`, `['a','b']`, `[0,2]`, `[1:]`, `[-1]`
(https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html#data-processing-operators).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Value = Any
"""What JSON holds."""

_STEP = re.compile(
    r"\.(?P<name>[A-Za-z_][\w-]*)"
    r"|\.(?P<star>\*)|\[(?P<all>\*)\]"
    r"|\[(?P<slice>-?\d*:-?\d*)\]"
    r"|\[(?P<numbers>-?\d+(?:\s*,\s*-?\d+)*)\]"
    r"|\[(?P<names>'[^']*'(?:\s*,\s*'[^']*')*)\]"
)


class BadPath(Exception):
    """What is no JSONPath of this subset, or leads nowhere in a record."""


@dataclass(frozen=True)
class Path:
    """A path, taken apart."""

    text: str
    steps: tuple[Callable[[Value], Value], ...]
    columns: Callable[[Sequence[Value]], Sequence[Value]] | None
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
    """Raises BadPath."""
    if not text.startswith("$"):
        raise BadPath(f"{text!r} is no JSONPath: it does not begin with $.")
    at, steps, columns = 1, [], None
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise BadPath(f"{text!r} is no JSONPath that SageMaker takes: see position {at}.")
        steps.append(_step(found))
        columns = _columns(found) if len(steps) == 1 else None
        at = found.end()
    return Path(text, tuple(steps), columns)


def _step(found: re.Match[str]) -> Callable[[Value], Value]:
    if found["name"]:
        return lambda value: value[found["name"]]
    if found["star"] or found["all"]:
        return lambda value: list(value.values()) if isinstance(value, dict) else list(value)
    if found["names"]:
        names = re.findall(r"'([^']*)'", found["names"])
        return lambda value: value[names[0]] if len(names) == 1 else [value[name] for name in names]
    return _of_list(found)


def _of_list(found: re.Match[str]) -> Callable[[Value], Value]:
    if found["slice"]:
        return lambda value: list(value)[_slice(found["slice"])]
    numbers = _numbers(found["numbers"])
    return lambda value: value[numbers[0]] if len(numbers) == 1 else [value[number] for number in numbers]


def _columns(found: re.Match[str]) -> Callable[[Sequence[Value]], Sequence[Value]] | None:
    if found["slice"]:
        cut = _slice(found["slice"])
        return lambda row: row[cut]
    if found["numbers"]:
        numbers = _numbers(found["numbers"])
        return lambda row: [row[number] for number in numbers]
    return None


def _slice(text: str) -> slice:
    start, _, stop = text.partition(":")
    return slice(int(start) if start else None, int(stop) if stop else None)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]
