"""Patch operations (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-service-api.html):
paths into a document, values as texts, which become what the output's shape says that they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clary.services.apigateway.errors import bad_request
from clary.wire import models
from clary.wire.models import Shape

Operation = Mapping[str, Any]
_OPS = ("add", "replace", "remove")


def output_shape(service: str, operation: str) -> Shape:
    """What says of which kind each member is."""
    return models.operation(service, operation).output_shape


def split(path: str) -> list[str]:
    """The steps of a JSON pointer. Raises BadRequestException."""
    if not path.startswith("/"):
        raise bad_request(f"Invalid patch path  '{path}' specified for op 'replace'. Must be one of: []")
    return [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]


def patch(
    document: dict[str, Any],
    operations: Sequence[Operation],
    shape: Shape,
    allowed: Sequence[str],
    steps_of: Callable[[str], list[str]] = split,
) -> None:
    """Carry out the operations on the document; `allowed` are the members that may change.

    Raises BadRequestException.
    """
    for operation in operations:
        steps = steps_of(operation.get("path") or "")
        if steps[0] not in allowed:
            raise _not_allowed(operation, allowed)
        _apply(document, operation, steps, shape)


def _not_allowed(operation: Operation, allowed: Sequence[str]) -> Exception:
    names = ", ".join(f"/{name}" for name in allowed)
    return bad_request(
        f"Invalid patch path  '{operation.get('path')}' specified for op '{operation.get('op')}'. "
        f"Must be one of: [{names}]"
    )


def _apply(document: dict[str, Any], operation: Operation, steps: list[str], shape: Shape) -> None:
    op = operation.get("op") or "replace"
    if op not in _OPS:
        raise bad_request(f"Invalid patch operation specified. Must be one of: {list(_OPS)}")
    holder, member = document, shape
    for step in steps[:-1]:
        member = _shape_below(member, step, operation)
        fresh: Any = [] if member.type_name == "list" else {}
        holder = holder.setdefault(step, fresh) if isinstance(holder, dict) else holder[_place(holder, step)]
    _set(holder, steps[-1], op, operation.get("value"), member)


def _set(holder: Any, step: str, op: str, value: str | None, shape: Shape) -> None:  # noqa: ANN401 — a value of JSON
    if isinstance(holder, list):
        _set_element(holder, step, op, value)
    elif op == "remove":
        _remove(holder, step, value)
    else:
        member = _shape_below(shape, step, {"path": step, "op": op})
        if member.type_name == "list":
            fresh = _coerced(member.member, value)
            holder[step] = [*holder.get(step, ()), fresh] if op == "add" else [fresh]
        else:
            holder[step] = _coerced(member, value)


def _remove(holder: dict[str, Any], step: str, value: str | None) -> None:
    """With a value, that element of a list."""
    if value is not None and isinstance(holder.get(step), list):
        holder[step] = [each for each in holder[step] if each != value]
    else:
        holder.pop(step, None)


def _set_element(holder: list[Any], step: str, op: str, value: str | None) -> None:
    """The step is the element, or its place where a value comes along (`/endpointConfiguration/types/0`)."""
    if value is not None and step.isdecimal() and op == "replace":
        holder[_place(holder, step)] = value
        return
    if op == "remove":
        holder[:] = [each for each in holder if each != step]
    elif step not in holder:
        holder.append(step)


def _place(holder: Sequence[Any], step: str) -> int:
    if not step.isdecimal() or int(step) >= len(holder):
        raise bad_request(f"Invalid patch path: there is no element {step}")
    return int(step)


def _shape_below(shape: Shape, step: str, operation: Operation) -> Shape:
    if shape.type_name == "structure" and step in shape.members:
        return shape.members[step]
    if shape.type_name == "map":
        return shape.value
    if shape.type_name == "list":
        return shape.member
    raise bad_request(f"Invalid patch path  '{operation.get('path')}' specified for op '{operation.get('op')}'.")


def _coerced(shape: Shape, value: str | None) -> Any:  # noqa: ANN401 — a value of JSON
    """A text as the shape's kind. Raises BadRequestException."""
    text = "" if value is None else value
    try:
        if shape.type_name == "boolean":
            return {"true": True, "false": False}[text.lower()]
        if shape.type_name in ("integer", "long"):
            return int(text)
        if shape.type_name in ("double", "float"):
            return float(text)
    except (KeyError, ValueError):
        raise bad_request(f"Invalid value {text!r}: it is no {shape.type_name}") from None
    if shape.enum and text not in shape.enum:
        raise bad_request(f"Invalid value {text!r}: it is none of {', '.join(shape.enum)}")
    return text
