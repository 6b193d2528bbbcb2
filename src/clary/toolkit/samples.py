"""Rows to try a scikit-learn model on, drawn from what it knows of its features: thresholds, means, vectors.

No row that anybody sent is looked at, and none that it was trained with.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Tuple

import numpy as np

_SEED = 20
_SPREAD = 3.0
"""Standard deviations around a mean; also the range of a feature of which nothing is known."""
_MOST_VALUES = 512
"""Kept of one feature."""
_DEPTH = 8
_KEEP_SPACE = ("SimpleImputer", "FunctionTransformer", "VarianceThreshold")
"""Steps of a pipeline behind which features still are, more or less, what they were before."""

Array = Any
Model = Any
Values = Dict[int, List[float]]
"""Of each feature, values that matter to the model."""


def of(model: Model, count: int) -> Array:
    """A table of float32 (count, features): one half within the ranges, the other on the very values and beside them.

    Raises AttributeError for a model that does not know how many features it has.
    """
    features = int(model.n_features_in_)
    return drawn(_values(model, features), features, count)


def drawn(values: Values, features: int, count: int) -> Array:
    """A table of float32 (count, features) around the values that matter, as `of`."""
    random = np.random.RandomState(_SEED)
    columns = [_column(np.asarray(values.get(place, ())), count, random) for place in range(features)]
    return np.stack(columns, axis=1)


def _column(values: Array, count: int, random: Any) -> Array:  # noqa: ANN401 - old numpy has no types
    finite = np.unique(values[np.isfinite(values)].astype(np.float32))
    if not len(finite):
        finite = np.asarray([-_SPREAD, 0.0, _SPREAD], np.float32)
    low, high = float(finite[0]), float(finite[-1])
    margin = (high - low) * 0.1 or abs(low) * 0.5 or 1.0
    within = random.uniform(low - margin, high + margin, count).astype(np.float32)
    exact = random.choice(finite, count)
    beside = np.nextafter(exact, random.choice(np.asarray([-np.inf, np.inf], np.float32), count))
    chosen = random.uniform(size=count)
    return np.where(chosen < 0.5, within, np.where(chosen < 0.75, exact, beside))


def _values(model: Model, features: int) -> Values:
    found: Values = {}
    for part in _parts(model, features, _DEPTH):
        for place, value in _told_by(part, features):
            known = found.setdefault(place, [])
            if len(known) < _MOST_VALUES:
                known.append(value)
    return found


def _parts(model: Model, features: int, depth: int) -> Iterator[Model]:
    """The model and those of its parts that see the features as they are given."""
    if depth == 0:
        return
    if isinstance(model, (list, tuple, np.ndarray)):
        for each in model:
            yield from _parts(each, features, depth - 1)
        return
    if not hasattr(model, "get_params"):
        return
    yield model
    for part in _below(model):
        if getattr(part, "n_features_in_", features) == features:
            yield from _parts(part, features, depth - 1)


def _below(model: Model) -> Iterator[Model]:
    if hasattr(model, "steps"):
        for _, step in model.steps:
            yield step
            if type(step).__name__ not in _KEEP_SPACE:
                return
        return
    for name in ("best_estimator_", "estimator_", "estimators_", "calibrated_classifiers_", "estimator"):
        part = vars(model).get(name)
        if part is not None:
            yield part if not isinstance(part, np.ndarray) or part.dtype == object else []


def _told_by(part: Model, features: int) -> Iterator[Tuple[int, float]]:
    tree = getattr(part, "tree_", None)
    if tree is not None:
        inner = tree.feature >= 0
        yield from zip(tree.feature[inner].tolist(), tree.threshold[inner].tolist())  # noqa: B905 - Python 3.8
    known = vars(part)
    centre, spread = _first(known, "mean_", "center_"), known.get("scale_")
    if centre is not None and spread is not None and np.shape(centre) == (features,):
        for sign in (-_SPREAD, 0.0, _SPREAD):
            yield from enumerate((centre + sign * np.asarray(spread)).tolist())
    for name in ("statistics_", "data_min_", "data_max_", "support_vectors_", "cluster_centers_", "theta_", "_fit_X"):
        table = known.get(name)
        if isinstance(table, np.ndarray) and table.dtype.kind in "fi" and table.shape[-1:] == (features,):
            for row in np.atleast_2d(table)[:_MOST_VALUES]:
                yield from enumerate(row.tolist())


def _first(known: Mapping[str, Any], *names: str) -> Any:  # noqa: ANN401 - an array, or None
    return next((known[name] for name in names if known.get(name) is not None), None)
