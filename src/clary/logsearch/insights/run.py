"""A query, carried out over events."""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

from clary.logsearch.insights.aggregates import maker
from clary.logsearch.insights.errors import BadQuery
from clary.logsearch.insights.expressions import Evaluate, compiled, truth
from clary.logsearch.insights.functions import Moment, rank, text
from clary.logsearch.insights.parser import MOST_ROWS, parsed
from clary.logsearch.insights.records import Record
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
    Sort,
    Stats,
)

MOST_STATS = 2
"""`stats` commands of one query, as on AWS."""

_TIMES = frozenset({"@timestamp", "@ingestionTime"})

Rows = Iterable[Any]
Stage = Callable[[Rows], Rows]
Result = list[tuple[str, str]]
"""Fields and values, in order."""


class Made(dict[str, Any]):
    """A row that `stats` has made; its `get` is an event's."""

    def set(self, name: str, value: Any) -> None:  # noqa: ANN401
        """What a command names."""
        self[name] = value


class Query:
    """A query that has been read. `matched` counts the events that its filters let through."""

    def __init__(self, text: str, limit: int = MOST_ROWS) -> None:
        """Raises BadQuery."""
        commands = parsed(text)
        if sum(isinstance(command, Stats) for command in commands) > MOST_STATS:
            raise BadQuery(f"a query may have {MOST_STATS} stats commands")
        self.matched = 0
        self.aggregates = any(isinstance(command, Stats) for command in commands)
        self._shown = _shown(commands)
        self._stages: list[Stage] = [*_stages(_ordered(commands, limit)), partial(_first, limit)]
        self._counted = _matching(commands)

    def run(self, records: Iterable[Record]) -> Iterator[Result]:
        """Its results, in order."""
        rows: Rows = records
        for number, stage in enumerate(self._stages):
            if number == self._counted:
                rows = self._counting(rows)
            rows = stage(rows)
        for row in rows:
            yield self._result(row)

    def _counting(self, rows: Rows) -> Iterator[Any]:
        for row in rows:
            self.matched += 1
            yield row

    def _result(self, row: Any) -> Result:  # noqa: ANN401
        shown = [(name, _text(name, row.get(name))) for name in self._shown]
        found = [(name, value) for name, value in shown if value != ""]
        return found if self.aggregates else [*found, ("@ptr", row.get("@ptr"))]


def _matching(commands: Sequence[Command]) -> int:
    """How many commands at the beginning let each event through, or do not."""
    last = 0
    for number, command in enumerate(commands):
        if isinstance(command, Filter):
            last = number + 1
        elif not isinstance(command, Fields | Parse):
            break
    return last


def _text(name: str, value: Any) -> str:  # noqa: ANN401
    return text(Moment(value) if name in _TIMES and isinstance(value, int) else value)


def _shown(commands: Sequence[Command]) -> list[str]:
    """The names of what each result has."""
    names: list[str] = []
    only = False
    for command in commands:
        if isinstance(command, Stats):
            names, only = [named.name for named in (*command.groups, *command.aggregates)], False
        elif isinstance(command, Fields):
            given = [named.name for named in command.named]
            names = given if command.only else [] if only else [*names, *given]
            only = only or command.only
        elif isinstance(command, Parse) and not only:
            names = [*names, *command.names]
    return list(dict.fromkeys(names)) or ["@timestamp", "@message"]


def _ordered(commands: Sequence[Command], limit: int) -> list[Command]:
    """With what AWS adds: events come newest first, unless they are sorted otherwise; and a limit."""
    found = list(commands)
    if not any(isinstance(command, Sort | Stats) for command in found):
        place = next((n for n, command in enumerate(found) if isinstance(command, Limit | Dedup)), len(found))
        found.insert(place, Sort([(Field("@timestamp"), True)]))
    if not any(isinstance(command, Limit) for command in found):
        found.append(Limit(limit))
    return found


def _stages(commands: Sequence[Command]) -> Iterator[Stage]:
    for number, command in enumerate(commands):
        after = commands[number + 1] if number + 1 < len(commands) else None
        yield _stage(command, after)


def _stage(command: Command, after: Command | None) -> Stage:  # noqa: PLR0911  one line for each command
    match command:
        case Fields(named, _):
            return _naming(named)
        case Filter(condition):
            return _filtering(compiled(condition))
        case Parse(field, pattern, names):
            return _parsing(compiled(field), _parts(pattern, names), names)
        case Stats(aggregates, groups):
            return _grouping(aggregates, groups)
        case Sort(keys):
            return _sorting(keys, after.count if isinstance(after, Limit) else None)
        case Limit(count):
            return partial(_first, count)
        case Dedup(fields):
            return partial(_different, [compiled(field) for field in fields])


def _first(count: int, rows: Rows) -> Rows:
    return islice(rows, count)


def _filtering(condition: Evaluate) -> Stage:
    return lambda rows: (row for row in rows if truth(condition(row)))


def _naming(named: Sequence[Named]) -> Stage:
    made = [(each.name, compiled(each.expression)) for each in named if each.expression != Field(each.name)]
    if not made:
        return lambda rows: rows

    def apply(rows: Rows) -> Iterator[Any]:
        for row in rows:
            for name, value in made:
                row.set(name, value(row))
            yield row

    return apply


def _parsing(field: Evaluate, parts: Callable[[str], Sequence[str | None] | None], names: Sequence[str]) -> Stage:
    def apply(rows: Rows) -> Iterator[Any]:
        for row in rows:
            value = field(row)
            found = None if value is None else parts(text(value))
            if found is not None:
                for name, part in zip(names, found, strict=True):
                    row.set(name, part)
            yield row

    return apply


def _parts(pattern: str | tuple[str, ...], names: Sequence[str]) -> Callable[[str], Sequence[str | None] | None]:
    """What is found in a text for each name; None where it is not as the pattern says."""
    if isinstance(pattern, tuple):
        return partial(_of_glob, pattern)
    expression = re.compile(pattern)
    groups: list[str | int] = [
        name if name in expression.groupindex else number for number, name in enumerate(names, 1)
    ]

    def found(value: str) -> Sequence[str | None] | None:
        match = expression.search(value)
        return None if match is None else [match[group] for group in groups]

    return found


def _of_glob(pieces: Sequence[str], value: str) -> list[str | None] | None:
    """Each `*` ends where what follows it stands first; the last one, with nothing behind it, takes all."""
    start = value.find(pieces[0])
    if start < 0:
        return None
    found: list[str | None] = []
    start += len(pieces[0])
    for number, piece in enumerate(pieces[1:], 1):
        end = value.find(piece, start) if piece or number < len(pieces) - 1 else len(value)
        if end < 0:
            return None
        found.append(value[start:end])
        start = end + len(piece)
    return found


def _grouping(aggregates: Sequence[Named], groups: Sequence[Named]) -> Stage:
    makers = [(named.name, maker(named.expression)) for named in aggregates]
    keys = [(named.name, compiled(_timed(named.expression))) for named in groups]

    def apply(rows: Rows) -> Iterator[Made]:
        together: dict[tuple[Any, ...], list[Any]] = {}
        for row in rows:
            key = tuple([value(row) for _, value in keys])
            there = together.get(key)
            if there is None:
                there = together[key] = [make() for _, make in makers]
            for aggregate in there:
                aggregate.add(row)
        if not together and not keys:
            together[()] = [make() for _, make in makers]
        for key, made in together.items():
            values = dict(zip([name for name, _ in keys], key, strict=True))
            yield Made(values | {name: each.result() for (name, _), each in zip(makers, made, strict=True)})

    return apply


def _timed(expression: Expression) -> Expression:
    """Times stay times when they are grouped by."""
    return Apply("frommillis", (expression,)) if expression in (Field("@timestamp"),) else expression


def _sorting(keys: Sequence[tuple[Expression, bool]], count: int | None) -> Stage:
    parts = [(compiled(expression), descending) for expression, descending in keys]

    def apply(rows: Rows) -> Iterable[Any]:
        if count is not None and len({descending for _, descending in parts}) == 1:
            values = [value for value, _ in parts]
            chosen = heapq.nlargest if parts[0][1] else heapq.nsmallest
            return chosen(count, rows, key=lambda row: [rank(value(row)) for value in values])
        found = list(rows)
        for value, descending in reversed(parts):
            found.sort(key=lambda row: rank(value(row)), reverse=descending)
        return found

    return apply


def _different(fields: Sequence[Evaluate], rows: Rows) -> Iterator[Any]:
    seen = set()
    for row in rows:
        key = tuple([text(field(row)) for field in fields])
        if key not in seen:
            seen.add(key)
            yield row
