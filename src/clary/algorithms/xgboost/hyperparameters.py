"""XGBoost's hyperparameters, as documented and as AWS's container checks them
(https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost_hyperparameters.html)."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence

from clary.algorithms.xgboost.names import MAXIMIZED, MINIMIZED
from clary.algorithms.xgboost.ranges import (
    Checked,
    Choices,
    Continuous,
    Integer,
    Interval,
    Kind,
    NestedList,
    Tuple,
    Value,
    Word,
    Words,
)
from clary.toolkit.errors import UserError

_THRESHOLD_METRICS = ("error", "ndcg", "map")
_UPDATERS = (
    *("grow_colmaker", "distcol", "grow_histmaker", "grow_skmaker", "grow_quantile_histmaker"),
    *("sync", "refresh", "prune"),
)
_GROWERS = ("grow_colmaker", "distcol", "grow_histmaker", "grow_quantile_histmaker")
_LINEAR_UPDATERS = ("shotgun", "coord_descent")
_OBJECTIVES = (
    *("aft_loss_distribution", "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson"),
    *("multi:softmax", "multi:softprob", "rank:pairwise", "rank:ndcg", "rank:map", "reg:linear"),
    *("reg:squarederror", "reg:logistic", "reg:gamma", "reg:pseudohubererror", "reg:squaredlogerror"),
    *("reg:absoluteerror", "reg:tweedie", "survival:aft", "survival:cox"),
)
_YES_NO = Choices(("true", "false"))


def _metric_known(metric: str) -> bool:
    if "<function" in metric:
        raise UserError(f"User defined evaluation metric {metric} is not supported yet.")
    if "@" not in metric:
        return metric in MAXIMIZED or metric in MINIMIZED
    name, _, threshold = (part.strip() for part in metric.partition("@"))
    if name not in _THRESHOLD_METRICS:
        raise UserError(
            f"Metric '{metric}' is not supported. Parameter 'eval_metric' with customized threshold should "
            "be one of these options: 'error', 'ndcg', 'map'."
        )
    try:
        float(threshold)
    except ValueError:
        raise UserError(f"Threshold value 't' in '{name}@t' expects float input.") from None
    return True


def _metric_fits(value: Value, others: Mapping[str, Value]) -> None:
    objective = others.get("objective", "")
    if "auc" in value and not objective.startswith(("binary:", "rank:")):
        raise UserError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "aft-nloglik" in value and objective != "survival:aft":
        raise UserError("Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.")


def _objective_fits(value: Value, others: Mapping[str, Value]) -> None:
    if value in ("multi:softmax", "multi:softprob") and others.get("num_class") is None:
        raise UserError("Require input for parameter 'num_class' for multi-classification")


def _updater_fits(value: Value, others: Mapping[str, Value]) -> None:
    if others.get("booster") == "gblinear":
        if len(value) != 1 or value[0] not in _LINEAR_UPDATERS:
            raise UserError("Linear updater should be one of these options: 'shotgun', 'coord_descent'.")
    elif others.get("process_type") == "update":
        if not all(word in ("refresh", "prune") for word in value):
            raise UserError("process_type 'update' can only be used with updater 'refresh' and 'prune'")
    elif not all(word in _UPDATERS for word in value):
        raise UserError(
            "Tree updater should be selected from these options: 'grow_colmaker', 'distcol', 'grow_histmaker', "
            "'grow_skmaker', 'grow_quantile_histmaker', 'sync', 'refresh', 'prune', "
            "'shortgun', 'coord_descent'."
        )
    elif sum(word in _GROWERS for word in value) > 1:
        raise UserError(
            "Only one tree grow plugin can be selected. Choose one from the"
            "following: 'grow_colmaker', 'distcol', 'grow_histmaker', "
            "'grow_skmaker'"
        )


def _monotone_fits(_value: Value, others: Mapping[str, Value]) -> None:
    if others.get("tree_method") not in ("exact", "hist"):
        raise UserError(
            "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'."
        )


def _interaction_fits(_value: Value, others: Mapping[str, Value]) -> None:
    if others.get("tree_method") not in ("exact", "hist", "approx"):
        raise UserError(
            "interaction_constraints can be used only when the tree_method parameter is set to "
            "either 'exact', 'hist' or 'approx'."
        )


_UNIT = Interval(least=0, most=1)
_SHARE = Interval(above=0, most=1)
_POSITIVE = Interval(least=0)
_SWITCH = Interval(least=0, most=1)

_TUNING_METRICS = Choices(tuple(f"validation:{name}" for name in (*MAXIMIZED, *MINIMIZED)))

_ALL: Sequence[Kind] = (
    Integer("num_round", Interval(least=1), needed=True),
    Integer("csv_weights", _SWITCH),
    Integer("early_stopping_rounds", Interval(least=1)),
    Word("booster", Choices(("gbtree", "gblinear", "dart"))),
    Integer("verbosity", Interval(least=0, most=3)),
    Integer("silent", _SWITCH),
    Integer("nthread", Interval(least=1)),
    Continuous("eta", _UNIT),
    Continuous("gamma", _POSITIVE),
    Integer("max_depth", _POSITIVE),
    Continuous("min_child_weight", _POSITIVE),
    Continuous("max_delta_step", _POSITIVE),
    Continuous("subsample", _SHARE),
    Continuous("colsample_bytree", _SHARE),
    Continuous("colsample_bylevel", _SHARE),
    Continuous("colsample_bynode", _SHARE),
    Continuous("lambda", _POSITIVE),
    Continuous("alpha", _POSITIVE),
    Word("tree_method", Choices(("auto", "exact", "approx", "hist", "gpu_hist"))),
    Continuous("sketch_eps", Interval(above=0, below=1)),
    Continuous("scale_pos_weight", Interval(above=0)),
    Words(
        "updater",
        Choices((*_UPDATERS, *_LINEAR_UPDATERS)),
        needs=("booster", "process_type"),
        depends=_updater_fits,
    ),
    Word("dsplit", Choices(("row", "col"))),
    Integer("refresh_leaf", _SWITCH),
    Word("process_type", Choices(("default", "update"))),
    Word("grow_policy", Choices(("depthwise", "lossguide"))),
    Integer("max_leaves", _POSITIVE),
    Integer("max_bin", _POSITIVE),
    Word("predictor", Choices(("auto", "cpu_predictor", "gpu_predictor"))),
    Tuple("monotone_constraints", Choices((-1, 0, 1)), needs=("tree_method",), depends=_monotone_fits),
    NestedList("interaction_constraints", Interval(least=1), needs=("tree_method",), depends=_interaction_fits),
    Word("sample_type", Choices(("uniform", "weighted"))),
    Word("normalize_type", Choices(("tree", "forest"))),
    Continuous("rate_drop", _UNIT),
    Integer("one_drop", _SWITCH),
    Continuous("skip_drop", _UNIT),
    Continuous("lambda_bias", _UNIT),
    Continuous("tweedie_variance_power", Interval(above=1, below=2)),
    Word("objective", Choices(_OBJECTIVES), needs=("num_class",), depends=_objective_fits),
    Integer("num_class", Interval(least=2)),
    Continuous("base_score", _POSITIVE),
    Integer("_kfold", Interval(least=2)),
    Integer("_num_cv_round", Interval(least=1)),
    Word("_tuning_objective_metric", _TUNING_METRICS),
    Words("eval_metric", Checked((*MAXIMIZED, *MINIMIZED), _metric_known), needs=("objective",), depends=_metric_fits),
    Integer("seed", Interval(above=-(2**31), below=2**31 - 1)),
    Integer("num_parallel_tree", Interval(least=1)),
    Word("save_model_on_termination", _YES_NO),
    Word("aft_loss_distribution", Choices(("normal", "logistic", "extreme"))),
    Continuous("aft_loss_distribution_scale", _POSITIVE),
    Word("deterministic_histogram", _YES_NO),
    Word("sampling_method", Choices(("uniform", "gradient_based"))),
    Integer("prob_buffer_row", Interval(above=1.0)),
    Word("use_dask_gpu_training", _YES_NO),
)
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}
_ALIASES = {"learning_rate": "eta", "min_split_loss": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha"}
_IGNORED = frozenset({"silent"})
"""Documented for the first versions, without effect."""


def validate(given: Mapping[str, str]) -> Dict[str, Any]:
    """Hyperparameters as CreateTrainingJob has them → parsed and checked, aliases resolved.

    Raises UserError in AWS's words: a required one is missing, an unknown one is there, a value cannot be parsed, lies
    outside of its range, or does not go together with another.
    """
    named = {_ALIASES.get(name, name): value for name, value in given.items()}
    for kind in _ALL:
        if kind.needed and kind.name not in named:
            raise UserError(f"Missing required hyperparameter: {kind.name}")
    values = {name: _parsed(name, value) for name, value in named.items()}
    for name, value in values.items():
        KINDS[name].check(value)
    for name in _independent_first(list(values)):
        kind = KINDS[name]
        if kind.depends is not None:
            kind.depends(values[name], {other: values[other] for other in kind.needs if other in values})
    return {name: value for name, value in values.items() if name not in _IGNORED}


def _parsed(name: str, value: str) -> Value:
    if name not in KINDS:
        raise UserError(f"Extraneous hyperparameter found: {name}")
    try:
        return KINDS[name].parse(str(value))
    except ValueError:
        raise UserError(f"Hyperparameter {name}: could not parse value (caused by ValueError)") from None


def _independent_first(names: List[str]) -> List[str]:
    return sorted(names, key=lambda name: len(KINDS[name].needs))
