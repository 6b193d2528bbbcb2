"""What a tuning's strategy, its limits and its definitions ask of one another."""

from __future__ import annotations

import math
from typing import Any

from clary.errors import ValidationError
from clary.tuning.definitions import Definition, Spec, definitions, objective, training_definitions
from clary.tuning.parameters import Categorical

MOST_GRID_JOBS = 10_000
"""AWS's limit is 750; it is here only for memory: all are put into one order."""

MOST_RESOURCE = 20_000
"""HyperbandStrategyConfig.MaxResource."""

EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")
"""Static hyperparameters from which AWS infers MaxResource
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperbandStrategyConfig.html)."""


def check_definitions(spec: Spec) -> None:
    """Raises ValidationError where definitions or their objectives are missing, or do not go together."""
    if bool(spec.get("TrainingJobDefinition")) == bool(spec.get("TrainingJobDefinitions")):
        raise ValidationError(
            "You must specify either TrainingJobDefinition or TrainingJobDefinitions, but not both, to create a "
            "hyperparameter tuning job."
        )
    all_of_them = training_definitions(spec)
    if any(not objective(spec, one) for one in all_of_them):
        raise ValidationError("HyperParameterTuningJobObjective is required to create a hyperparameter tuning job.")
    if len(all_of_them) > 1:
        _check_several(spec, all_of_them)


def _check_several(spec: Spec, all_of_them: Any) -> None:  # noqa: ANN401  definitions as they were sent
    names = [one.get("DefinitionName") for one in all_of_them]
    if None in names or len(set(names)) < len(names):
        raise ValidationError("Each training job definition must have a unique DefinitionName.")
    if len({objective(spec, one)["Type"] for one in all_of_them}) > 1:
        raise ValidationError("The objective type must be the same for all training job definitions.")
    if spec.get("WarmStartConfig"):
        raise ValidationError("Warm start is available only when tuning a single algorithm.")
    if spec["HyperParameterTuningJobConfig"].get("TrainingJobEarlyStoppingType") == "Auto":
        raise ValidationError("Early stopping is available only when tuning a single algorithm.")


def check(spec: Spec) -> None:
    """Raises ValidationError where the strategy or the number of jobs does not go with the ranges, which make sense."""
    config = spec["HyperParameterTuningJobConfig"]
    all_of_them = definitions(spec)
    strategy = config["Strategy"]
    _check_target(config)
    if config.get("StrategyConfig") and strategy != "Hyperband":
        raise ValidationError("StrategyConfig can be provided only when Hyperband is selected as the strategy.")
    if strategy == "Hyperband":
        _check_hyperband(config, all_of_them)
    if strategy == "Grid":
        _check_grid(config, all_of_them)
    else:
        _check_number(spec, all_of_them)


def _check_target(config: Any) -> None:  # noqa: ANN401  a member of the request
    target = (config.get("TuningJobCompletionCriteria") or {}).get("TargetObjectiveMetricValue", 0.0)
    if not math.isfinite(target):
        raise ValidationError(f"TargetObjectiveMetricValue [{target}] must be a finite number.")


def _check_hyperband(config: Any, all_of_them: list[Definition]) -> None:  # noqa: ANN401  a member of the request
    if config.get("TrainingJobEarlyStoppingType") == "Auto":
        raise ValidationError("TrainingJobEarlyStoppingType must be OFF to use Hyperband.")
    for definition in all_of_them:
        least, most = resources(config, definition)
        if most is None:
            raise ValidationError(
                "MaxResource must be specified for Hyperband: it could not be inferred from the static hyperparameters "
                f"[{', '.join(EPOCHS)}]."
            )
        if most > MOST_RESOURCE:
            raise ValidationError(f"MaxResource [{most}] must be less than or equal to [{MOST_RESOURCE}].")
        if least >= most:
            raise ValidationError(f"MinResource [{least}] must be less than MaxResource [{most}].")


def resources(config: Any, definition: Definition) -> tuple[int, int | None]:  # noqa: ANN401  a member of the request
    """Hyperband's least and most reports of a job; the most is None where it is neither said nor inferred."""
    asked = (config.get("StrategyConfig") or {}).get("HyperbandStrategyConfig") or {}
    least, most = asked.get("MinResource", 1), asked.get("MaxResource")
    return least, most or epochs(definition)


def epochs(definition: Definition) -> int | None:
    """How many epochs its static hyperparameters say, or None."""
    found = (definition.static[name].strip('"') for name in EPOCHS if name in definition.static)
    return next((int(text) for text in found if text.isdecimal()), None)


def _check_grid(config: Any, all_of_them: list[Definition]) -> None:  # noqa: ANN401  a member of the request
    if any(not _is_categorical(definition) for definition in all_of_them):
        raise ValidationError("Only categorical parameters are supported when using the Grid strategy.")
    total = sum(definition.space.count for definition in all_of_them)
    if total > MOST_GRID_JOBS:
        raise ValidationError(
            f"The total number of hyperparameter combinations [{total:.0f}] must be less than or equal to "
            f"[{MOST_GRID_JOBS}] for the Grid strategy."
        )
    asked = config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if asked is not None and asked != total:
        raise ValidationError(
            f"If specified, the value of MaxNumberOfTrainingJobs [{asked}] should be equal to the total number of "
            f"distinct categorical combinations possible [{total:.0f}] for the Grid strategy."
        )


def _is_categorical(definition: Definition) -> bool:
    return all(isinstance(parameter, Categorical) for parameter in definition.space.parameters)


def _check_number(spec: Spec, all_of_them: list[Definition]) -> None:
    config = spec["HyperParameterTuningJobConfig"]
    asked = config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if asked is None:
        if not (config["ResourceLimits"].get("MaxRuntimeInSeconds") or config.get("TuningJobCompletionCriteria")):
            raise ValidationError(
                "MaxNumberOfTrainingJobs, MaxRuntimeInSeconds or TuningJobCompletionCriteria must be specified for the "
                f"{config['Strategy']} strategy."
            )
        return
    combinations = sum(definition.space.count for definition in all_of_them)
    if math.isfinite(combinations) and combinations < asked:
        raise ValidationError(
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter "
            f"combinations for the provided ranges [{combinations:.1f}] must be equal or greater than the value of "
            f"MaxNumberOfJobs, [{asked}]. Provide additional ranges."
        )
