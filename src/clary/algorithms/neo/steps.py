"""What scikit-learn's transformers calculate, as columns."""

from __future__ import annotations

import math
from typing import Any, Callable, List, Mapping, Sequence

import numpy as np

from clary.algorithms.neo.compiled import Uncompilable
from clary.algorithms.neo.formulas import Column

Step = Any
Columns = List[Column]
_LIBRARY = "sklearn."


def transformed(step: Step, columns: Columns) -> Columns:
    """Raises Uncompilable for a step that is not known."""
    if step is None or isinstance(step, str):
        return [] if step == "drop" else columns
    name = type(step).__name__
    maker = _MAKERS.get(name)
    if maker is None and hasattr(step, "get_support"):
        maker = _selected
    if maker is None or not is_of_library(step):
        offered = ", ".join(_MAKERS)
        raise Uncompilable(f"the step {name} is not written as PMML or PFA, only {offered} and selections of features")
    return maker(step, columns)


def is_of_library(part: Any) -> bool:  # noqa: ANN401 - an estimator
    """A class of scikit-learn's own, not one that is made of it."""
    return type(part).__module__.startswith(_LIBRARY)


def of(function: str, *arguments: Any) -> Column:  # noqa: ANN401 - columns, and numbers of any type
    """A function of columns and numbers."""
    plain = tuple(each if isinstance(each, Column) else float(each) for each in arguments)
    return Column(function, plain)


def _standard(step: Step, columns: Columns) -> Columns:
    if step.with_mean:
        columns = _each("-", columns, step.mean_)
    return _each("/", columns, step.scale_) if step.with_std else columns


def _each(function: str, columns: Columns, values: Any) -> Columns:  # noqa: ANN401 - numbers, in a list or an array
    return [of(function, column, value) for column, value in zip(columns, values)]  # noqa: B905 - Python 3.8


def _min_max(step: Step, columns: Columns) -> Columns:
    found = _each("+", _each("*", columns, step.scale_), step.min_)
    low, high = step.feature_range
    return [of("max", of("min", column, high), low) for column in found] if step.clip else found


def _max_abs(step: Step, columns: Columns) -> Columns:
    return _each("/", columns, step.scale_)


def _robust(step: Step, columns: Columns) -> Columns:
    if step.with_centering:
        columns = _each("-", columns, step.center_)
    return _each("/", columns, step.scale_) if step.with_scaling else columns


def _imputed(step: Step, columns: Columns) -> Columns:
    values = np.asarray(step.statistics_, float)
    if step.add_indicator or not _is_nan(step.missing_values) or np.isnan(values).any():
        raise Uncompilable(
            "a SimpleImputer that replaces others than NaN, adds columns or takes some away is not written"
        )
    return _each("instead", columns, values)


def _is_nan(value: Any) -> bool:  # noqa: ANN401 - whatever a script has given
    return isinstance(value, float) and math.isnan(value)


def _one_hot(step: Step, columns: Columns) -> Columns:
    if any(each is not None for each in getattr(step, "infrequent_categories_", None) or ()):
        raise Uncompilable("a OneHotEncoder of infrequent categories is not written")
    dropped = step.drop_idx_ if step.drop_idx_ is not None else [None] * len(columns)
    return [
        of("equal", column, category)
        for column, categories, without in zip(columns, _categories(step), dropped)  # noqa: B905 - Python 3.8
        for place, category in enumerate(categories)
        if place != without
    ]


def _categories(step: Step) -> List[List[float]]:
    found = []
    for each in step.categories_:
        values = np.asarray(each)
        if values.dtype.kind not in "fiub" or np.isnan(values.astype(float)).any():
            raise Uncompilable("categories that are no numbers are not written: rows are rows of numbers")
        found.append(values.astype(float).tolist())
    return found


def _ordinal(step: Step, columns: Columns) -> Columns:
    return [
        of("sum", *(of("*", of("equal", column, category), place) for place, category in enumerate(categories)))
        for column, categories in zip(columns, _categories(step))  # noqa: B905 - Python 3.8
    ]


def _binary(step: Step, columns: Columns) -> Columns:
    return [of("above", column, step.threshold) for column in columns]


def _principal(step: Step, columns: Columns) -> Columns:
    mean = step.mean_ if step.mean_ is not None else np.zeros(len(columns))
    found = _mixed(_each("-", columns, mean), step.components_)
    return _each("/", found, np.sqrt(step.explained_variance_)) if step.whiten else found


def _truncated(step: Step, columns: Columns) -> Columns:
    return _mixed(columns, step.components_)


def _mixed(columns: Columns, table: Any) -> Columns:  # noqa: ANN401 - numpy's array
    return [of("sum", *_each("*", columns, weights)) for weights in table]


def _polynomial(step: Step, columns: Columns) -> Columns:
    return [_product(columns, powers) for powers in step.powers_]


def _product(columns: Columns, powers: Sequence[int]) -> Column:
    """The constant 1 is a column to the power of 0."""
    factors = [
        column if power == 1 else of("pow", column, power)
        for column, power in zip(columns, powers)  # noqa: B905 - Python 3.8
        if power
    ]
    found = factors[0] if factors else of("pow", columns[0], 0)
    for factor in factors[1:]:
        found = of("*", found, factor)
    return found


_FUNCTIONS = {np.log: "ln", np.log1p: "ln1p", np.exp: "exp", np.sqrt: "sqrt"}


def _function(step: Step, columns: Columns) -> Columns:
    if step.func is None:
        return columns
    name = _FUNCTIONS.get(step.func) if not step.kw_args else None
    if name is None:
        raise Uncompilable(
            "a FunctionTransformer of another function than numpy's log, log1p, exp, sqrt is not written"
        )
    return [of(name, column) for column in columns]


def _selected(step: Step, columns: Columns) -> Columns:
    return [columns[place] for place in step.get_support(indices=True)]


def _by_columns(step: Step, columns: Columns) -> Columns:
    found: Columns = []
    for name, part, _ in step.transformers_:
        places = step._transformer_to_input_indices.get(name, ())
        found += transformed(part, [columns[place] for place in places]) if len(places) else []
    return found


def _union(step: Step, columns: Columns) -> Columns:
    found: Columns = []
    for name, part in step.transformer_list:
        made = transformed(part, columns)
        weight = (step.transformer_weights or {}).get(name)
        found += made if weight is None else _each("*", made, [weight] * len(made))
    return found


def _pipeline(step: Step, columns: Columns) -> Columns:
    for _, part in step.steps:
        columns = transformed(part, columns)
    return columns


_MAKERS: Mapping[str, Callable[[Step, Columns], Columns]] = {
    "Binarizer": _binary,
    "ColumnTransformer": _by_columns,
    "FeatureUnion": _union,
    "FunctionTransformer": _function,
    "MaxAbsScaler": _max_abs,
    "MinMaxScaler": _min_max,
    "OneHotEncoder": _one_hot,
    "OrdinalEncoder": _ordinal,
    "PCA": _principal,
    "Pipeline": _pipeline,
    "PolynomialFeatures": _polynomial,
    "RobustScaler": _robust,
    "SimpleImputer": _imputed,
    "StandardScaler": _standard,
    "TruncatedSVD": _truncated,
}
