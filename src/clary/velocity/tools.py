"""`$input` and `$util`
(https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from clary.velocity import jsonpath
from clary.velocity.limits import Budget, TemplateError
from clary.velocity.text import as_text

Value = Any

_ESCAPED = {
    '"': '\\"',
    "'": "\\'",
    "\\": "\\\\",
    "/": "\\/",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}


class Input:
    """What came: the body, and the parameters of path, query and headers."""

    def __init__(self, body: str, params: Mapping[str, Mapping[str, str]]) -> None:
        """`params` by `path`, `querystring` and `header`."""
        self._body = body
        self._params = {place: dict(values) for place, values in params.items()}

    def member(self, name: str) -> Value:
        """`$input.body`."""
        return self._body if name == "body" else None

    def call(self, name: str, arguments: list[Value], budget: Budget) -> Value:
        """`json`, `path`, `params`. Raises TemplateError."""
        if name == "params" and len(arguments) <= 1:
            return self._param(arguments[0]) if arguments else self._params
        if name in ("json", "path") and len(arguments) == 1:
            found = self._at(_string(arguments[0]), budget)
            return found if name == "path" else budget.sized(_json_text(found, budget))
        raise TemplateError(f"$input has no method {name} of {len(arguments)} arguments")

    def _param(self, name: Value) -> str:
        """Path first, then query, then headers, as AWS searches them."""
        for place in ("path", "querystring", "header"):
            values = self._params.get(place, {})
            if name in values:
                return values[name]
        return ""

    def _at(self, path: str, budget: Budget) -> Value:
        try:
            return jsonpath.compiled(path).of(self._document, budget)
        except jsonpath.Missing:
            return ""
        except RecursionError:
            raise TemplateError("the body is nested too deeply") from None

    @cached_property
    def _document(self) -> Value:
        """An empty body is an empty object; what is no JSON is a text."""
        if not self._body.strip():
            return {}
        try:
            return json.loads(self._body)
        except RecursionError:
            raise TemplateError("the body is nested too deeply") from None
        except ValueError:
            return self._body


class Util:
    """Text and JSON in other forms."""

    def member(self, _name: str) -> Value:
        """Nothing."""
        return None

    def call(self, name: str, arguments: list[Value], budget: Budget) -> Value:
        """Raises TemplateError."""
        function = _FUNCTIONS.get(name)
        if function is None or len(arguments) != 1:
            raise TemplateError(f"$util has no method {name} of {len(arguments)} arguments")
        given = arguments[0]
        if given is None:
            return None
        found = function(as_text(given, budget))
        return budget.sized(found) if isinstance(found, str) else found


def _string(value: Value) -> str:
    if not isinstance(value, str):
        raise TemplateError("a path is a text")
    return value


def _json_text(value: Value, budget: Budget) -> str:
    """Counted before it is written: one value may stand in another many times."""
    _count(value, budget, 0)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _count(value: Value, budget: Budget, depth: int) -> None:
    budget.spend()
    budget.deeper(depth)
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _count(item, budget, depth + 1)


def _escape_java_script(text: str) -> str:
    """Commons Lang's StringEscapeUtils.escapeJavaScript."""
    return "".join(_ESCAPED.get(char) or _code_points(char) for char in text)


def _code_points(char: str) -> str:
    if " " <= char <= "~":
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place : place + 2].hex().upper()}" for place in range(0, len(units), 2))


def _parse_json(text: str) -> Value:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise TemplateError("$util.parseJson was given what is no JSON") from None


def _decode(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        raise TemplateError("$util.base64Decode was given what is not base64") from None


_FUNCTIONS: Mapping[str, Callable[[str], Value]] = {
    "escapeJavaScript": _escape_java_script,
    "parseJson": _parse_json,
    "urlEncode": quote_plus,
    "urlDecode": lambda text: unquote_plus(text, errors="replace"),
    "base64Encode": lambda text: base64.b64encode(text.encode("utf-8", "surrogatepass")).decode(),
    "base64Decode": _decode,
}
