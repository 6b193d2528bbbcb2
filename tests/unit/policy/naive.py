"""A second evaluator, as short as the documentation's words and as slow as need be. It uses nothing of
`clary.identity`, and knows documents as parsed JSON, contexts as mappings of names in lower case to tuples of texts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Context = Mapping[str, Sequence[str]]


class Unresolved(Exception):
    """A variable without a value."""


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def likes(pattern: str, text: str) -> bool:
    """`*` and `?`, by trying everything. Letters from variables are marked with a NUL before them."""
    if not pattern:
        return not text
    if pattern[0] == "\0":
        return text[:1] == pattern[1] and likes(pattern[2:], text[1:])
    if pattern[0] == "*":
        return any(likes(pattern[1:], text[index:]) for index in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and likes(pattern[1:], text[1:])


def fill(text: str, context: Context, mark: str = "\0") -> str:
    """Variables replaced by their values, each letter marked."""

    def value(found: re.Match[str]) -> str:
        inside = found[1]
        if inside in ("*", "?", "$"):
            return mark + inside
        name, comma, default = inside.partition(",")
        values = context.get(name.strip().lower(), ())
        if len(values) == 1:
            return "".join(mark + letter for letter in values[0])
        if not comma:
            raise Unresolved(name)
        return "".join(mark + letter for letter in default.strip()[1:-1])

    return re.sub(r"\$\{([^{}]*)\}", value, text)


def arn_likes(pattern: str, arn: str, context: Context) -> bool:
    """Part by part: what stands between the first five colons, and the rest. Variables are part of one."""
    if pattern == "*":
        return True
    fill(pattern, context)
    parts, texts = pattern.split(":", 5), arn.split(":", 5)
    if len(parts) != len(texts):
        return False
    return all(likes(fill(part, context), text) for part, text in zip(parts, texts, strict=True))


def compare(operator: str, value: str, wanted: str, context: Context) -> bool:
    if operator.startswith("StringEquals"):
        filled = fill(wanted, context, mark="")
        return value == filled or (operator.endswith("IgnoreCase") and value.lower() == filled.lower())
    if operator == "StringLike":
        return likes(fill(wanted, context), value)
    if operator == "Bool":
        return value.lower() == wanted.lower()
    if operator in ("ArnLike", "ArnEquals"):
        return arn_likes(wanted, value, context)
    return orders(operator, value, wanted)


def orders(operator: str, value: str, wanted: str) -> bool:
    try:
        left, right = int(value), int(wanted)
    except ValueError:
        return False
    return {
        "NumericEquals": left == right,
        "NumericLessThan": left < right,
        "NumericLessThanEquals": left <= right,
        "NumericGreaterThan": left > right,
        "NumericGreaterThanEquals": left >= right,
    }[operator]


def holds(name: str, key: str, wanted: Any, context: Context) -> bool:
    """One key under one operator, in the order of the documentation."""
    quantifier, _, rest = name.rpartition(":")
    values = list(context.get(key.lower(), ()))
    texts = [str(each).lower() if isinstance(each, bool) else str(each) for each in listed(wanted)]
    if rest == "Null":
        return any((text == "true") == (not values) for text in texts)
    if_exists, base = rest.endswith("IfExists"), rest.removesuffix("IfExists")
    negated, base = "Not" in base, base.replace("Not", "")
    if quantifier:
        values = [value for value in values if value]
    if not values and if_exists:
        return True
    if not values:
        return {"ForAllValues": True, "ForAnyValue": False, "": negated}[quantifier]
    each = [any(compare(base, value, text, context) for text in texts) is not negated for value in values]
    if quantifier:
        return all(each) if quantifier == "ForAllValues" else any(each)
    return all(each) if negated else any(each)


def speaks(statement: Mapping[str, Any], action: str, resource: str, context: Context) -> bool:
    actions = listed(statement.get("Action", statement.get("NotAction")))
    if any(likes(each.lower(), action.lower()) for each in actions) is ("NotAction" in statement):
        return False
    try:
        resources = listed(statement.get("Resource", statement.get("NotResource")))
        resources = sorted(
            resources, key=lambda each: "${" in each
        )  # a variable without a value counts only where it is asked
        if any(arn_likes(each, resource, context) for each in resources) is ("NotResource" in statement):
            return False
        block = statement.get("Condition", {})
        return all(holds(name, key, value, context) for name, keys in block.items() for key, value in keys.items())
    except Unresolved:
        return False


def layer(statements: Sequence[Mapping[str, Any]], action: str, resource: str, context: Context) -> str:
    effects = {each["Effect"] for each in statements if speaks(each, action, resource, context)}
    return "explicitDeny" if "Deny" in effects else "allowed" if "Allow" in effects else "implicitDeny"


def decision(layers: Sequence[Sequence[Mapping[str, Any]]], action: str, resource: str, context: Context) -> str:
    """Of the identity's, the boundary's and the session's policies, those that there are."""
    said = [layer(each, action, resource, context) for each in layers]
    for effect in ("explicitDeny", "implicitDeny"):
        if effect in said:
            return effect
    return "allowed"
