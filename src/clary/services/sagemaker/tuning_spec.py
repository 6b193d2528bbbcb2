"""CreateHyperParameterTuningJob's request, checked beyond the model and filled in as AWS fills it in
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html).

Where no public source shows AWS's text, the code is ValidationException and the words are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.services.context import Context
from clary.services.sagemaker.errors import no_objective_metric, objective_not_of_algorithm
from clary.services.sagemaker.training_spec import fill_training_job
from clary.tuning import ranges
from clary.tuning.autotune import settled
from clary.tuning.limits import check_definitions
from clary.workload import tuning

Params = dict[str, Any]

_RANGES = ("IntegerParameterRanges", "ContinuousParameterRanges", "CategoricalParameterRanges")
_SCALED = _RANGES[:2]


def fill_tuning_job(context: Context, params: Params) -> Params:
    """The spec of a tuning job. Raises ValidationError, AccessDenied, ResourceLimitExceeded."""
    check_definitions(params)
    params = settled(params)
    filled = {**params, "HyperParameterTuningJobConfig": _config(params)}
    if "TrainingJobDefinition" in params:
        filled["TrainingJobDefinition"] = _definition(context, filled, params["TrainingJobDefinition"])
    else:
        given = params["TrainingJobDefinitions"]
        filled["TrainingJobDefinitions"] = [_definition(context, filled, each) for each in given]
    ranges.check(filled)
    return filled


def _config(params: Params) -> Params:
    given = params["HyperParameterTuningJobConfig"]
    filled: Params = {"TrainingJobEarlyStoppingType": "Off", **given}
    if "TrainingJobDefinition" in params:
        filled["ParameterRanges"] = _ranges(given.get("ParameterRanges") or {})
    return filled


def _ranges(given: Params) -> Params:
    """With all three lists, which clients index, and how each is scaled."""
    filled: Params = {**{name: [] for name in _RANGES}, **given}
    for name in _SCALED:
        filled[name] = [{"ScalingType": "Auto", **each} for each in filled[name]]
    return filled


def _definition(context: Context, spec: Params, given: Params) -> Params:
    """As Describe shows it: what CreateTrainingJob would fill in, and the objective's name among the static ones."""
    job = fill_training_job(context, _probe(spec, given))
    image = given["AlgorithmSpecification"].get("TrainingImage", "")
    defined = job["AlgorithmSpecification"].get("MetricDefinitions", [])
    _check_objective(context, tuning.objective(spec, given), defined, image)
    algorithm = {**given["AlgorithmSpecification"], "MetricDefinitions": defined}
    filled = {
        **given,
        "AlgorithmSpecification": algorithm,
        "StaticHyperParameters": tuning.hyperparameters(spec, given, {}),
        "ResourceConfig": job["ResourceConfig"],
        "StoppingCondition": job["StoppingCondition"],
        "OutputDataConfig": {"KmsKeyId": "", **given["OutputDataConfig"]},
        "EnableNetworkIsolation": job["EnableNetworkIsolation"],
        "EnableInterContainerTrafficEncryption": job["EnableInterContainerTrafficEncryption"],
        "EnableManagedSpotTraining": job["EnableManagedSpotTraining"],
    }
    if "HyperParameterRanges" in given:
        filled["HyperParameterRanges"] = _ranges(given["HyperParameterRanges"])
    return filled


def _probe(spec: Params, given: Params) -> Params:
    """The request of a training job of this tuning, with no tuned hyperparameters."""
    return tuning.job_request(spec, given, spec["HyperParameterTuningJobName"], {})


def _check_objective(context: Context, objective: Mapping[str, Any], defined: list[Params], image: str) -> None:
    if any(each["Name"] == objective["MetricName"] for each in defined):
        return
    if defined and context.images.resolve(image).built_in:
        raise objective_not_of_algorithm(objective["MetricName"], image)
    raise no_objective_metric()
