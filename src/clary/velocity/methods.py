"""What may be called on a value: the methods of Java's String, List and Map that templates use, and no others. A
template reaches nothing of Python: names are looked up in these tables only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from clary.velocity.limits import Budget, TemplateError
from clary.velocity.patterns import Found, compiled
from clary.velocity.text import as_text

Value = Any
Method = Callable[..., Value]


def call(value: Value, name: str, arguments: list[Value], budget: Budget) -> Value:
    """The method's result. Raises TemplateError where the value has no such method, or not with these arguments."""
    budget.spend()
    methods = _methods_of(value)
    found = methods.get((name, len(arguments)))
    if found is None:
        raise TemplateError(f"{_type_name(value)} has no method {name} of {len(arguments)} arguments")
    try:
        return found(budget, value, *arguments)
    except (TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise TemplateError(f"{_type_name(value)}.{name}: {error}") from None


def member(value: Value, name: str) -> Value:
    """`$value.name`: an entry of a map, or what a getter would give. None where there is nothing."""
    if isinstance(value, dict) and name in value:
        return value[name]
    return not value if name == "empty" and isinstance(value, dict | list | str) else None


def index(value: Value, key: Value) -> Value:
    """`$value[key]`. None where there is nothing."""
    if isinstance(value, dict):
        return value.get(key if isinstance(key, str) else str(key))
    if isinstance(value, list) and type(key) is int and -len(value) <= key < len(value):
        return value[key]
    return None


def put(value: Value, key: Value, item: Value) -> None:
    """`#set($value[key] = item)`. Raises TemplateError where that cannot be."""
    if isinstance(value, dict):
        value[key if isinstance(key, str) else str(key)] = item
    elif isinstance(value, list) and type(key) is int and 0 <= key < len(value):
        value[key] = item
    else:
        raise TemplateError(f"nothing can be set in {_type_name(value)} at {key!r}")


def equal(left: Value, right: Value, budget: Budget, depth: int = 0) -> bool:
    """`==`: numbers by value, values of different kinds by their text (Velocity 1.7)."""
    budget.spend()
    budget.deeper(depth)
    if left is None or right is None:
        return left is right
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right or as_text(left, budget) == as_text(right, budget)
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left == right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[k], right[k], budget, depth + 1) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        pairs = zip(left, right, strict=False)
        return len(left) == len(right) and all(equal(a, b, budget, depth + 1) for a, b in pairs)
    return as_text(left, budget) == as_text(right, budget)


def _type_name(value: Value) -> str:
    if value is None:
        return "null"
    names = {dict: "a map", list: "a list", str: "a string", bool: "a truth value"}
    return names.get(type(value), "a number")


def _methods_of(value: Value) -> Mapping[tuple[str, int], Method]:
    if isinstance(value, str):
        return _STRING
    if isinstance(value, list | dict):
        return _LIST if isinstance(value, list) else _MAP
    return _ANY if value is None or isinstance(value, bool) else _NUMBER


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise TypeError("a string is wanted")
    return value


def _whole(value: Value) -> int:
    if type(value) is not int:
        raise TypeError("a whole number is wanted")
    return value


def _within(value: str, begin: int, end: int) -> str:
    if not 0 <= begin <= end <= len(value):
        raise IndexError(f"from {begin} to {end} of {len(value)} characters")
    return value[begin:end]


def _replace(budget: Budget, value: str, old: Value, new: Value) -> str:
    found, fresh = _text(old), _text(new)
    budget.room_for(len(value) + value.count(found) * (len(fresh) - len(found)))
    return budget.sized(value.replace(found, fresh))


def _replace_matches(budget: Budget, value: str, pattern: Value, new: Value, most: int | None = None) -> str:
    template = _text(new)
    parts: list[str] = []
    place = length = 0
    for count, found in enumerate(compiled(_text(pattern)).finditer(value, budget)):
        if most is not None and count >= most:
            break
        begin, end = found.span
        parts += (value[place:begin], _substituted(template, value, found))
        length += len(parts[-1]) + len(parts[-2])
        budget.room_for(length)
        place = end
    return budget.sized("".join([*parts, value[place:]]))


def _substituted(template: str, value: str, found: Found) -> str:
    """Matcher.appendReplacement: `$1` is a group, a backslash makes the next character itself."""
    if "$" not in template and "\\" not in template:
        return template
    out: list[str] = []
    characters: Iterator[str] = iter(template)
    for char in characters:
        if char == "\\":
            out.append(next(characters, ""))
        elif char == "$":
            number = next(characters, "")
            if not number.isdecimal() or int(number) >= len(found.groups):
                raise TemplateError(f"no group ${number}")
            span = found.groups[int(number)]
            out.append(value[span[0] : span[1]] if span else "")
        else:
            out.append(char)
    return "".join(out)


def _split(budget: Budget, value: str, pattern: Value, most: Value = 0) -> list[str]:
    """String.split: empty texts at the end are left out, unless a limit says otherwise."""
    limit = _whole(most)
    parts: list[str] = []
    place = 0
    for found in compiled(_text(pattern)).finditer(value, budget):
        begin, end = found.span
        if 0 < limit <= len(parts) + 1:
            break
        if end > 0 and (end > begin or begin < len(value)):
            parts.append(value[place:begin])
            place = end
    parts.append(value[place:])
    while limit == 0 and len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts


def _has_match(budget: Budget, value: str, pattern: Value) -> bool:
    return compiled(_text(pattern)).matches(value, budget)


def _compare(left: str, right: str) -> int:
    return (left > right) - (left < right)


def _concat(budget: Budget, value: str, more: Value) -> str:
    budget.room_for(len(value) + len(_text(more)))
    return budget.sized(value + more)


def _number(value: str) -> Value:
    return int(value) if value.strip().lstrip("+-").isdecimal() and len(value) < 20 else float(value)


_ANY: Mapping[tuple[str, int], Method] = {
    ("toString", 0): lambda budget, value: as_text(value, budget),
    ("equals", 1): lambda budget, value, other: type(value) is type(other) and equal(value, other, budget),
}

_STRING: Mapping[tuple[str, int], Method] = {
    **_ANY,
    ("length", 0): lambda _, value: len(value),
    ("isEmpty", 0): lambda _, value: not value,
    ("equalsIgnoreCase", 1): lambda _, value, other: isinstance(other, str) and value.lower() == other.lower(),
    ("toLowerCase", 0): lambda budget, value: budget.sized(value.lower()),
    ("toUpperCase", 0): lambda budget, value: budget.sized(value.upper()),
    ("trim", 0): lambda _, value: value.strip("".join(map(chr, range(33)))),
    ("concat", 1): _concat,
    ("contains", 1): lambda _, value, other: _text(other) in value,
    ("startsWith", 1): lambda _, value, other: value.startswith(_text(other)),
    ("endsWith", 1): lambda _, value, other: value.endswith(_text(other)),
    ("indexOf", 1): lambda _, value, other: value.find(_text(other)),
    ("indexOf", 2): lambda _, value, other, start: value.find(_text(other), max(0, _whole(start))),
    ("lastIndexOf", 1): lambda _, value, other: value.rfind(_text(other)),
    ("charAt", 1): lambda _, value, at: _within(value, _whole(at), _whole(at) + 1),
    ("substring", 1): lambda _, value, begin: _within(value, _whole(begin), len(value)),
    ("substring", 2): lambda _, value, begin, end: _within(value, _whole(begin), _whole(end)),
    ("compareTo", 1): lambda _, value, other: _compare(value, _text(other)),
    ("replace", 2): _replace,
    ("replaceAll", 2): _replace_matches,
    ("replaceFirst", 2): lambda budget, value, old, new: _replace_matches(budget, value, old, new, 1),
    ("matches", 1): _has_match,
    ("split", 1): _split,
    ("split", 2): _split,
    # Integer.parseInt and its kin, as `$integer.parseInt("7")`: any value may stand before the point
    ("parseInt", 1): lambda _, value, text: int(_text(text)) if len(text) < 20 else _number(text),
    ("valueOf", 1): lambda budget, _, other: as_text(other, budget),
}


def _sublist(budget: Budget, value: list[Value], begin: Value, end: Value) -> list[Value]:
    if not 0 <= _whole(begin) <= _whole(end) <= len(value):
        raise IndexError(f"from {begin} to {end} of {len(value)} elements")
    budget.spend(end - begin)
    return value[begin:end]


def _get(_: Budget, value: list[Value], at: Value) -> Value:
    if not 0 <= _whole(at) < len(value):
        raise IndexError(f"no element {at} in {len(value)}")
    return value[at]


def _add(_: Budget, value: list[Value], item: Value) -> bool:
    value.append(item)
    return True


def _insert(_: Budget, value: list[Value], at: Value, item: Value) -> None:
    value.insert(_whole(at), item)


def _add_all(budget: Budget, value: list[Value], items: Value) -> bool:
    if not isinstance(items, list):
        raise TypeError("a list is wanted")
    budget.spend(len(items))
    value.extend(list(items))
    return bool(items)


def _set_at(_: Budget, value: list[Value], at: Value, item: Value) -> Value:
    before = _get(_, value, at)
    value[at] = item
    return before


def _remove_at(budget: Budget, value: list[Value], at: Value) -> Value:
    budget.spend(1 + len(value) // 64)
    if type(at) is int:
        _get(budget, value, at)
        return value.pop(at)
    place = _place_of(budget, value, at)
    if place >= 0:
        value.pop(place)
    return place >= 0


def _place_of(budget: Budget, value: list[Value], item: Value) -> int:
    return next((place for place, each in enumerate(value) if equal(each, item, budget)), -1)


_LIST: Mapping[tuple[str, int], Method] = {
    **_ANY,
    ("size", 0): lambda _, value: len(value),
    ("isEmpty", 0): lambda _, value: not value,
    ("get", 1): _get,
    ("set", 2): _set_at,
    ("add", 1): _add,
    ("add", 2): _insert,
    ("addAll", 1): _add_all,
    ("remove", 1): _remove_at,
    ("contains", 1): lambda budget, value, item: _place_of(budget, value, item) >= 0,
    ("indexOf", 1): _place_of,
    ("subList", 2): _sublist,
    ("clear", 0): lambda _, value: value.clear(),
}


def _entries(budget: Budget, value: dict[str, Value]) -> list[dict[str, Value]]:
    budget.spend(len(value))
    return [{"key": key, "value": item} for key, item in value.items()]


def _keys(budget: Budget, value: dict[str, Value]) -> list[str]:
    budget.spend(len(value))
    return list(value)


def _values(budget: Budget, value: dict[str, Value]) -> list[Value]:
    budget.spend(len(value))
    return list(value.values())


def _put(_: Budget, value: dict[str, Value], key: Value, item: Value) -> Value:
    before = index(value, key)
    put(value, key, item)
    return before


def _put_all(budget: Budget, value: dict[str, Value], items: Value) -> None:
    if not isinstance(items, dict):
        raise TypeError("a map is wanted")
    budget.spend(len(items))
    value.update(items)


def _get_or(_: Budget, value: dict[str, Value], key: Value, other: Value) -> Value:
    found = index(value, key)
    return other if found is None else found


_MAP: Mapping[tuple[str, int], Method] = {
    **_ANY,
    ("size", 0): lambda _, value: len(value),
    ("isEmpty", 0): lambda _, value: not value,
    ("get", 1): lambda _, value, key: index(value, key),
    ("getOrDefault", 2): _get_or,
    ("put", 2): _put,
    ("putAll", 1): _put_all,
    ("remove", 1): lambda _, value, key: value.pop(key if isinstance(key, str) else str(key), None),
    ("containsKey", 1): lambda _, value, key: isinstance(key, str) and key in value,
    ("containsValue", 1): lambda budget, value, item: _place_of(budget, list(value.values()), item) >= 0,
    ("keySet", 0): _keys,
    ("values", 0): _values,
    ("entrySet", 0): _entries,
    # of an entry of entrySet()
    ("getKey", 0): lambda _, value: value.get("key"),
    ("getValue", 0): lambda _, value: value.get("value"),
}

_NUMBER: Mapping[tuple[str, int], Method] = {
    **_ANY,
    ("intValue", 0): lambda _, value: int(value),
    ("longValue", 0): lambda _, value: int(value),
    ("doubleValue", 0): lambda _, value: float(value),
    ("floatValue", 0): lambda _, value: float(value),
    ("compareTo", 1): lambda _, value, other: (value > other) - (value < other),
    ("parseInt", 1): lambda _, value, text: int(_text(text)) if len(text) < 20 else _number(text),
    ("valueOf", 1): lambda _, value, text: _number(_text(text)),
    ("parseDouble", 1): lambda _, value, text: float(_text(text)),
}
