"""Autotune: what a request leaves open is chosen for it
(https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html).

AWS chooses ranges, limits, early stopping, convergence and retries, where the request has none, and does not say how. A
built-in algorithm's hyperparameters get the ranges that its page recommends. Those of a program that are called as the
field calls what is tuned get a range around their example: up to ten times smaller and larger. All others stay as they
are, static: SDKs send all that a script is given, its address and the number of classes too. Only where nothing is
called so, and no range is given, each number gets one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.tuning.definitions import Spec, training_definitions
from clary.tuning.definitions import parameter_ranges as ranges_of
from clary.tuning.parameters import number, whole
from clary.tuning.recommended import Kind, Ranges, parameter_ranges, recommended

LEAST_JOBS = 20
JOBS_FOR_EACH = 5
"""For each tuned hyperparameter."""

RETRIES = 1

_WIDER = 10
_BELOW_ONE = 0.99
"""The most of what is below one: rates, shares, probabilities."""
_TUNED = frozenset(
    (
        *("lr", "learning_rate", "eta", "momentum", "weight_decay", "wd", "warmup_ratio", "label_smoothing"),
        *(
            "dropout",
            "dropout_rate",
            "alpha",
            "lambda",
            "reg_alpha",
            "reg_lambda",
            "l1",
            "l2",
            "l1_ratio",
            "gamma",
            "c",
        ),
        *("subsample", "colsample_bytree", "feature_fraction", "bagging_fraction", "max_features", "tol"),
        *("batch_size", "mini_batch_size", "train_batch_size", "per_device_train_batch_size"),
        *("hidden_dim", "hidden_size", "hidden_units", "embedding_dim", "num_layers", "num_filters", "units"),
        *("n_estimators", "num_round", "num_boost_round", "max_depth", "max_leaf_nodes", "num_leaves"),
        *("min_samples_leaf", "min_samples_split", "min_child_weight", "n_neighbors", "k"),
    )
)
_Range = tuple[Kind, tuple[str, ...]]


def settled(spec: Spec) -> dict[str, Any]:
    """The request with everything chosen: what is stored and described. A settled request is left as it is.

    `spec` has passed the API model; `ranges.check` comes after.
    """
    if not spec.get("Autotune"):
        return dict(spec)
    chosen = [_definition(spec, one) for one in training_definitions(spec)]
    config = {name: value for name, value in spec["HyperParameterTuningJobConfig"].items() if name != "ParameterRanges"}
    rest = {name: value for name, value in spec.items() if not name.startswith("TrainingJobDefinition")}
    single = bool(spec.get("TrainingJobDefinition"))
    if single and "HyperParameterRanges" not in spec["TrainingJobDefinition"]:
        config["ParameterRanges"] = chosen[0].pop("HyperParameterRanges")
    settings = _settings(config, _most_tuned(config, chosen), one_algorithm=len(chosen) == 1)
    definition = {"TrainingJobDefinition": chosen[0]} if single else {"TrainingJobDefinitions": chosen}
    return {**rest, **definition, "HyperParameterTuningJobConfig": settings}


def _definition(spec: Spec, one: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(ranges_of(spec, one))
    static = dict(one.get("StaticHyperParameters") or {})
    hints = {each["Name"]: each["ValueHint"] for each in given.pop("AutoParameters", None) or ()}
    algorithm = one["AlgorithmSpecification"]
    known = recommended(algorithm.get("TrainingImage") or algorithm.get("AlgorithmName") or "")
    if not any(given.values()) and not hints and known:
        hints = dict.fromkeys(known.keys() - static.keys(), "")
    found = _found(known, hints) or ({} if any(given.values()) or known is not None else _numbers(hints))
    kept = {name: hint for name, hint in hints.items() if name not in found}
    added = parameter_ranges(found.items())
    return {
        "RetryStrategy": {"MaximumRetryAttempts": RETRIES},
        **one,
        "StaticHyperParameters": {**static, **kept},
        "HyperParameterRanges": {
            kind: [*(given.get(kind) or ()), *added.get(kind, ())] for kind in sorted(given.keys() | added.keys())
        },
    }


def _found(known: Ranges | None, hints: Mapping[str, str]) -> dict[str, _Range]:
    return {name: each for name, hint in sorted(hints.items()) if (each := _range(known, name, hint))}


def _numbers(hints: Mapping[str, str]) -> dict[str, _Range]:
    """Of a program none of whose hyperparameters is called as the field calls them: all numbers but the SDKs' own."""
    own = {name: hint for name, hint in sorted(hints.items()) if not name.startswith("sagemaker_")}
    return {name: each for name, hint in own.items() if (each := _guessed(hint.strip('"')))}


def _range(known: Ranges | None, name: str, hint: str) -> _Range | None:
    if known is not None:
        return known.get(name)
    return _guessed(hint.strip('"')) if name.lower().replace("-", "_") in _TUNED else None


def _guessed(hint: str) -> _Range | None:
    count, value = whole(hint), number(hint)
    if count is not None and count > 0:
        return "Integer", (str(max(1, count // _WIDER)), str(count * _WIDER))
    if value is None or value <= 0:
        return None
    most = value * _WIDER if value >= _BELOW_ONE else min(_BELOW_ONE, value * _WIDER)
    return "Continuous", (repr(value / _WIDER), repr(most))


def _settings(config: Mapping[str, Any], tuned: int, *, one_algorithm: bool) -> dict[str, Any]:
    limits = dict(config["ResourceLimits"])
    if config["Strategy"] != "Grid":
        limits.setdefault("MaxNumberOfTrainingJobs", max(LEAST_JOBS, JOBS_FOR_EACH * tuned))
    early = "Auto" if one_algorithm and config["Strategy"] != "Hyperband" else "Off"
    return {
        "TrainingJobEarlyStoppingType": early,
        "TuningJobCompletionCriteria": {"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}},
        **config,
        "ResourceLimits": limits,
    }


def _most_tuned(config: Mapping[str, Any], chosen: list[dict[str, Any]]) -> int:
    all_of_them = [one.get("HyperParameterRanges") or config.get("ParameterRanges") or {} for one in chosen]
    return max((sum(map(len, ranges.values())) for ranges in all_of_them), default=0)
