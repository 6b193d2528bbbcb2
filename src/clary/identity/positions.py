"""Where in a policy's text its statements stand, as simulations say: lines and columns from 1, from behind the opening
brace to behind the closing one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache

_BLANKS = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()

Position = dict[str, int]
"""The shape `Position`: `Line` and `Column`."""


def _skip(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _values(text: str, at: int, closing: str) -> Iterator[tuple[int, int]]:
    """Beginning and end of each value of the list or object that is open at `at`; a key is a value like any other."""
    at = _skip(text, at + 1)
    while text[at] != closing:
        begin = at
        _, at = _DECODER.raw_decode(text, at)
        yield begin, at
        at = _skip(text, at)
        if text[at] in ",:":
            at = _skip(text, at + 1)


def _spans(text: str) -> list[tuple[int, int]]:
    """Of a name that is there twice the last one counts, as it does for JSON's reader."""
    found: list[tuple[int, int]] = []
    members = list(_values(text, _skip(text, 0), "}"))
    for (begin, end), (value, value_end) in zip(members[::2], members[1::2], strict=True):
        if json.loads(text[begin:end]) == "Statement":
            found = list(_values(text, value, "]")) if text[value] == "[" else [(value, value_end)]
    return found


def _position(text: str, at: int) -> Position:
    before = text.rfind("\n", 0, at) + 1
    return {"Line": text.count("\n", 0, at) + 1, "Column": at - before + 1}


@lru_cache(maxsize=256)
def statements(text: str) -> tuple[tuple[Position, Position], ...]:
    """Beginning and end of each statement of a document that is valid JSON."""
    return tuple((_position(text, begin + 1), _position(text, end)) for begin, end in _spans(text))
