"""Regular expressions of the API models, which are Java's, as Python's."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_BMP = 0x10000
_POSIX = {
    "Alnum": "0-9A-Za-z",
    "Alpha": "A-Za-z",
    "ASCII": r"\x00-\x7f",
    "Digit": "0-9",
    "Graph": "!-~",
    "Print": " -~",
    "Lower": "a-z",
    "Upper": "A-Z",
    "Punct": r"!-/:-@\[-`{-~",
    "Space": r"\t-\r ",
}
_PROPERTY = re.compile(r"\\p\{(\w+)\}")
_SURROGATE_RANGE = re.compile(r"\\uD800\\uDC00-\\uDBFF\\uDFFF", re.IGNORECASE)
_CLASS = re.compile(r"\[(?:\\.|[^\]\\])*\]")
_REPEATED_END = re.compile(r"\$\{\d+,\d+\}")
_LOOSE_DASH = re.compile(r"(\\[wdsWDS])-(?=[^\]])")


@cache
def compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern, to be matched whole; None where Python cannot express it: then it is not checked.

    Patterns stand in the API models; none of them comes with a request.
    """
    try:
        return re.compile(_translated(pattern))
    except re.error:
        return None


def _translated(pattern: str) -> str:
    text = _SURROGATE_RANGE.sub(r"\\U00010000-\\U0010FFFF", pattern).replace(r"\z", r"\Z")
    text = _REPEATED_END.sub("$", text)
    text, outside = _CLASS.sub(_in_class, text), text
    return _PROPERTY.sub(lambda found: f"[{_members(found[1])}]", text) if r"\p" in outside else text


def _in_class(found: re.Match[str]) -> str:
    inside = _LOOSE_DASH.sub(r"\1\\-", found[0])
    return _PROPERTY.sub(lambda inner: _members(inner[1]), inside)


def _members(name: str) -> str:
    """The inside of a character class for `\\p{name}`; beyond the Basic Multilingual Plane every letter is taken."""
    return _POSIX[name] if name in _POSIX else _category(name)


def _category(name: str) -> str:
    spans = "".join(f"\\u{low:04x}-\\u{high:04x}" for low, high in _ranges() if _category_at(low).startswith(name))
    return spans + (r"\U00010000-\U0010ffff" if name in ("L", "S") else "")


@cache
def _ranges() -> tuple[tuple[int, int], ...]:
    """Runs of characters of one category."""
    starts = [code for code in range(1, _BMP) if _category_at(code) != _category_at(code - 1)]
    return tuple(zip([0, *starts], [*(start - 1 for start in starts), _BMP - 1], strict=True))


def _category_at(code: int) -> str:
    return unicodedata.category(chr(code))
