"""Filter policies on a message's attributes: pure
(https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html)."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clary.services.resources import Params

_COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class BadPolicy(Exception):
    """A policy that is none, or that asks for what is not offered; says why."""


def checked(text: str) -> dict[str, list[Any]]:
    """A policy: lists of conditions by attribute, each of which one must hold. Raises BadPolicy."""
    try:
        policy = json.loads(text)
    except (ValueError, RecursionError):
        raise BadPolicy("failed to parse JSON.") from None
    if not isinstance(policy, dict):
        raise BadPolicy("Filter policy must be a JSON object")
    for name, conditions in policy.items():
        if not isinstance(conditions, list) or not conditions:
            raise BadPolicy(f'"{name}" must be an object or an array')
        for condition in conditions:
            _check(condition)
    return policy


def _check(condition: Any) -> None:  # noqa: ANN401 - any JSON
    if not isinstance(condition, dict):
        if isinstance(condition, list):
            raise BadPolicy("Match value must be String, number, true, false, or null")
        return
    if len(condition) != 1:
        raise BadPolicy("Only one key allowed in match expression")
    [(kind, value)] = condition.items()
    sound = {
        "prefix": lambda: isinstance(value, str),
        "suffix": lambda: isinstance(value, str),
        "equals-ignore-case": lambda: isinstance(value, str),
        "exists": lambda: isinstance(value, bool),
        "anything-but": lambda: isinstance(value, str | int | float | list),
        "numeric": lambda: _is_range(value),
    }.get(kind)
    if sound is None:
        raise BadPolicy(f"Unrecognized match type {kind}")
    if not sound():
        raise BadPolicy(f"Bad value for {kind}")


def _is_range(value: Any) -> bool:  # noqa: ANN401 - any JSON
    if not isinstance(value, list) or len(value) not in (2, 4):
        return False
    return all(
        isinstance(name, str) and name in _COMPARED and _is_number(bound)
        for name, bound in zip(value[::2], value[1::2], strict=True)
    )


def _is_number(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return isinstance(value, int | float) and not isinstance(value, bool)


def lets_pass(policy: Mapping[str, Sequence[Any]], attributes: Mapping[str, Params]) -> bool:
    """Whether a message with these attributes is wanted: one condition of each name holds."""
    return all(
        any(_holds(condition, _values(attributes.get(name))) for condition in conditions)
        for name, conditions in policy.items()
    )


def _values(said: Params | None) -> list[Any] | None:
    """What an attribute is compared by; None where it is not there. Bytes cannot be compared."""
    if said is None:
        return None
    kind, text = said["DataType"], said.get("StringValue")
    if text is None:
        return []
    if kind == "String.Array":
        return _listed(text)
    return [_number(text)] if kind.startswith("Number") else [text]


def _listed(text: str) -> list[Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return values if isinstance(values, list) else [values]


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _holds(condition: Any, values: list[Any] | None) -> bool:  # noqa: ANN401 - any JSON
    if isinstance(condition, dict) and "exists" in condition:
        return (values is not None) is condition["exists"]
    return any(_fits(condition, value) for value in values or ())


def _fits(condition: Any, value: Any) -> bool:  # noqa: ANN401 - any JSON
    if not isinstance(condition, dict):
        return condition == value and isinstance(condition, bool) is isinstance(value, bool)
    [(kind, wanted)] = condition.items()
    if kind == "anything-but":
        return value not in (wanted if isinstance(wanted, list) else [wanted])
    if kind == "numeric":
        pairs = zip(wanted[::2], wanted[1::2], strict=True)
        return _is_number(value) and all(_COMPARED[name](value, bound) for name, bound in pairs)
    if not isinstance(value, str):
        return False
    if kind == "prefix":
        return value.startswith(wanted)
    return value.endswith(wanted) if kind == "suffix" else value.lower() == wanted.lower()
