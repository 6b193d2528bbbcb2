"""Values made of other values (https://dmg.org/pmml/v4-4-1/Transformations.html, …/Functions.html)."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Sequence, Set, Tuple

import numpy as np

from clary.toolkit.pmml import columns as values_of
from clary.toolkit.pmml.columns import (
    BOOLEAN,
    DOUBLE,
    STRING,
    Column,
    Columns,
    Unanswerable,
    cast,
    constant_of,
    kind_of,
)
from clary.toolkit.pmml.fields import interval
from clary.toolkit.pmml.functions import FUNCTIONS
from clary.toolkit.pmml.reading import Element, Invalid

Array = Any
Kinds = Mapping[str, str]
TAGS = ("Constant", "FieldRef", "NormContinuous", "NormDiscrete", "Discretize", "MapValues", "Apply")


class Expression(NamedTuple):
    """What it gives, of so many rows."""

    kind: str
    of: Callable[[Columns, int], Column]


def expression(element: Element, kinds: Kinds) -> Expression:
    """Raises Invalid."""
    maker = _MAKERS.get(element.tag)
    if maker is None:
        raise Invalid(f"the expression {element.tag[:40]} is not offered: {', '.join(TAGS)} are")
    return maker(element, kinds)


def of_parent(parent: Element, kinds: Kinds) -> Expression:
    """The one expression of an element. Raises Invalid."""
    found = [child for child in parent.children if child.tag not in ("Value", "ParameterField")]
    if len(found) != 1:
        raise Invalid(f"{parent.tag} {parent.get('name')[:60]!r} has {len(found)} expressions where one is wanted")
    return expression(found[0], kinds)


def _constant(element: Element, _kinds: Kinds) -> Expression:
    text = element.text
    kind = kind_of(element.attributes.get("dataType") or _kind_of_constant(text), "Constant")
    if element.get("missing") == "true":
        return Expression(kind, lambda _columns, count: values_of.nothing(kind, count))
    value = constant_of(text if kind == STRING else text.strip(), kind, "Constant")
    return Expression(kind, lambda _columns, count: values_of.constant(value, kind, count))


def _kind_of_constant(text: str) -> str:
    try:
        float(text)
    except ValueError:
        return STRING
    return DOUBLE


def _known(name: str, element: Element, kinds: Kinds) -> str:
    if name not in kinds:
        raise Invalid(f"{element.tag} names {name[:60]!r}, which is no field")
    return kinds[name]


def _field(element: Element, kinds: Kinds) -> Expression:
    name = element.need("field")
    kind = _known(name, element, kinds)
    instead = element.attributes.get("mapMissingTo")
    if instead is None:
        return Expression(kind, lambda columns, _count: columns[name])
    value = constant_of(instead, kind, "FieldRef: mapMissingTo")
    return Expression(kind, lambda columns, _count: _instead(columns[name], value))


def _instead(column: Column, value: Any) -> Column:  # noqa: ANN401 - a string, or a number
    whole = values_of.constant(value, column.kind, len(column.missing))
    return Column(column.kind, np.where(column.missing, whole.values, column.values), np.zeros_like(column.missing))


def _norm_continuous(element: Element, kinds: Kinds) -> Expression:
    """Straight lines between points; outside of them as `outliers` says."""
    name = element.need("field")
    _known(name, element, kinds)
    points = [(each.number("orig"), each.number("norm")) for each in element.all("LinearNorm")]
    if len(points) < 2 or not bool(np.all(np.diff([origin for origin, _ in points]) > 0)):
        raise Invalid(f"NormContinuous of {name[:60]!r} has no rising points")
    outliers = element.get("outliers", "asIs")
    origins, norms = (np.asarray(each) for each in zip(*points))  # noqa: B905 - Python 3.8
    instead = element.attributes.get("mapMissingTo")
    value = None if instead is None else constant_of(instead, DOUBLE, "NormContinuous: mapMissingTo")

    def of(columns: Columns, _count: int) -> Column:
        column = columns[name]
        found = _on_lines(column.values, origins, norms, outliers == "asIs")
        outside = (column.values < origins[0]) | (column.values > origins[-1])
        missing = column.missing | (outside & (outliers == "asMissingValues"))
        return Column(DOUBLE, found, missing) if value is None else _instead(Column(DOUBLE, found, missing), value)

    return Expression(DOUBLE, of)


def _on_lines(values: Array, origins: Array, norms: Array, beyond: bool) -> Array:
    place = np.clip(np.searchsorted(origins, values) - 1, 0, len(origins) - 2)
    share = (values - origins[place]) / (origins[place + 1] - origins[place])
    return norms[place] + (share if beyond else np.clip(share, 0, 1)) * (norms[place + 1] - norms[place])


def _norm_discrete(element: Element, kinds: Kinds) -> Expression:
    name = element.need("field")
    wanted = constant_of(element.need("value"), _known(name, element, kinds), "NormDiscrete")
    instead = element.attributes.get("mapMissingTo")
    value = None if instead is None else constant_of(instead, DOUBLE, "NormDiscrete: mapMissingTo")

    def of(columns: Columns, _count: int) -> Column:
        column = columns[name]
        found = Column(DOUBLE, (column.values == wanted).astype(float), column.missing)
        return found if value is None else _instead(found, value)

    return Expression(DOUBLE, of)


def _discretize(element: Element, kinds: Kinds) -> Expression:
    name = element.need("field")
    _known(name, element, kinds)
    kind = kind_of(element.get("dataType", STRING), "Discretize")
    bins = [(interval(each.only("Interval")), each.need("binValue")) for each in element.all("DiscretizeBin")]
    found = [(within, constant_of(text, kind, "Discretize")) for within, text in bins]
    gone, otherwise = (
        None if name not in element.attributes else constant_of(element.get(name), kind, f"Discretize: {name}")
        for name in ("mapMissingTo", "defaultValue")
    )

    def of(columns: Columns, count: int) -> Column:
        column = columns[name]
        made = values_of.nothing(kind, count) if otherwise is None else values_of.constant(otherwise, kind, count)
        for within, value in reversed(found):
            made = _where(within(column.values), values_of.constant(value, kind, count), made)
        lost = values_of.nothing(kind, count) if gone is None else values_of.constant(gone, kind, count)
        return _where(column.missing, lost, made)

    return Expression(kind, of)


def _where(rows: Array, one: Column, other: Column) -> Column:
    return Column(one.kind, np.where(rows, one.values, other.values), np.where(rows, one.missing, other.missing))


def _map_values(element: Element, kinds: Kinds) -> Expression:
    """A table: its columns are asked for, one gives the value."""
    pairs = [(each.need("field"), each.need("column")) for each in element.all("FieldColumnPair")]
    names = [(name, _known(name, element, kinds), column) for name, column in pairs]
    kind = kind_of(element.get("dataType", STRING), "MapValues")
    output = element.need("outputColumn")
    table: Dict[Tuple[Any, ...], Any] = {}
    for row in element.only("InlineTable").all("row"):
        cells = {cell.tag: cell.text for cell in row.children}
        if output not in cells or any(column not in cells for _, _, column in names):
            raise Invalid(f"a row of MapValues lacks a cell of {output[:40]} or of its fields")
        key = tuple(constant_of(cells[column], own, "MapValues") for _, own, column in names)
        table.setdefault(key, constant_of(cells[output], kind, "MapValues"))
    gone, otherwise = (
        None if name not in element.attributes else constant_of(element.get(name), kind, f"MapValues: {name}")
        for name in ("mapMissingTo", "defaultValue")
    )

    def of(columns: Columns, _count: int) -> Column:
        asked = [columns[name] for name, _, _ in names]
        missing = np.any([column.missing for column in asked], axis=0)
        keys = zip(*(column.values.tolist() for column in asked))  # noqa: B905 - Python 3.8
        found = [gone if lost else table.get(key, otherwise) for key, lost in zip(keys, missing)]  # noqa: B905
        return values_of.read(found, kind, "MapValues")

    return Expression(kind, of)


def _apply(element: Element, kinds: Kinds) -> Expression:
    name = element.need("function")
    function = FUNCTIONS.get(name)
    if function is None:
        raise Invalid(f"the function {name[:60]!r} is not offered")
    parts = [expression(child, kinds) for child in element.children]
    if not function.least <= len(parts) <= function.most:
        raise Invalid(f"the function {name} is applied to {len(parts)} arguments")
    _check_kinds(name, parts)
    kind = function.kind or parts[1].kind
    gone, otherwise = (
        None if told not in element.attributes else constant_of(element.get(told), kind, f"Apply: {told}")
        for told in ("mapMissingTo", "defaultValue")
    )
    invalid = element.get("invalidValueTreatment", "returnInvalid")

    def of(columns: Columns, count: int) -> Column:
        given = [part.of(columns, count) for part in parts]
        with np.errstate(all="ignore"):
            found = function.apply(given)
        found = _defined(found, name, invalid)
        if gone is not None:
            lost = np.any([column.missing for column in given], axis=0)
            found = _where(lost, values_of.constant(gone, kind, count), found)
        return found if otherwise is None else _instead(found, otherwise)

    return Expression(kind, of)


_OF_ANY = ("equal", "notEqual", "isIn", "isNotIn")


def _check_kinds(name: str, parts: Sequence[Expression]) -> None:
    """Strings are not calculated with. Raises Invalid."""
    kinds = [part.kind for part in parts]
    if name in ("isMissing", "isNotMissing", "lowercase", "uppercase", "trimBlanks", "concat", "substring"):
        return
    alike = kinds[1:] if name == "if" else kinds
    if name in ("if", *_OF_ANY):
        mixed = len({kind == STRING for kind in alike}) > 1
        if mixed or (name == "if" and kinds[0] != BOOLEAN):
            raise Invalid(f"the function {name} is applied to {', '.join(kinds[:6])}")
    elif (STRING in kinds) != (name == "stringLength"):
        raise Invalid(f"the function {name} is applied to {', '.join(kinds[:6])}")


def _defined(column: Column, name: str, treatment: str) -> Column:
    """Raises Unanswerable where a function has no value, such as a root of -1, and the file does not say what then."""
    if column.kind == STRING:
        return column
    undefined = np.isnan(column.values.astype(float)) & ~column.missing
    if undefined.any() and treatment != "asMissing":
        raise Unanswerable(f"the function {name} has no value for what is asked")
    return column._replace(missing=column.missing | undefined)


_MAKERS: Mapping[str, Callable[[Element, Kinds], Expression]] = {
    "Constant": _constant,
    "FieldRef": _field,
    "NormContinuous": _norm_continuous,
    "NormDiscrete": _norm_discrete,
    "Discretize": _discretize,
    "MapValues": _map_values,
    "Apply": _apply,
}


class Derived(NamedTuple):
    """A DerivedField."""

    name: str
    kind: str
    of: Callable[[Columns, int], Column]

    def add(self, columns: Columns, count: int) -> None:
        """Put the values beside those that they are made of. Raises Unanswerable."""
        columns[self.name] = cast(self.of(columns, count), self.kind)


def derived(elements: Sequence[Element], kinds: Dict[str, str]) -> List[Derived]:
    """DerivedFields, each after those that it names; `kinds` learns theirs. Raises Invalid for those that name one
    another in a circle."""
    waiting: Dict[str, Element] = {}
    for element in elements:
        name = element.need("name")
        if name in waiting or name in kinds:
            raise Invalid(f"the field {name[:60]!r} is declared twice")
        waiting[name] = element
    found = []
    for name in _in_order(waiting):
        element = waiting[name]
        kind = kind_of(element.need("dataType"), f"DerivedField {name[:60]!r}")
        made = of_parent(element, kinds)
        kinds[name] = kind
        found.append(Derived(name, kind, made.of))
    return found


def _in_order(waiting: Mapping[str, Element]) -> Iterator[str]:
    """Without calling itself: a chain may be long."""
    named = {name: {each for each in _names(element) if each in waiting} for name, element in waiting.items()}
    users: Dict[str, List[str]] = {name: [] for name in waiting}
    for name, needed in named.items():
        for each in needed:
            users[each].append(name)
    ready = [name for name in reversed(list(waiting)) if not named[name]]
    done = 0
    while ready:
        name = ready.pop()
        done += 1
        yield name
        for user in users[name]:
            named[user].discard(name)
            if not named[user]:
                ready.append(user)
    if done < len(waiting):
        circle = next(name for name, needed in named.items() if needed)
        raise Invalid(f"the DerivedField {circle[:60]!r} is made of itself")


def _names(element: Element) -> Set[str]:
    found, open_ = set(), [element]
    while open_:
        each = open_.pop()
        if "field" in each.attributes:
            found.add(each.attributes["field"])
        open_ += each.children
    return found
