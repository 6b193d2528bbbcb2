"""Members that travel outside the body: in the path, the query, headers and the status
(https://smithy.io/2.0/spec/http-bindings.html)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from clary.wire import json_values
from clary.wire.http import HttpRequest, HttpResponse, split_query
from clary.wire.models import Shape
from clary.wire.values import Mismatch, Params, Value, from_text, to_text

_TEXTS = frozenset({"string", "character"})


class Binding(NamedTuple):
    """A member and where it travels: `uri`, `querystring`, `header`, `headers` (a prefix), `statusCode`."""

    member: str
    location: str
    name: str
    shape: Shape
    header: str = ""
    """The header that is the member, in lower case; empty for all else, prefixes of headers too."""


@lru_cache(maxsize=4096)
def bindings(shape: Shape) -> tuple[Binding, ...]:
    """The members of a structure that travel outside the body."""
    bound = ((name, member, member.serialization) for name, member in shape.members.items())
    return tuple(
        Binding(name, traits["location"], traits.get("name", name), member, _header(traits, name))
        for name, member, traits in bound
        if "location" in traits
    )


def _header(traits: Mapping[str, str], member: str) -> str:
    return traits.get("name", member).lower() if traits["location"] == "header" else ""


@lru_cache(maxsize=4096)
def in_body(shape: Shape) -> tuple[tuple[str, Shape], ...]:
    """The members of a structure that travel in the body."""
    return tuple((name, member) for name, member in shape.members.items() if "location" not in member.serialization)


@lru_cache(maxsize=4096)
def _by_header(shape: Shape) -> Mapping[str, Binding]:
    """The members that are a header's each, by its name: most of a request's are not there."""
    return {binding.header: binding for binding in bindings(shape) if binding.header}


@lru_cache(maxsize=4096)
def _elsewhere(shape: Shape) -> tuple[Binding, ...]:
    return tuple(binding for binding in bindings(shape) if not binding.header)


@lru_cache(maxsize=4096)
def _by_member(shape: Shape) -> Mapping[str, Binding]:
    return {binding.member: binding for binding in bindings(shape)}


class MisfitError(Mismatch):
    """A member outside the body that does not fit its shape; tells which."""

    def __init__(self, binding: Binding, text: str) -> None:
        super().__init__(f"{text!r} is no {binding.shape.type_name}, as {binding.name} must be")
        self.binding = binding
        self.text = text


def read(shape: Shape, request: HttpRequest, labels: Mapping[str, str], uri: str = "") -> Params:
    """The members of a request that travel outside its body; `uri` is the operation's own, whose fixed query belongs to
    no member. Raises MisfitError."""
    params: Params = {}
    headers = _by_header(shape)
    for name, text in request.headers.items():
        if name in headers:
            _put(params, headers[name], _from_header(headers[name], text))
    for binding in _elsewhere(shape):
        if binding.location == "uri":
            value = _scalar(binding, labels.get(binding.name))
        elif binding.location == "querystring":
            value = _from_query(binding, request, shape, uri)
        else:
            value = _from_headers(binding, request.headers)
        _put(params, binding, value)
    return params


def _put(params: Params, binding: Binding, value: Value) -> None:
    if value is not None:
        params[binding.member] = value


def read_headers(shape: Shape, headers: Mapping[str, str]) -> Params:
    """The members that stand in these headers alone: in the trailers of a streamed body."""
    bound = (b for b in bindings(shape) if b.location in ("header", "headers"))
    values = ((binding.member, _from_headers(binding, headers)) for binding in bound)
    return {member: value for member, value in values if value is not None}


def write(shape: Shape, output: Params, response: HttpResponse) -> None:
    """Put the members of an answer that travel outside its body into its headers and status."""
    known = _by_member(shape)
    for member, value in output.items():
        if value is None or member not in known:
            continue
        binding = known[member]
        if binding.location == "statusCode":
            response.status = value
        elif binding.location == "headers":
            response.headers.update({f"{binding.name.lower()}{key}": str(item) for key, item in value.items()})
        else:
            response.headers[binding.header] = _header_text(binding.shape, value)


def _scalar(binding: Binding, text: str | None) -> Value:
    """An empty text where a number, a time or a boolean is wanted counts as absent."""
    shape = binding.shape
    if text is None or (not text and shape.type_name not in _TEXTS):
        return None
    try:
        return from_text(shape, text)
    except Mismatch:
        raise MisfitError(binding, text) from None


def _from_query(binding: Binding, request: HttpRequest, parent: Shape, uri: str) -> Value:
    shape = binding.shape
    if shape.type_name == "list":
        item = Binding(binding.member, binding.location, binding.name, shape.member)
        return [_scalar(item, value) for name, value in request.query if name == binding.name] or None
    if shape.type_name == "map":
        return _query_map(shape, request, _taken(parent, uri))
    return _scalar(binding, request.query_map.get(binding.name))


@lru_cache(maxsize=256)
def _taken(parent: Shape, uri: str) -> frozenset[str]:
    """Names of the query that are a member's own, or the operation's."""
    members = (bound.name for bound in bindings(parent) if bound.location == "querystring" and not _is_map(bound))
    return frozenset((*members, *(name for name, _ in split_query(uri.partition("?")[2]))))


def _is_map(binding: Binding) -> bool:
    return bool(binding.shape.type_name == "map")


def _query_map(shape: Shape, request: HttpRequest, taken: frozenset[str]) -> Value:
    """Whatever no other member is."""
    rest = [(name, value) for name, value in request.query if name not in taken]
    if shape.value.type_name != "list":
        return dict(rest) or None
    values: dict[str, list[str]] = {}
    for name, value in rest:
        values.setdefault(name, []).append(value)
    return values or None


def _from_headers(binding: Binding, headers: Mapping[str, str]) -> Value:
    if binding.location == "headers":
        prefix = binding.name.lower()
        return {name[len(prefix) :]: value for name, value in headers.items() if name.startswith(prefix)} or None
    text = headers.get(binding.header)
    return None if text is None else _from_header(binding, text)


def _from_header(binding: Binding, text: str) -> Value:
    shape = binding.shape
    if shape.type_name == "list":
        item = Binding(binding.member, binding.location, binding.name, shape.member)
        return [_scalar(item, part) for part in split_list(text)]
    if shape.serialization.get("jsonvalue"):
        return _json_header(binding, text)
    if shape.type_name == "timestamp":
        return _lenient_time(binding, text)
    return _scalar(binding, text)


def _lenient_time(binding: Binding, text: str) -> Value:
    """A date that is none is ignored, as RFC 9110 wants it for conditional headers."""
    try:
        return _scalar(binding, text)
    except MisfitError:
        return None


def _json_header(binding: Binding, text: str) -> Value:
    try:
        return json_values.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, Mismatch):
        raise MisfitError(binding, text) from None


def split_list(text: str) -> list[str]:
    """The items of a header's list; an item with commas or quotes stands in quotes."""
    if '"' not in text:
        return [part.strip() for part in text.split(",") if part.strip()]
    items: list[str] = []
    current, quoted, escaped = "", False, False
    for char in text:
        if escaped:
            current, escaped = current + char, False
        elif char == "\\" and quoted:
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == "," and not quoted:
            items, current = [*items, current.strip()], ""
        else:
            current += char
    return [item for item in [*items, current.strip()] if item]


def _header_text(shape: Shape, value: Value) -> str:
    if shape.type_name == "list":
        return ",".join(_quoted(_header_text(shape.member, item)) for item in value)
    if shape.serialization.get("jsonvalue"):
        return base64.b64encode(json_values.dumps(value)).decode()
    return to_text(shape, value, "rfc822")


def _quoted(text: str) -> str:
    if "," not in text and '"' not in text:
        return text
    return '"' + text.replace('"', '\\"') + '"'
