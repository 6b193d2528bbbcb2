"""What scikit-learn's estimators calculate, as formulas."""

from __future__ import annotations

from typing import Any, Callable, List, Mapping, Sequence, Tuple

import numpy as np

from clary.algorithms.neo.compiled import Uncompilable
from clary.algorithms.neo.formulas import (
    LEAF,
    NOWHERE,
    Additive,
    Centres,
    Column,
    Formula,
    Mean,
    Sum,
    Tree,
    Votes,
    Written,
    fields,
)
from clary.algorithms.neo.steps import is_of_library, transformed

Model = Any
Array = Any
Columns = List[Column]


def written(model: Model) -> Written:
    """Raises Uncompilable for a model that is not known."""
    count = int(model.n_features_in_)
    names = [str(each) for each in getattr(model, "feature_names_in_", ())] or [
        f"x{place + 1}" for place in range(count)
    ]
    return Written(_formula(model, fields(count)), names)


def _formula(model: Model, columns: Columns) -> Formula:
    name = type(model).__name__
    maker = _MAKERS.get(name)
    if maker is None or not is_of_library(model):
        raise Uncompilable(f"{name} is not written as PMML or PFA, only {_OFFERED}")
    return maker(model, columns)


def _pipeline(model: Model, columns: Columns) -> Formula:
    for _, step in model.steps[:-1]:
        columns = transformed(step, columns)
    return _formula(model.steps[-1][1], columns)


def _best(model: Model, columns: Columns) -> Formula:
    return _formula(model.best_estimator_, columns)


def _labels(model: Model) -> List[Any]:
    if getattr(model.classes_, "ndim", 0) != 1:
        raise Uncompilable("a model of several targets is not written")
    found: List[Any] = model.classes_.tolist()
    return found


def _weighed(weights: Array, intercept: float, scale: float = 1.0) -> Sum:
    return Sum(float(intercept) * scale, tuple((place, float(each) * scale) for place, each in enumerate(weights)))


def _regression(link: str) -> Callable[[Model, Columns], Formula]:
    def maker(model: Model, columns: Columns) -> Formula:
        weights = np.asarray(model.coef_)
        if weights.ndim == 2 and len(weights) == 1:
            weights = weights[0]
        if weights.ndim != 1:
            raise Uncompilable("a model of several targets is not written")
        intercept = float(np.ravel(model.intercept_)[0])
        return Additive(columns, [_weighed(weights, intercept)], link)

    return maker


def _tweedie(model: Model, columns: Columns) -> Formula:
    identity = model.link == "identity" or (model.link == "auto" and model.power <= 0)
    return _regression("identity" if identity else "exp")(model, columns)


def _margins(model: Model, scale: float = 1.0) -> List[Sum]:
    weights = np.atleast_2d(model.coef_)  # of two labels some releases have one row, others none
    intercepts = np.broadcast_to(np.ravel(model.intercept_), len(weights))
    return [_weighed(*each, scale) for each in zip(weights, intercepts)]  # noqa: B905 - Python 3.8


def _logistic(model: Model, columns: Columns) -> Formula:
    kind = getattr(model, "multi_class", "auto")
    labels = _labels(model)
    if len(labels) == 2:
        return Additive(columns, _margins(model, 2.0 if kind == "multinomial" else 1.0), "softmax", labels)
    ovr = kind == "ovr" or (kind != "multinomial" and model.solver == "liblinear")
    return Additive(columns, _margins(model), "ovr" if ovr else "softmax", labels)


def _decided(model: Model, columns: Columns) -> Formula:
    return Additive(columns, _margins(model), NOWHERE, _labels(model))


def _descended(model: Model, columns: Columns) -> Formula:
    if model.loss in ("log_loss", "log"):
        labels = _labels(model)
        return Additive(columns, _margins(model), "softmax" if len(labels) == 2 else "ovr", labels)
    if hasattr(model, "predict_proba"):
        raise Uncompilable(f"an SGDClassifier's probabilities of the loss {model.loss} are not written")
    return _decided(model, columns)


def _tree(fitted: Any, values: Array) -> Tree:  # noqa: ANN401 - scikit-learn's own
    """`values`: (nodes, numbers)."""
    left = fitted.children_left.tolist()
    missing = getattr(fitted, "missing_go_to_left", None)
    return Tree(
        [LEAF if left[node] < 0 else column for node, column in enumerate(fitted.feature.tolist())],
        fitted.threshold.tolist(),
        left,
        fitted.children_right.tolist(),
        values.tolist(),
        strict=False,
        missing_left=None if missing is None else [bool(each) for each in missing],
    )


def _shares(model: Model) -> Array:
    """Of each node how probable each label is, or its number."""
    if model.n_outputs_ != 1:
        raise Uncompilable("a tree of several targets is not written")
    values = model.tree_.value[:, 0, :]
    return values / values.sum(axis=1, keepdims=True) if hasattr(model, "classes_") else values


def _of_one_tree(model: Model, columns: Columns) -> Formula:
    labels = _labels(model) if hasattr(model, "classes_") else None
    return Votes(columns, [_tree(model.tree_, _shares(model))], labels)


def _forest(model: Model, columns: Columns) -> Formula:
    labels = _labels(model) if hasattr(model, "classes_") else None
    return Votes(columns, [_tree(each.tree_, _shares(each)) for each in model.estimators_], labels)


def _boosted(model: Model, columns: Columns) -> Formula:
    stages = np.asarray(model.estimators_)
    rate = model.learning_rate
    sums = [
        Sum(base, (), tuple(_tree(each.tree_, each.tree_.value[:, 0, :] * rate) for each in stages[:, group]))
        for group, base in enumerate(_initial(model, stages.shape[1]))
    ]
    if not hasattr(model, "classes_"):
        return Additive(columns, sums, "identity")
    if model.loss == "exponential":
        sums = [_twice(each) for each in sums]
    return Additive(columns, sums, "softmax", _labels(model))


def _initial(model: Model, groups: int) -> List[float]:
    """What boosting begins with: one number for all rows."""
    name = type(model.init_).__name__ if not isinstance(model.init_, str) else model.init_
    if name == "zero":
        return [0.0] * groups
    if name not in ("DummyClassifier", "DummyRegressor"):
        raise Uncompilable(f"gradient boosting that begins with a {name} is not written")
    first = model._raw_predict_init(np.zeros((1, model.n_features_in_), np.float32))
    return [float(each) for each in np.ravel(first)]


def _twice(margin: Sum) -> Sum:
    trees = tuple(each._replace(values=[[2 * one for one in value] for value in each.values]) for each in margin.trees)
    return Sum(2 * margin.base, margin.weights, trees)


def _histograms(model: Model, columns: Columns) -> Formula:
    """Its trees stand nowhere in public."""
    if getattr(model, "is_categorical_", None) is not None and np.any(model.is_categorical_):
        raise Uncompilable("histogram boosting of categories is not written")
    stages = model._predictors
    bases = np.ravel(model._baseline_prediction)
    sums = [
        Sum(float(base), (), tuple(_histogram(stage[group].nodes) for stage in stages))
        for group, base in enumerate(bases)
    ]
    if hasattr(model, "classes_"):
        return Additive(columns, sums, "softmax", _labels(model))
    return Additive(columns, sums, "exp" if model.loss in ("poisson", "gamma") else "identity")


def _histogram(nodes: Array) -> Tree:
    leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        np.where(leaf, LEAF, nodes["feature_idx"].astype(int)).tolist(),
        nodes["num_threshold"].tolist(),
        nodes["left"].tolist(),
        nodes["right"].tolist(),
        [[each] for each in nodes["value"].tolist()],
        strict=False,
        missing_left=nodes["missing_go_to_left"].astype(bool).tolist(),
    )


def _nearest(model: Model, columns: Columns) -> Formula:
    return Centres(columns, model.cluster_centers_.tolist())


def _voted(model: Model, columns: Columns) -> Formula:
    if hasattr(model, "classes_") and model.voting != "soft":
        raise Uncompilable("a VotingClassifier whose voting is not soft is not written")
    parts, weights = _present(model)
    formulas = [_formula(part, columns) for part in parts]
    if not hasattr(model, "classes_"):
        return Mean(formulas, weights)
    labels = _labels(model)
    return Mean([_relabelled(each, labels) for each in formulas], weights, labels)


def _present(model: Model) -> Tuple[List[Model], Sequence[float]]:
    """The parts that were not dropped, and their weights."""
    weights = model.weights if model.weights is not None else [1.0] * len(model.estimators)
    kept = [float(each) for each, (_, part) in zip(weights, model.estimators) if not isinstance(part, str)]  # noqa: B905
    return list(model.estimators_), kept


def _relabelled(formula: Any, labels: List[Any]) -> Any:  # noqa: ANN401 - a Formula of labels
    """The parts are trained on the labels' places."""
    if formula.labels is None or len(formula.labels) != len(labels) or getattr(formula, "link", "") == NOWHERE:
        raise Uncompilable("a VotingClassifier of models without probabilities is not written")
    return formula._replace(labels=labels)


_OFFERED = (
    "scikit-learn's own linear models, trees, forests, gradient boosting, k-means, means of them (soft votes), and "
    "pipelines and searches that end in one"
)
_LINEAR = (
    *("ARDRegression", "BayesianRidge", "ElasticNet", "ElasticNetCV", "HuberRegressor", "Lars", "LarsCV", "Lasso"),
    *("LassoCV", "LassoLars", "LassoLarsCV", "LassoLarsIC", "LinearRegression", "LinearSVR"),
    *("OrthogonalMatchingPursuit", "PassiveAggressiveRegressor", "QuantileRegressor", "Ridge", "RidgeCV"),
    *("SGDRegressor", "TheilSenRegressor"),
)
_DECIDED = ("LinearSVC", "PassiveAggressiveClassifier", "Perceptron", "RidgeClassifier", "RidgeClassifierCV")
_MAKERS: Mapping[str, Callable[[Model, Columns], Formula]] = {
    "Pipeline": _pipeline,
    "GridSearchCV": _best,
    "RandomizedSearchCV": _best,
    **{name: _regression("identity") for name in _LINEAR},
    "PoissonRegressor": _regression("exp"),
    "GammaRegressor": _regression("exp"),
    "TweedieRegressor": _tweedie,
    "LogisticRegression": _logistic,
    "LogisticRegressionCV": _logistic,
    **dict.fromkeys(_DECIDED, _decided),
    "SGDClassifier": _descended,
    **{f"{name}{kind}": _of_one_tree for name in ("DecisionTree", "ExtraTree") for kind in ("Classifier", "Regressor")},
    **{f"{name}{kind}": _forest for name in ("RandomForest", "ExtraTrees") for kind in ("Classifier", "Regressor")},
    "GradientBoostingClassifier": _boosted,
    "GradientBoostingRegressor": _boosted,
    "HistGradientBoostingClassifier": _histograms,
    "HistGradientBoostingRegressor": _histograms,
    "KMeans": _nearest,
    "MiniBatchKMeans": _nearest,
    "VotingClassifier": _voted,
    "VotingRegressor": _voted,
}
