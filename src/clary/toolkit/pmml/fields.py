"""Fields as the dictionary declares them, and how a model takes their values
(https://dmg.org/pmml/v4-4-1/DataDictionary.html, …/MiningSchema.html)."""

from __future__ import annotations

from typing import Any, Callable, Dict, FrozenSet, List, NamedTuple, Optional, Tuple

import numpy as np

from clary.toolkit.pmml.columns import (
    STRING,
    Column,
    Columns,
    Unanswerable,
    cast,
    constant,
    constant_of,
    kind_of,
    read,
)
from clary.toolkit.pmml.reading import Element, Invalid, number

Array = Any
TARGETS = ("target", "predicted")
_ACTIVE = "active"
_INFINITE = float("inf")


class Field(NamedTuple):
    """A DataField."""

    name: str
    kind: str
    valid: FrozenSet[Any]
    """Empty: all."""
    refused: FrozenSet[Any]
    gone: FrozenSet[Any]
    """Values that stand for a missing one."""
    intervals: Tuple[Callable[[Array], Array], ...]

    def invalid(self, column: Column) -> Array:
        """Which rows hold a value that the dictionary does not allow."""
        allowed = np.ones(len(column.missing), bool)
        if self.valid:
            allowed = np.isin(column.values, list(self.valid))
        if self.intervals:
            within = np.any([each(column.values) for each in self.intervals], axis=0)
            allowed = within | (allowed if self.valid else False)
        if self.refused:
            allowed &= ~np.isin(column.values, list(self.refused))
        return ~allowed & ~column.missing


class Taken(NamedTuple):
    """A MiningField that is asked for."""

    field: Field
    replacement: Any
    """Of a missing value; None: it stays missing."""
    invalid: str
    """What becomes of an invalid value."""
    invalid_value: Any
    outliers: str
    low: float
    high: float

    @property
    def plain(self) -> bool:
        """Whether values are taken as they are."""
        field = self.field
        declared = field.valid or field.refused or field.gone or field.intervals
        return not declared and self.replacement is None and self.outliers == "asIs"


def dictionary(root: Element) -> Dict[str, Field]:
    """The fields by their names, in their order. Raises Invalid."""
    found: Dict[str, Field] = {}
    for element in root.only("DataDictionary").all("DataField"):
        name = element.need("name")
        if name in found:
            raise Invalid(f"the field {name[:60]!r} is declared twice")
        found[name] = _field(element, name)
    return found


def _field(element: Element, name: str) -> Field:
    what = f"DataField {name[:60]!r}"
    kind = kind_of(element.need("dataType"), what)
    values: Dict[str, List[Any]] = {"valid": [], "invalid": [], "missing": []}
    for value in element.all("Value"):
        told = value.get("property", "valid")
        if told not in values:
            raise Invalid(f"{what}: a value is {told[:40]!r}")
        values[told].append(constant_of(value.need("value"), kind, what))
    intervals = tuple(interval(each) for each in element.all("Interval"))
    valid, refused, gone = (frozenset(values[told]) for told in ("valid", "invalid", "missing"))
    return Field(name, kind, valid, refused, gone, intervals)


def interval(element: Element) -> Callable[[Array], Array]:
    """Whether values lie between two margins. Raises Invalid."""
    low, high = element.number("leftMargin", -_INFINITE), element.number("rightMargin", _INFINITE)
    closure = element.need("closure")
    open_left, open_right = closure.startswith("open"), closure.lower().endswith("open")

    def within(values: Array) -> Array:
        above = values > low if open_left else values >= low
        return above & (values < high if open_right else values <= high)

    return within


def schema(model: Element) -> Tuple[List[Element], Optional[str]]:
    """The MiningFields that are asked for, and the target's name. Raises Invalid."""
    active: List[Element] = []
    target = None
    for element in model.only("MiningSchema").all("MiningField"):
        usage = element.get("usageType", _ACTIVE)
        if usage == _ACTIVE:
            active.append(element)
        elif usage in TARGETS:
            target = element.need("name")
    return active, target


def taken(element: Element, field: Field) -> Taken:
    """Raises Invalid."""
    what = f"MiningField {field.name[:60]!r}"
    replacement, instead = element.attributes.get("missingValueReplacement"), None
    if replacement is not None:
        instead = constant_of(replacement, field.kind, what)
    invalid = element.get("invalidValueTreatment", "returnInvalid")
    if invalid not in ("returnInvalid", "asIs", "asMissing", "asValue"):
        raise Invalid(f"{what}: the invalidValueTreatment {invalid[:40]!r} is not known")
    value = constant_of(element.need("invalidValueReplacement"), field.kind, what) if invalid == "asValue" else None
    outliers = element.get("outliers", "asIs")
    if outliers not in ("asIs", "asMissingValues", "asExtremeValues") or (field.kind == STRING and outliers != "asIs"):
        raise Invalid(f"{what}: the outliers {outliers[:40]!r} are not known")
    low, high = (
        number(element.get(name, default), what) for name, default in (("lowValue", "-inf"), ("highValue", "inf"))
    )
    if element.get("missingValueTreatment") == "returnInvalid":
        raise Invalid(f"{what}: the missingValueTreatment returnInvalid is not offered")
    return Taken(field, instead, invalid, value, outliers, low, high)


def given(how: Taken, columns: Columns) -> Column:
    """A field's values as the model takes them. Raises Unanswerable for what it may not be asked with."""
    column = cast(columns[how.field.name], how.field.kind)
    if how.plain:
        return column
    if how.field.gone:
        column = column._replace(missing=column.missing | np.isin(column.values, list(how.field.gone)))
    column = _outliers(how, _valid(how, column))
    return column if how.replacement is None else _filled(column, column.missing, how.replacement)


def _valid(how: Taken, column: Column) -> Column:
    invalid = how.field.invalid(column)
    if how.invalid == "asIs" or not invalid.any():
        return column
    if how.invalid == "asMissing":
        return column._replace(missing=column.missing | invalid)
    if how.invalid == "asValue":
        return _filled(column, invalid, how.invalid_value)
    value = column.values[int(np.argmax(invalid))]
    raise Unanswerable(f"{how.field.name} may not be {str(value)[:60]}")


def _outliers(how: Taken, column: Column) -> Column:
    if how.outliers == "asIs":
        return column
    if how.outliers == "asExtremeValues":
        return column._replace(values=np.clip(column.values, how.low, how.high))
    outside = (column.values < how.low) | (column.values > how.high)
    return column._replace(missing=column.missing | outside)


def _filled(column: Column, rows: Array, value: Any) -> Column:  # noqa: ANN401 - a string, or a number
    whole = constant(value, column.kind, len(rows))
    return Column(column.kind, np.where(rows, whole.values, column.values), column.missing & ~rows)


def asked(field: Field, values: List[Any]) -> Column:
    """A request's values for a field. Raises Unanswerable."""
    return read(values, field.kind, field.name)
