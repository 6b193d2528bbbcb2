"""RegressionModel (https://dmg.org/pmml/v4-4-1/Regression.html): sums of products, for numbers or for labels."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import numpy as np

from clary.toolkit.pmml.columns import STRING, Columns, constant_of, numbers
from clary.toolkit.pmml.reading import Element, Invalid
from clary.toolkit.pmml.scoring import LINKS, Labels, Outcome, Score, Target, check_method, probabilities

Array = Any
Kinds = Dict[str, str]
_Term = Callable[[Columns, int], Array]


class _Table(NamedTuple):
    intercept: float
    terms: Tuple[_Term, ...]

    def margin(self, columns: Columns, count: int) -> Array:
        """NaN where a value is missing."""
        total = np.full(count, self.intercept)
        for term in self.terms:
            total = total + term(columns, count)
        return total


def regression(element: Element, kinds: Kinds, target: Target) -> Score:
    """Raises Invalid."""
    method = element.get("normalizationMethod", "none")
    classifies = element.need("functionName") == "classification"
    check_method(method, classifies=classifies)
    tables = [_table(each, kinds) for each in element.all("RegressionTable")]
    if not classifies:
        if len(tables) != 1:
            raise Invalid(f"RegressionModel has {len(tables)} tables where one is wanted")
        return _of_numbers(tables[0], method)
    texts = [each.need("targetCategory") for each in element.all("RegressionTable")]
    if len(tables) < 2 or len(set(texts)) < len(texts):
        raise Invalid("RegressionModel needs a table for each of two labels, or more")
    return _of_labels(tables, Labels(texts, target.kind), method)


def _of_numbers(table: _Table, method: str) -> Score:
    def score(columns: Columns, count: int) -> Outcome:
        with np.errstate(over="ignore"):
            return Outcome(numbers(LINKS[method](table.margin(columns, count))))

    return score


def _of_labels(tables: List[_Table], labels: Labels, method: str) -> Score:
    def score(columns: Columns, count: int) -> Outcome:
        with np.errstate(over="ignore"):
            table = probabilities([each.margin(columns, count) for each in tables], method)
        return labels.most_probable(table, np.isnan(table).any(axis=1))

    return score


def _table(element: Element, kinds: Kinds) -> _Table:
    terms = [_MAKERS[each.tag](each, kinds) for each in element.all(*_MAKERS)]
    return _Table(element.number("intercept"), tuple(terms))


def _numeric_name(element: Element, name: str, kinds: Kinds) -> str:
    if kinds.get(name, STRING) == STRING:
        raise Invalid(f"{element.tag} names {name[:60]!r}, which is no field of numbers")
    return name


def _numeric(element: Element, kinds: Kinds) -> _Term:
    name = _numeric_name(element, element.need("name"), kinds)
    coefficient, exponent = element.number("coefficient"), element.number("exponent", 1.0)

    def term(columns: Columns, _count: int) -> Array:
        column = columns[name]
        values = column.values if exponent == 1.0 else column.values**exponent
        return np.where(column.missing, np.nan, coefficient * values)

    return term


def _categorical(element: Element, kinds: Kinds) -> _Term:
    """A missing value is none of the categories."""
    name = element.need("name")
    if name not in kinds:
        raise Invalid(f"CategoricalPredictor names {name[:60]!r}, which is no field")
    coefficient = element.number("coefficient")
    wanted = constant_of(element.need("value"), kinds[name], "CategoricalPredictor")

    def term(columns: Columns, _count: int) -> Array:
        column = columns[name]
        return np.where(column.missing, 0.0, coefficient * (column.values == wanted))

    return term


def _product(element: Element, kinds: Kinds) -> _Term:
    names = [_numeric_name(element, each.need("field"), kinds) for each in element.all("FieldRef")]
    coefficient = element.number("coefficient")

    def term(columns: Columns, count: int) -> Array:
        found = np.full(count, coefficient)
        for name in names:
            found = found * np.where(columns[name].missing, np.nan, columns[name].values)
        return found

    return term


_MAKERS: Dict[str, Callable[[Element, Kinds], _Term]] = {
    "NumericPredictor": _numeric,
    "CategoricalPredictor": _categorical,
    "PredictorTerm": _product,
}
