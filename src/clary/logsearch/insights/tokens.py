"""The words of a query."""

from __future__ import annotations

import re
from typing import NamedTuple

from clary.logsearch.insights.errors import BadQuery

NAME, NUMBER, TEXT, REGEX, PERIOD, SIGN, END = "name", "number", "text", "regex", "period", "sign", "end"

_TOKEN = re.compile(
    r"(?P<space>\s+|\#[^\n]*)"
    r"|(?P<period>\d+(?:ms|s|mo|m|h|d|w|q|y)\b)"
    r"|(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)"
    r'|(?P<text>"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')'
    r"|(?P<quoted>`[^`]+`)"
    r"|(?P<name>[A-Za-z_@$](?:[\w@$]|\.(?=[\w@]))*)"
    r"|(?P<sign>=~|!=|<=|>=|[-=<>+*/%^(),|\[\]])",
    re.DOTALL,
)
_REGEX = re.compile(r"/((?:[^/\\\n]|\\.)+)/")
_BEFORE_REGEX = frozenset({"like", "=~", "parse"})
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class Token(NamedTuple):
    """One word; `text` is what it means, without quotation marks."""

    kind: str
    text: str
    start: int
    end: int


def tokens(query: str) -> list[Token]:
    """All words and an end. Raises BadQuery."""
    found: list[Token] = []
    position = 0
    while position < len(query):
        token = _regex(query, position, found) or _token(query, position)
        if token.kind != "space":
            found.append(token)
        position = token.end
    return [*found, Token(END, "", len(query), len(query))]


def _token(query: str, position: int) -> Token:
    matched = _TOKEN.match(query, position)
    if matched is None:
        raise BadQuery(f"unexpected symbol found {query[position]}", position, position + 1)
    kind, text = str(matched.lastgroup), matched[0]
    if kind == "text":
        text = re.sub(r"\\(.)", lambda escaped: _ESCAPES.get(escaped[1], escaped[1]), text[1:-1], flags=re.DOTALL)
    if kind == "quoted":
        kind, text = NAME, text[1:-1]
    return Token(kind, text, matched.start(), matched.end())


def _regex(query: str, position: int, before: list[Token]) -> Token | None:
    """A slash divides, except where an expression to be looked for is expected."""
    if query[position] != "/" or not before:
        return None
    parsed = len(before) > 1 and before[-2].text.lower() == "parse" and before[-1].kind == NAME
    if before[-1].text.lower() not in _BEFORE_REGEX and not parsed:
        return None
    matched = _REGEX.match(query, position)
    if matched is None:
        raise BadQuery("the regular expression has no end", position, len(query))
    return Token(REGEX, matched[1], position, matched.end())
