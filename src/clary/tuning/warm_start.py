"""Warm start: what a tuning may change against those it starts from, and what it learns from them
(https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-warm-start.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.errors import ValidationError
from clary.tuning.completion import has_objective
from clary.tuning.definitions import Definition, Spec, objective, parameter_ranges, training_definitions
from clary.tuning.trials import Trial

MOST_CHANGES = 10
"""Each hyperparameter that was tuned and is static, or has another static value, counts twice."""

_KINDS = {
    "IntegerParameterRanges": "Integer",
    "ContinuousParameterRanges": "Continuous",
    "CategoricalParameterRanges": "Categorical",
}
_IDENTICAL = ("AlgorithmSpecification", "InputDataConfig")
_FIXED = ("Environment", "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "RetryStrategy")
_MAY_CHANGE = (
    *("algorithmSpecification", "inputDataConfig", "outputDataConfig", "staticHyperParameters", "roleArn"),
    *("resourceConfig", "stoppingCondition", "vpcConfig", "enableManagedSpotTraining", "checkpointConfig"),
)


def check(spec: Spec, parents: Sequence[Spec]) -> None:
    """Raises ValidationError where `spec` differs from one of its parents' requests in what must stay as it is.

    All are requests of one definition, settled; that the parents exist and have ended is the caller's to know.
    """
    for parent in parents:
        new, old = training_definitions(spec)[0], training_definitions(parent)[0]
        _check_objective(objective(spec, new), objective(parent, old))
        _check_names(_tuned(spec, new), _static(new), _tuned(parent, old), _static(old))
        _check_members(new, old, identical=spec["WarmStartConfig"]["WarmStartType"] == "IdenticalDataAndAlgorithm")


def transferred(definition: Definition, trials: Sequence[Trial], parents: Sequence[Trial]) -> list[Trial]:
    """Parents' trials with objectives as the new data gives them: the best of the parents counts as much as the best
    that was found here, the median as the median. Other data moves objectives, and seldom their order."""
    found = _ranked(definition, trials)
    known = _ranked(definition, parents)
    if not found:
        return list(parents)
    places = {id(trial): place / max(1, len(known) - 1) for place, trial in enumerate(known)}
    return [
        trial._replace(objective=found[round(places[id(trial)] * (len(found) - 1))].objective)
        if id(trial) in places
        else trial
        for trial in parents
    ]


def _ranked(definition: Definition, trials: Sequence[Trial]) -> list[Trial]:
    return sorted(filter(has_objective, trials), key=lambda trial: trial.objective or 0.0, reverse=definition.maximize)


def _check_objective(new: Mapping[str, Any], old: Mapping[str, Any]) -> None:
    if new != old:
        raise ValidationError(
            "The objective metric for the hyperparameter tuning job must be the same as the objective metric of its "
            "parent hyperparameter tuning jobs."
        )


def _check_names(
    tuned: Mapping[str, str], static: Mapping[str, str], tuned_before: Mapping[str, str], before: Mapping[str, str]
) -> None:
    if tuned.keys() | static.keys() != tuned_before.keys() | before.keys():
        raise ValidationError(
            "The set of tunable plus static HyperParameter names is not the same across current and parent tuning "
            "jobs. Please ensure this set is constant when warm starting. Note that previously static HyperParameters "
            "can be tuned in warm start jobs and vice versa."
        )
    changed = sorted(name for name in tuned.keys() & tuned_before.keys() if tuned[name] != tuned_before[name])
    if changed:
        raise ValidationError(
            f"The type of the hyperparameters [{', '.join(changed)}] must not change between parent jobs and the new "
            "tuning job."
        )
    changes = 2 * sum(before.get(name) != value for name, value in static.items())
    if changes > MOST_CHANGES:
        raise ValidationError(
            "The number of changes from tunable hyperparameters in the parent jobs to static hyperparameters in the "
            f"new tuning job, plus the number of changes in the values of static hyperparameters, [{changes}] cannot "
            f"be more than [{MOST_CHANGES}]."
        )


def _check_members(new: Mapping[str, Any], old: Mapping[str, Any], identical: bool) -> None:
    fixed = {name: name[0].lower() + name[1:] for name in (*_FIXED, *(_IDENTICAL if identical else ()))}
    if any(_essence(name, new) != _essence(name, old) for name in fixed):
        allowed = [name for name in _MAY_CHANGE if name not in fixed.values()]
        raise ValidationError(
            f"Only the following fields in TrainingJobDefinition are allowed to change: [{', '.join(allowed)}]."
        )


def _essence(name: str, one: Mapping[str, Any]) -> object:
    """What must stay of a member: the image of an algorithm and where data lies, not how either is read."""
    value = one.get(name)
    if name == "AlgorithmSpecification":
        return value and (value.get("TrainingImage"), value.get("AlgorithmName"))
    if name == "InputDataConfig":
        return {channel["ChannelName"]: channel.get("DataSource") for channel in value or ()}
    return value or None


def _tuned(spec: Spec, one: Mapping[str, Any]) -> dict[str, str]:
    ranges = parameter_ranges(spec, one)
    return {each["Name"]: kind for member, kind in _KINDS.items() for each in ranges.get(member) or ()}


def _static(one: Mapping[str, Any]) -> dict[str, str]:
    """Those of the user's: where a script was uploaded to says nothing of what it does."""
    static = one.get("StaticHyperParameters") or {}
    return {name: value for name, value in static.items() if not name.startswith(("sagemaker_", "_tuning"))}
