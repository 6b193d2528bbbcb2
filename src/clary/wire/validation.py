"""The constraints of the API models, and AWS's sentences for what breaks them:
`2 validation errors detected: Value 'a_b' at 'modelName' failed to satisfy constraint: Member must satisfy regular
expression pattern: …; Value null at 'executionRoleArn' failed to satisfy constraint: Member must not be null`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from clary.errors import ValidationError
from clary.wire.models import Shape
from clary.wire.patterns import compiled
from clary.wire.values import Params, Value

_SIZED = frozenset({"string", "list", "map", "blob"})
_NUMBERS = frozenset({"integer", "long", "float", "double"})
_LONGEST_SHOWN = 1024
_MOST_ERRORS = 10
_SHORT = 128
"""Characters of a text whose rightness is remembered: names and content types come again and again."""

_HIDDEN = object()
"""In place of a value that no message shows."""


def validate(shape: Shape | None, params: Params) -> None:
    """Raises ValidationError where `params` break a constraint of the shape: all breaches in one message."""
    if shape is None or _is_clean(shape, params):
        return
    found = [error for error, _ in zip(_structure(shape, params, ""), range(_MOST_ERRORS), strict=False)]
    if found:
        plural = "s" if len(found) > 1 else ""
        raise ValidationError(f"{len(found)} validation error{plural} detected: {'; '.join(found)}")


def _is_clean(shape: Shape, params: Params) -> bool:
    """Whether all that is there was looked at before, or cannot be wrong: most requests are like others."""
    required, checked = _plan(shape)
    if not required <= params.keys():
        return False
    return all(
        value is not None and (name not in checked or _is_known(checked[name], value)) for name, value in params.items()
    )


@lru_cache(maxsize=4096)
def _plan(shape: Shape) -> tuple[frozenset[str], dict[str, Shape]]:
    """What must be there, and what has constraints."""
    payload = shape.serialization.get("payload")
    members = shape.members.items()
    blob = {name for name, member in members if name == payload and member.type_name == "blob"}
    return _required(shape), {name: member for name, member in members if not (name in blob or _is_plain(member))}


def _structure(shape: Shape, value: Params, path: str) -> Iterator[str]:
    """A payload's size is not looked at here: the settings bound it."""
    required, payload = _required(shape), shape.serialization.get("payload")
    for name, member in shape.members.items():
        item = value.get(name)
        if item is not None:
            if _is_plain(member) or (name == payload and member.type_name == "blob"):
                continue
            if not _is_known(member, item):
                yield from _value(member, item, _below(path, name))
        elif name in required:
            yield _failed(None, _below(path, name), "Member must not be null")


def _is_known(shape: Shape, value: Value) -> bool:
    """Whether it is a short text that was looked at before, and nothing was wrong with it."""
    if shape.type_name != "string" or not isinstance(value, str) or len(value) > _SHORT or _is_secret(shape):
        return False
    return _is_right(shape, value)


@lru_cache(maxsize=4096)
def _is_right(shape: Shape, text: str) -> bool:
    return not any(_breaches(shape, text))


@lru_cache(maxsize=8192)
def _required(shape: Shape) -> frozenset[str]:
    return frozenset(shape.required_members)


@lru_cache(maxsize=32768)
def _is_plain(shape: Shape) -> bool:
    """Whether nothing about the shape can be broken."""
    if shape.type_name in ("structure", "list", "map"):
        return bool(getattr(shape, "is_document_type", False))
    return not _constraints(shape)


@lru_cache(maxsize=32768)
def _constraints(shape: Shape) -> dict[str, Value]:
    """Botocore leaves some numbers as text in its models; here they are numbers."""
    kept: dict[str, Value] = {key: v for key, v in shape.metadata.items() if key in ("min", "max", "pattern", "enum")}
    for bound in ("min", "max"):
        if isinstance(kept.get(bound), str):
            kept[bound] = float(kept[bound])
    return kept


def _value(shape: Shape, value: Value, path: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure":
        if not shape.is_document_type:
            yield from _structure(shape, value, path)
        return
    shown = _HIDDEN if _is_secret(shape) else value
    yield from (_failed(shown, path, text) for text in _breaches(shape, value))
    if kind == "list":
        yield from _list(shape, value, path)
    elif kind == "map":
        yield from _map(shape, value, path)


def _list(shape: Shape, value: list[Value], path: str) -> Iterator[str]:
    member = shape.member
    for index, item in enumerate(value, 1):
        place = f"{path}.{index}.member"
        if item is None:
            yield _failed(None, place, "Member must not be null")
        elif member.type_name in ("structure", "list", "map"):
            yield from _value(member, item, place)
    if not _is_plain(member) and member.type_name not in ("structure", "list", "map"):
        broken = any(item is not None and any(_breaches(member, item)) for item in value)
        if broken:
            yield _failed(value, path, f"Member must satisfy constraint: [{_all_constraints(member)}]")


def _map(shape: Shape, value: dict[str, Value], path: str) -> Iterator[str]:
    if any(any(_breaches(shape.key, key)) for key in value):
        yield _failed(value, path, f"Map keys must satisfy constraint: [{_all_constraints(shape.key)}]")
    inner = shape.value
    for key, item in value.items():
        place = f"{path}.{key}.member"
        if item is None:
            yield _failed(None, place, "Member must not be null")
        elif inner.type_name in ("structure", "list", "map"):
            yield from _value(inner, item, place)
        elif any(_breaches(inner, item)):
            yield _failed(value, path, f"Map value must satisfy constraint: [{_all_constraints(inner)}]")
            return


def _breaches(shape: Shape, value: Value) -> Iterator[str]:
    """The sentences of the shape's own constraints that the value breaks; a text that is too long is not matched."""
    rules = _constraints(shape)
    if not rules:
        return
    if "enum" in rules and value not in rules["enum"]:
        yield _enum_text(shape)
    sized = list(_size_breaches(shape, value, rules))
    yield from sized
    if "pattern" in rules and not sized and (pattern := compiled(rules["pattern"])) and not pattern.fullmatch(value):
        yield _pattern_text(shape)


def _size_breaches(shape: Shape, value: Value, rules: dict[str, Value]) -> Iterator[str]:
    kind = shape.type_name
    size = len(value) if kind in _SIZED and hasattr(value, "__len__") else value if kind in _NUMBERS else None
    if size is None:
        return
    if "min" in rules and not size >= rules["min"]:  # what is no number is in no range
        yield _bound_text(shape, "min")
    if "max" in rules and size > rules["max"]:
        yield _bound_text(shape, "max")


def _enum_text(shape: Shape) -> str:
    return f"Member must satisfy enum value set: [{', '.join(_constraints(shape)['enum'])}]"


def _pattern_text(shape: Shape) -> str:
    return f"Member must satisfy regular expression pattern: {_constraints(shape)['pattern']}"


def _bound_text(shape: Shape, bound: str) -> str:
    what = "length" if shape.type_name in _SIZED else "value"
    limit = _constraints(shape)[bound]
    return f"Member must have {what} {'less' if bound == 'max' else 'greater'} than or equal to {limit}"


def _all_constraints(shape: Shape) -> str:
    rules = _constraints(shape)
    texts = [_bound_text(shape, bound) for bound in ("max", "min") if bound in rules]
    if "pattern" in rules:
        texts.append(_pattern_text(shape))
    if "enum" in rules:
        texts.append(_enum_text(shape))
    return ", ".join(texts)


def _failed(value: Value, path: str, constraint: str) -> str:
    if value is _HIDDEN:
        return f"Value at '{path}' failed to satisfy constraint: {constraint}"
    shown = "null" if value is None else f"'{_shown(value)}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def _is_secret(shape: Shape) -> bool:
    """AWS shows neither what its models call sensitive nor bytes."""
    return bool(shape.metadata.get("sensitive")) or shape.type_name == "blob"


def _shown(value: Value) -> str:
    """The value as AWS's services, which are written in Java, print it."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, list):
        text = f"[{', '.join(_shown(item) for item in value)}]"
    elif isinstance(value, dict):
        text = f"{{{', '.join(f'{key}={_shown(item)}' for key, item in value.items())}}}"
    else:
        text = str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _below(path: str, name: str) -> str:
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name
