"""A query's text as commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from clary.logsearch.insights.errors import BadQuery
from clary.logsearch.insights.syntax import (
    Apply,
    Command,
    Dedup,
    Expression,
    Field,
    Fields,
    Filter,
    Limit,
    Named,
    Parse,
    Period,
    Regex,
    Sort,
    Stats,
    Value,
)
from clary.logsearch.insights.tokens import END, NAME, NUMBER, REGEX, SIGN, TEXT, Token, tokens

MOST_ROWS = 10_000
"""What `limit` may say, and what a query without one gives at most."""

_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=", "=~")
_CONSTANTS: dict[str, float] = {"true": 1.0, "false": 0.0}
_DEPTH = 60
_NOT_OFFERED = ("pattern", "diff", "anomaly", "unnest", "unmask", "source", "filterindex", "lookup", "join")


def parsed(query: str) -> list[Command]:
    """Raises BadQuery."""
    return _Parser(query).commands()


class _Parser:
    def __init__(self, query: str) -> None:
        self._query = query
        self._tokens = tokens(query)
        self._place = 0
        self._depth = 0
        self._parsers: dict[str, Callable[[], Command]] = {
            "fields": lambda: Fields(self._list(), only=False),
            "display": lambda: Fields(self._list(), only=True),
            "filter": lambda: Filter(self._expression()),
            "where": lambda: Filter(self._expression()),
            "parse": self._parse,
            "stats": self._stats,
            "sort": self._sort,
            "order": self._sort,
            "limit": self._limit,
            "head": self._limit,
            "dedup": lambda: Dedup(self._expressions()),
        }

    def commands(self) -> list[Command]:
        found: list[Command] = []
        while self._token.kind != END:
            if self._token.text == "|" and self._token.kind == SIGN:
                self._place += 1
                continue
            found.append(self._command())
            if self._token.kind != END:
                self._expect("|")
        return found

    @property
    def _token(self) -> Token:
        return self._tokens[self._place]

    def _wrong(self, why: str = "") -> BadQuery:
        token = self._token
        shown = "the end of the query" if token.kind == END else self._query[token.start : token.end]
        return BadQuery(why or f"unexpected symbol found {shown}", token.start, token.end)

    def _next(self, kind: str) -> Token:
        token = self._token
        if token.kind != kind:
            raise self._wrong()
        self._place += 1
        return token

    def _is(self, *texts: str) -> bool:
        return self._token.kind in (NAME, SIGN) and self._token.text.lower() in texts

    def _taken(self, *texts: str) -> str:
        """The word in lower case where it is one of these, and is then left behind."""
        if not self._is(*texts):
            return ""
        self._place += 1
        return self._tokens[self._place - 1].text.lower()

    def _expect(self, text: str) -> None:
        if not self._taken(text):
            raise self._wrong()

    def _command(self) -> Command:
        word = self._token.text.lower() if self._token.kind == NAME else ""
        if word in _NOT_OFFERED:
            raise self._wrong(f"Clary does not offer the command {word}")
        if word not in self._parsers:
            raise self._wrong()
        self._place += 1
        return self._parsers[word]()

    # commands

    def _list(self) -> list[Named]:
        named = [self._named()]
        while self._taken(","):
            named.append(self._named())
        return named

    def _named(self) -> Named:
        start = self._token.start
        expression = self._expression()
        text = self._query[start : self._tokens[self._place - 1].end]
        if self._taken("as"):
            return Named(expression, self._next(NAME).text)
        return Named(expression, expression.name if isinstance(expression, Field) else text)

    def _expressions(self) -> list[Expression]:
        found = [self._expression()]
        while self._taken(","):
            found.append(self._expression())
        return found

    def _parse(self) -> Command:
        field: Expression = Field("@message")
        if self._token.kind == NAME:
            field = Field(self._next(NAME).text)
        if self._token.kind == REGEX:
            return self._parse_regex(field)
        text = self._next(TEXT)
        self._expect("as")
        names = self._names()
        pieces = text.text.split("*")
        if len(pieces) != len(names) + 1:
            raise BadQuery(f"{len(pieces) - 1} * and {len(names)} names", text.start, text.end)
        return Parse(field, tuple(pieces), names)

    def _parse_regex(self, field: Expression) -> Command:
        token = self._next(REGEX)
        pattern = _checked(token)
        names = list(pattern.groupindex)
        if self._taken("as"):
            names = self._names()
        elif not names:
            raise BadQuery("the regular expression has no named groups", token.start, token.end)
        if len(names) > pattern.groups:
            raise BadQuery(f"{pattern.groups} groups and {len(names)} names", token.start, token.end)
        return Parse(field, python(token.text), names)

    def _names(self) -> list[str]:
        names = [self._next(NAME).text]
        while self._taken(","):
            names.append(self._next(NAME).text)
        return names

    def _stats(self) -> Command:
        aggregates = self._list()
        return Stats(aggregates, self._list() if self._taken("by") else [])

    def _sort(self) -> Command:
        self._taken("by")
        keys = [self._key()]
        while self._taken(","):
            keys.append(self._key())
        return Sort(keys)

    def _key(self) -> tuple[Expression, bool]:
        expression = self._expression()
        return expression, self._taken("asc", "desc") == "desc"

    def _limit(self) -> Command:
        token = self._next(NUMBER)
        if not token.text.isdigit() or not 0 < int(token.text) <= MOST_ROWS:
            raise BadQuery(f"a limit is a number from 1 to {MOST_ROWS}", token.start, token.end)
        return Limit(int(token.text))

    # expressions

    def _expression(self) -> Expression:
        self._depth += 1
        if self._depth > _DEPTH:
            raise self._wrong("the query is too deep")
        found = self._both("or", lambda: self._both("and", self._not))
        self._depth -= 1
        return found

    def _both(self, word: str, part: Callable[[], Expression]) -> Expression:
        parts = [part()]
        while self._taken(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Apply(word, tuple(parts))

    def _not(self) -> Expression:
        negated = False
        while self._taken("not"):
            negated = not negated
        found = self._comparison()
        return Apply("not", (found,)) if negated else found

    def _comparison(self) -> Expression:
        left = self._sum()
        negated = bool(self._taken("not"))
        operator = self._taken("like", "in") or ("" if negated else self._taken(*_COMPARISONS))
        if negated and not operator:
            raise self._wrong()
        if not operator:
            return left
        found = self._compared(operator, left)
        return Apply("not", (found,)) if negated else found

    def _compared(self, operator: str, left: Expression) -> Expression:
        if operator == "in":
            return Apply("in", (left, *self._values()))
        if operator in ("like", "=~"):
            return Apply("like", (left, self._pattern()))
        return Apply(operator, (left, self._sum()))

    def _values(self) -> Sequence[Expression]:
        closing = "]" if self._taken("[") else ")"
        if closing == ")":
            self._expect("(")
        values = self._expressions()
        self._expect(closing)
        return values

    def _pattern(self) -> Expression:
        if self._token.kind == REGEX:
            token = self._next(REGEX)
            _checked(token)
            return Regex(python(token.text))
        return Value(self._next(TEXT).text)

    def _sum(self) -> Expression:
        return self._left(("+", "-"), lambda: self._left(("*", "/", "%"), self._power))

    def _left(self, signs: tuple[str, ...], part: Callable[[], Expression]) -> Expression:
        found = part()
        while sign := self._taken(*signs):
            found = Apply(sign, (found, part()))
        return found

    def _power(self) -> Expression:
        base = self._signed()
        return Apply("^", (base, self._power_of())) if self._taken("^") else base

    def _power_of(self) -> Expression:
        self._depth += 1
        if self._depth > _DEPTH:
            raise self._wrong("the query is too deep")
        found = self._power()
        self._depth -= 1
        return found

    def _signed(self) -> Expression:
        if self._taken("-"):
            return Apply("-", (Value(0.0), self._atom()))
        return self._atom()

    def _atom(self) -> Expression:
        token = self._token
        if self._taken("("):
            found = self._expression()
            self._expect(")")
            return found
        self._place += 1
        match token.kind:
            case "number":
                return Value(float(token.text))
            case "text":
                return Value(token.text)
            case "period":
                return _period(token)
            case "name":
                return self._of_name(token)
        self._place -= 1
        raise self._wrong()

    def _of_name(self, token: Token) -> Expression:
        if self._taken("("):
            return self._call(token)
        quoted = self._query[token.start] == "`"
        if not quoted and token.text in _CONSTANTS:
            return Value(_CONSTANTS[token.text])
        return Field(token.text)

    def _call(self, token: Token) -> Expression:
        arguments: list[Expression] = []
        if not self._is(")"):
            arguments = [Value("*")] if self._taken("*") else self._expressions()
        self._expect(")")
        return Apply(token.text.lower(), tuple(arguments))


def python(expression: str) -> str:
    """An expression as Python writes it: `(?<name>…)` is `(?P<name>…)`, and `\\/` a slash."""
    return re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", expression.replace("\\/", "/"))


def _checked(token: Token) -> re.Pattern[str]:
    try:
        return re.compile(python(token.text))
    except (re.error, RecursionError, OverflowError) as error:
        raise BadQuery(f"invalid regular expression: {error}", token.start, token.end) from None


def _period(token: Token) -> Expression:
    unit = token.text.lstrip("0123456789")
    number = int(token.text.removesuffix(unit))
    if unit not in _UNITS or number == 0:
        raise BadQuery(f"{token.text} is no period", token.start, token.end)
    return Period(number * _UNITS[unit])
