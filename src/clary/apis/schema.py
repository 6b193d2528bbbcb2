"""JSON schemas of draft 4, as models are written in (https://json-schema.org/draft-04/json-schema-validation). Patterns
are matched in linear time, and the whole is bounded: schemas and bodies come from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from clary.velocity.limits import Budget, Limits, TemplateError
from clary.velocity.patterns import compiled

Schema = Any
Check = Callable[["Validator", Any, Any, str, Schema], Iterator[str]]

_MOST_DEPTH = 50
_MODELS = "/models/"


class Validator:
    """Validates against the models of one API; `models` are parsed schemas by name."""

    def __init__(self, models: Mapping[str, Schema]) -> None:
        self._models = models

    def errors(self, value: Any, schema: Schema, seconds: float = 1.0) -> list[str]:  # noqa: ANN401 — a value of JSON
        """What is wrong with a body, in words; nothing where it fits. What takes too long does not fit."""
        run = _Run(self._models, schema, Budget(Limits(seconds=seconds)))
        try:
            return list(run.check(value, schema, ""))[:20]
        except (TemplateError, RecursionError) as error:
            return [f"the body cannot be validated: {error}"]


class _Run:
    def __init__(self, models: Mapping[str, Schema], root: Schema, budget: Budget) -> None:
        self._models = models
        self._root = root
        self._depth = 0
        self.budget = budget

    def check(self, value: Any, schema: Schema, at: str) -> Iterator[str]:  # noqa: ANN401 — a value of JSON
        self.budget.spend()
        if not isinstance(schema, dict):
            return
        self._depth += 1
        try:
            if self._depth > _MOST_DEPTH:
                raise TemplateError("it is nested too deeply")
            if "$ref" in schema:
                yield from self.check(value, self._referred(schema["$ref"]), at)
                return
            for keyword, rule in schema.items():
                check = _CHECKS.get(keyword)
                if check is not None:
                    yield from check(self, value, rule, at, schema)
        finally:
            self._depth -= 1

    def fits(self, value: Any, schema: Schema) -> bool:  # noqa: ANN401 — a value of JSON
        return next(self.check(value, schema, ""), None) is None

    def _referred(self, reference: Any) -> Schema:  # noqa: ANN401 — a value of JSON
        """`https://apigateway.amazonaws.com/restapis/ID/models/NAME` and `#/definitions/NAME`."""
        text = str(reference)
        address, _, pointer = text.partition("#")
        if address:
            name = address.rpartition(_MODELS)[2]
            if name not in self._models:
                raise TemplateError(f"there is no model {name}")
            schema = self._models[name]
        else:
            schema = self._root
        for step in pointer.strip("/").split("/") if pointer.strip("/") else ():
            key = step.replace("~1", "/").replace("~0", "~")
            schema = schema.get(key) if isinstance(schema, dict) else None
        return schema if schema is not None else {}


def _is_number(value: Any) -> bool:  # noqa: ANN401 — a value of JSON
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": lambda value: _is_number(value) and value == value // 1,
}


def _name(value: Any) -> str:  # noqa: ANN401 — a value of JSON
    return next(
        name for name in ("null", "boolean", "integer", "number", "string", "array", "object") if _TYPES[name](value)
    )


def _type(_: _Run, value: Any, rule: Any, at: str, __: Schema) -> Iterator[str]:  # noqa: ANN401
    allowed = rule if isinstance(rule, list) else [rule]
    if not any(name in _TYPES and _TYPES[name](value) for name in allowed):
        names = ",".join(f'"{name}"' for name in allowed)
        text = f"instance type ({_name(value)}) does not match any allowed primitive type (allowed: [{names}])"
        yield f"{_place(at)}{text}"


def _place(at: str) -> str:
    return f"{at}: " if at else ""


def _enum(_: _Run, value: Any, rule: Any, at: str, __: Schema) -> Iterator[str]:  # noqa: ANN401
    if not any(value == each and isinstance(value, bool) == isinstance(each, bool) for each in rule):
        yield f"{_place(at)}instance value does not match any enum"


def _required(_: _Run, value: Any, rule: Any, at: str, __: Schema) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, dict) and isinstance(rule, list):
        missing = [name for name in rule if name not in value]
        if missing:
            shown = ",".join(f'"{name}"' for name in sorted(missing))
            yield f"{_place(at)}object has missing required properties ([{shown}])"


def _properties(run: _Run, value: Any, rule: Any, at: str, schema: Schema) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, dict):
        for name, below in rule.items():
            if name in value:
                yield from run.check(value[name], below, f"{at}/{name}")


def _additional(run: _Run, value: Any, rule: Any, at: str, schema: Schema) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(value, dict) or rule is True:
        return
    patterns = [compiled(pattern) for pattern in schema.get("patternProperties") or {}]
    known = schema.get("properties") or {}
    for name, item in value.items():
        if name in known or any(next(each.finditer(name, run.budget), None) for each in patterns):
            continue
        if rule is False:
            yield f'{_place(at)}object instance has properties which are not allowed by the schema: ["{name}"]'
        else:
            yield from run.check(item, rule, f"{at}/{name}")


def _pattern_properties(run: _Run, value: Any, rule: Any, at: str, __: Schema) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, dict):
        for pattern, below in rule.items():
            for name, item in value.items():
                if next(compiled(pattern).finditer(name, run.budget), None):
                    yield from run.check(item, below, f"{at}/{name}")


def _items(run: _Run, value: Any, rule: Any, at: str, schema: Schema) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(value, list):
        return
    for place, item in enumerate(value):
        if not isinstance(rule, list):
            yield from run.check(item, rule, f"{at}/{place}")
        elif place < len(rule):
            yield from run.check(item, rule[place], f"{at}/{place}")
        elif schema.get("additionalItems") is False:
            yield f"{_place(at)}array is too long"
            return


def _unique(_: _Run, value: Any, rule: Any, at: str, __: Schema) -> Iterator[str]:  # noqa: ANN401
    if rule is True and isinstance(value, list):
        seen = {repr(item) for item in value}
        if len(seen) < len(value):
            yield f"{_place(at)}array must not contain duplicate elements"


def _pattern(run: _Run, value: Any, rule: Any, at: str, __: Schema) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, str) and next(compiled(rule).finditer(value, run.budget), None) is None:
        yield f'{_place(at)}ECMA 262 regex "{rule}" does not match input string "{value[:100]}"'


def _bound(text: str, applies: Callable[[Any], bool], breaks: Callable[[Any, Any, Schema], bool]) -> Check:
    def check(_: Any, value: Any, rule: Any, at: str, schema: Schema) -> Iterator[str]:  # noqa: ANN401
        if applies(value) and breaks(value, rule, schema):
            yield f"{_place(at)}{text} ({rule})"

    return check


def _all_of(run: _Run, value: Any, rule: Any, at: str, __: Schema) -> Iterator[str]:  # noqa: ANN401
    for each in rule:
        yield from run.check(value, each, at)


def _any_of(run: _Run, value: Any, rule: Any, at: str, __: Schema) -> Iterator[str]:  # noqa: ANN401
    if not any(run.fits(value, each) for each in rule):
        yield f"{_place(at)}instance failed to match at least one required schema among {len(rule)}"


def _one_of(run: _Run, value: Any, rule: Any, at: str, __: Schema) -> Iterator[str]:  # noqa: ANN401
    matching = sum(run.fits(value, each) for each in rule)
    if matching != 1:
        yield f"{_place(at)}instance failed to match exactly one schema (matched {matching} out of {len(rule)})"


def _not(run: _Run, value: Any, rule: Any, at: str, __: Schema) -> Iterator[str]:  # noqa: ANN401
    if run.fits(value, rule):
        yield f"{_place(at)}instance matched a schema which it should not have"


def _above(value: Any, rule: Any, schema: Schema) -> bool:  # noqa: ANN401
    return bool(value >= rule) if schema.get("exclusiveMaximum") is True else bool(value > rule)


def _under(value: Any, rule: Any, schema: Schema) -> bool:  # noqa: ANN401
    return bool(value <= rule) if schema.get("exclusiveMinimum") is True else bool(value < rule)


def _is_remainder(value: Any, rule: Any, _: Schema) -> bool:  # noqa: ANN401
    quotient = value / rule if rule else 0
    return bool(abs(quotient - round(quotient)) > 1e-9)


_is_string, _is_list, _is_dict = _TYPES["string"], _TYPES["array"], _TYPES["object"]

_CHECKS: Mapping[str, Callable[..., Iterator[str]]] = {
    "type": _type,
    "enum": _enum,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "patternProperties": _pattern_properties,
    "items": _items,
    "uniqueItems": _unique,
    "pattern": _pattern,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "maximum": _bound("numeric instance is greater than the maximum", _is_number, _above),
    "minimum": _bound("numeric instance is lower than the required minimum", _is_number, _under),
    "multipleOf": _bound("numeric instance is not a multiple", _is_number, _is_remainder),
    "maxLength": _bound("string is too long", _is_string, lambda value, rule, _: len(value) > rule),
    "minLength": _bound("string is too short", _is_string, lambda value, rule, _: len(value) < rule),
    "maxItems": _bound("array is too long", _is_list, lambda value, rule, _: len(value) > rule),
    "minItems": _bound("array is too short", _is_list, lambda value, rule, _: len(value) < rule),
    "maxProperties": _bound("object has too many properties", _is_dict, lambda value, rule, _: len(value) > rule),
    "minProperties": _bound("object has too few properties", _is_dict, lambda value, rule, _: len(value) < rule),
}
