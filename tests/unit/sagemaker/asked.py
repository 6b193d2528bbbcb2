"""Requests that an API model allows: every member that a shape has, with texts that its pattern matches."""

from __future__ import annotations

import re
from functools import cache

from clary.wire.patterns import compiled

DEEPEST = 4
_LENGTHS = range(65)


def full(shape, mark="a", depth=0):
    """A value with all members; where only one may be there, the first. `mark` tells one value from another."""
    kind = shape.type_name
    if kind == "structure":
        return _structure(shape, mark, depth)
    if kind == "list":
        return [full(shape.member, mark, depth + 1)] * max(1, int(shape.metadata.get("min", 1)))
    if kind == "map":
        return {text(shape.key, mark): full(shape.value, mark, depth + 1)}
    if kind == "string":
        return shape.enum[0 if mark == "a" else -1] if shape.enum else text(shape, mark)
    if kind in ("integer", "long", "float", "double"):
        return max(1, int(float(shape.metadata.get("min", 1))))
    return {"boolean": mark == "a", "timestamp": 1_700_000_000.0}[kind]


def _structure(shape, mark, depth):
    if shape.is_document_type:
        return {mark: mark}
    names = list(shape.members) if depth < DEEPEST else shape.required_members
    if getattr(shape, "is_tagged_union", False):
        names = names[:1]
    return {name: full(shape.members[name], mark, depth + 1) for name in names}


@cache
def text(shape, mark):
    """One that the shape allows, as short as it can be."""
    pattern = compiled(shape.metadata["pattern"]) if "pattern" in shape.metadata else None
    least, most = int(shape.metadata.get("min", 0)), int(shape.metadata.get("max", 1 << 20))
    if pattern is None or pattern.fullmatch(mark * max(1, least)):
        return mark * max(1, least)
    tree = re._parser.parse(pattern.pattern)
    for more in _LENGTHS:
        found = _sample(tree, mark, more)
        if least <= len(found) <= most and pattern.fullmatch(found):
            return found
    raise AssertionError(f"no text for {shape.name}: {pattern.pattern}")


def matches(shape, value):
    """Whether a text is one of its values."""
    pattern = compiled(shape.metadata["pattern"]) if "pattern" in shape.metadata else None
    return not shape.enum and (pattern is None or pattern.fullmatch(value) is not None)


def _sample(tree, mark, more):
    """What a pattern matches, with so many repetitions more than it must have."""
    return "".join(_part(str(op), argument, mark, more) for op, argument in tree)


def _part(op, argument, mark, more):
    if op == "LITERAL":
        return chr(argument)
    if op in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, most, inner = argument
        return "".join(_sample(inner, mark, more) for _ in range(min(int(most), int(least) + more)))
    if op == "SUBPATTERN":
        return _sample(argument[-1], mark, more)
    if op == "BRANCH":
        return _sample(argument[1][0], mark, more)
    if op == "IN":
        return _of_class(argument, mark)
    return "" if op in ("AT", "ASSERT", "ASSERT_NOT") else mark


def _of_class(items, mark):
    expression = [_ranges(str(op), argument) for op, argument in items]
    wanted = next((char for char in (mark, "1", "A", "-", "/") if any(char in each for each in expression)), "")
    return wanted or next(iter(next(each for each in expression if each)))


def _ranges(op, argument):
    if op == "LITERAL":
        return chr(argument)
    if op == "RANGE":
        return "".join(map(chr, range(argument[0], min(argument[1], 0x7F) + 1)))
    return {"CATEGORY_DIGIT": "0123456789", "CATEGORY_SPACE": " "}.get(str(argument), "ab1")
