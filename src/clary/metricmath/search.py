"""What SEARCH looks for among metrics: `{Namespace,Dimension} MetricName="CPUUtilization" NOT (micro OR "t2.nano")`
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from clary.metricmath.expression import BadExpression

LONGEST = 1024
"""Characters."""

DEEPEST = 50

_TOKEN = re.compile(r"\s*(?:\"(?P<exact>[^\"]*)\"|(?P<mark>[(){}=,])|(?P<bare>[^\s(){}=,\"]+))")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_WORD = re.compile(r"[A-Za-z0-9]+")
_NAMESPACE, _METRIC = "Namespace", "MetricName"


@dataclass(frozen=True)
class Described:
    """A metric, as far as one can search for it."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]

    def texts(self, field: str | None) -> Iterable[str]:
        """What a term is held against: one property, or, without a designator, all of them."""
        if field == _NAMESPACE:
            return (self.namespace,)
        if field == _METRIC:
            return (self.name,)
        if field is not None:
            return (self.dimensions[field],) if field in self.dimensions else ()
        return (self.namespace, self.name, *self.dimensions, *self.dimensions.values())


Wanted = Callable[[Described], bool]


@dataclass(frozen=True)
class Search:
    """One that was read."""

    namespace: str | None
    dimensions: frozenset[str] | None
    """The names of all dimensions that a metric has to have; None: any."""
    wanted: Wanted

    def finds(self, metric: Described) -> bool:
        """Whether a metric is one of those."""
        if self.namespace not in (None, metric.namespace):
            return False
        return self.dimensions in (None, frozenset(metric.dimensions)) and self.wanted(metric)


@lru_cache(maxsize=256)
def search_of(text: str) -> Search:
    """Raises BadExpression."""
    if len(text) > LONGEST:
        raise BadExpression(f"a search has at most {LONGEST} characters")
    return _Reader(text).whole()


def labels(metrics: Sequence[Described]) -> list[str]:
    """What tells the metrics apart: names where they differ, and the dimensions' values."""
    several = len({metric.name for metric in metrics}) > 1
    return [
        " ".join([*([metric.name] if several or not metric.dimensions else []), *metric.dimensions.values()])
        for metric in metrics
    ]


@lru_cache(maxsize=4096)
def _words(text: str) -> frozenset[str]:
    """The words of a text, and the parts of those in camel case, in lower case."""
    whole = _WORD.findall(text)
    return frozenset(each.lower() for word in whole for each in (word, *_PART.findall(word)))


def _exactly(text: str, field: str | None) -> Wanted:
    return lambda metric: text in metric.texts(field)


def _partly(text: str, field: str | None) -> Wanted:
    words = frozenset(word.lower() for word in _WORD.findall(text))
    if not words:
        raise BadExpression(f"'{text}' is no search term")
    return lambda metric: any(words <= _words(each) for each in metric.texts(field))


def _every(parts: Sequence[Wanted]) -> Wanted:
    return parts[0] if len(parts) == 1 else lambda metric: all(part(metric) for part in parts)


def _some(parts: Sequence[Wanted]) -> Wanted:
    return parts[0] if len(parts) == 1 else lambda metric: any(part(metric) for part in parts)


class _Reader:
    """Reads one search from left to right."""

    def __init__(self, text: str) -> None:
        self._tokens = [(str(found.lastgroup), found[str(found.lastgroup)]) for found in _TOKEN.finditer(text)]
        if _TOKEN.sub("", text).strip():
            raise BadExpression("a search's double quotes must be closed")
        self._at = 0
        self._depth = 0

    def whole(self) -> Search:
        schema = self._names() if self._take("{") else []
        wanted = self._joined(None) if self._next() is not None else None
        if self._next() is not None or not (schema or wanted):
            raise self._bad()
        namespace = schema[0] if schema else None
        return Search(namespace, frozenset(schema[1:]) or None, wanted or (lambda _metric: True))

    def _names(self) -> list[str]:
        found = [self._text()]
        while self._take(","):
            found.append(self._text())
        self._need("}")
        return found

    def _joined(self, field: str | None) -> Wanted:
        parts = [self._together(field)]
        while self._word("OR"):
            parts.append(self._together(field))
        return _some(parts)

    def _together(self, field: str | None) -> Wanted:
        parts = [self._one(field)]
        while self._word("AND") or self._next() not in (None, ("mark", ")"), ("bare", "OR")):
            parts.append(self._one(field))
        return _every(parts)

    def _one(self, field: str | None) -> Wanted:
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadExpression(f"a search is nested at most {DEEPEST} levels deep")
        found = self._negated(self._one(field)) if self._word("NOT") else self._plain(field)
        self._depth -= 1
        return found

    @staticmethod
    def _negated(part: Wanted) -> Wanted:
        return lambda metric: not part(metric)

    def _plain(self, field: str | None) -> Wanted:
        if self._take("("):
            found = self._joined(field)
            self._need(")")
            return found
        exact = (self._next() or ("", ""))[0] == "exact"
        text = self._text()
        if field is None and self._take("="):
            if text.startswith(":"):
                raise BadExpression(f"Clary does not offer {text} in searches")
            return self._one(text)
        return _exactly(text, field) if exact else _partly(text, field)

    def _next(self) -> tuple[str, str] | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _text(self) -> str:
        found = self._next()
        if found is None or found[0] == "mark":
            raise self._bad()
        self._at += 1
        return found[1]

    def _take(self, mark: str) -> bool:
        return self._skip(("mark", mark))

    def _word(self, word: str) -> bool:
        return self._skip(("bare", word))

    def _skip(self, wanted: tuple[str, str]) -> bool:
        if self._next() != wanted:
            return False
        self._at += 1
        return True

    def _need(self, mark: str) -> None:
        if not self._take(mark):
            raise self._bad()

    def _bad(self) -> BadExpression:
        found = self._next()
        return BadExpression(f"{'the end' if found is None else repr(found[1])} is not expected in a search")
