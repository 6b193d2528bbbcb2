"""Which operation a method and a path name, for the services whose protocol is rest-json or rest-xml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

from botocore.model import OperationModel, ServiceModel

from clary.wire import models
from clary.wire.http import HttpRequest, split_query
from clary.wire.locations import bindings

_FREE_CONSTANTS = frozenset({"x-id"})  # some SDKs name the operation there; none of the models needs it


class BadPath(Exception):
    """A path that is not UTF-8 once its percent-encoding is undone."""


class Match(NamedTuple):
    """An operation's name and what its path holds."""

    operation: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class _Route:
    operation: str
    segments: tuple[str, ...]
    """A fixed text, or `{Name}`, or `{Name+}`, which takes the rest of the path but for fixed texts at its end."""
    constants: tuple[tuple[str, str], ...]
    """Pairs that the query must hold."""
    required_query: tuple[str, ...]
    required_headers: tuple[str, ...]
    deprecated: bool

    def labels(self, parts: Sequence[str]) -> dict[str, str] | None:
        """What the path holds, or None where it is another's."""
        labels: dict[str, str] = {}
        for index, segment in enumerate(self.segments):
            rest = parts[index:]
            if segment.endswith("+}"):
                return self._to_the_end(index, labels, rest)
            if not rest or (segment[0] != "{" and rest[0] != segment):
                return None
            if segment[0] == "{":
                if not rest[0]:
                    return None
                labels[segment[1:-1]] = rest[0]
        return labels if list(parts[len(self.segments) :]) in ([], [""]) else None

    def _to_the_end(self, index: int, labels: dict[str, str], rest: Sequence[str]) -> dict[str, str] | None:
        ending = self.segments[index + 1 :]
        held, last = rest[: len(rest) - len(ending)], tuple(rest[len(rest) - len(ending) :])
        labels[self.segments[index][1:-2]] = "/".join(held)
        return labels if last == ending and ("".join(held) or len(held) > 1) else None

    def asked_for(self, request: HttpRequest) -> bool:
        """Whether the query holds the route's constants."""
        if not self.constants:
            return True
        query = request.query_map
        return all(name in query and (not value or query[name] == value) for name, value in self.constants)

    def rank(self, request: HttpRequest) -> tuple[int, bool, int, bool, int]:
        """The more a route asks for and finds, the better it fits (UploadPart is a PutObject with two more)."""
        query, headers = request.query_map, request.headers
        met = all(n in query for n in self.required_query) and all(n in headers for n in self.required_headers)
        asked = len(self.required_query) + len(self.required_headers)
        return len(self.constants), met, asked if met else -asked, not self.deprecated, len(self.segments)


_KEPT = 1024
"""Paths that one service is asked for, remembered with their only operation: clients ask the same ones again and again,
and what is signed for several services is looked up in each."""


class Routes:
    """The paths of one service."""

    def __init__(self, service: ServiceModel) -> None:
        self._known: dict[tuple[str, str], Match | None] = {}
        self._routes: dict[tuple[str, str], list[_Route]] = {}
        """By method and the first constant of the query (empty where there is none): few are left to be compared."""
        for name in service.operation_names:
            operation = models.operation(service.service_name, name)
            route = _route(operation)
            constant = route.constants[0][0] if route.constants else ""
            self._routes.setdefault((operation.http["method"], constant), []).append(route)

    def find(self, request: HttpRequest, bucket: str | None = None) -> Match | None:
        """The operation asked for; `bucket` is the one that the host names, as S3's virtual hosts do.

        Raises BadPath.
        """
        plain = (request.method, request.raw_path) if bucket is None and not request.raw_query else None
        if plain in self._known:
            return self._known[plain]
        fitting = self._fitting(request, bucket)
        best = fitting[0] if len(fitting) == 1 else max(fitting, key=lambda each: each[0].rank(request), default=None)
        match = Match(best[0].operation, best[1]) if best else None
        if plain is not None and len(fitting) <= 1:
            self._keep(plain, match)
        return match

    def _fitting(self, request: HttpRequest, bucket: str | None) -> list[tuple[_Route, dict[str, str]]]:
        parts = _parts(request.raw_path)
        if bucket is not None:
            parts = [bucket, *parts]
        known: dict[tuple[str, ...], dict[str, str] | None] = {}
        fitting: list[tuple[_Route, dict[str, str]]] = []
        for route in self._candidates(request):
            if route.segments not in known:  # many of S3's operations have one path
                known[route.segments] = route.labels(parts)
            labels = known[route.segments]
            if labels is not None and route.asked_for(request):
                fitting.append((route, labels))
        return fitting

    def _keep(self, plain: tuple[str, str], match: Match | None) -> None:
        """Where one route fits or none, neither query nor headers decide."""
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[plain] = match

    def _candidates(self, request: HttpRequest) -> Iterator[_Route]:
        for constant in ("", *request.query_map):
            yield from self._routes.get((request.method, constant), ())


def _parts(raw_path: str) -> list[str]:
    path = raw_path.removeprefix("/")
    try:
        return [unquote(part, errors="strict") for part in path.split("/")] if path else []
    except UnicodeDecodeError:
        raise BadPath(raw_path) from None


def _route(operation: OperationModel) -> _Route:
    path, _, query = operation.http["requestUri"].partition("?")
    shape = operation.input_shape
    bound = bindings(shape) if shape is not None else ()
    required = set(shape.required_members) if shape is not None else set()
    return _Route(
        operation=operation.name,
        segments=tuple(part for part in path.split("/") if part),
        constants=tuple(pair for pair in split_query(query) if pair[0] not in _FREE_CONSTANTS),
        required_query=tuple(b.name for b in bound if b.location == "querystring" and b.member in required),
        required_headers=tuple(b.name.lower() for b in bound if b.location == "header" and b.member in required),
        deprecated=operation.deprecated,
    )
