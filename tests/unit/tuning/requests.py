"""Requests for tunings, and a way to play one: jobs are functions."""

from __future__ import annotations

from clary.tuning.search import Search
from clary.tuning.trials import Trial

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def continuous(name="x", low="0", high="1", scaling="Auto"):
    return {"Name": name, "MinValue": low, "MaxValue": high, "ScalingType": scaling}


integer = continuous


def categorical(name="c", *values):
    return {"Name": name, "Values": list(values or ("a", "b", "c"))}


def ranges(continuous=(), integer=(), categorical=()):
    return {
        "ContinuousParameterRanges": list(continuous),
        "IntegerParameterRanges": list(integer),
        "CategoricalParameterRanges": list(categorical),
    }


def request(
    parameters=None,
    strategy="Bayesian",
    *,
    jobs=20,
    aim="Minimize",
    static=None,
    seed=1,
    limits=None,
    more=None,
    **config,
):
    """CreateHyperParameterTuningJob's parameters; `config` are further members of its configuration."""
    configured = {
        "Strategy": strategy,
        "HyperParameterTuningJobObjective": {"Type": aim, "MetricName": "loss"},
        "ResourceLimits": {"MaxParallelTrainingJobs": 2, **({"MaxNumberOfTrainingJobs": jobs} if jobs else {})},
        "ParameterRanges": parameters or ranges([continuous()]),
        **({"RandomSeed": seed} if seed is not None else {}),
        **config,
    }
    configured["ResourceLimits"] |= limits or {}
    definition = {"AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"}}
    if static:
        definition["StaticHyperParameters"] = static
    made = {
        "HyperParameterTuningJobName": "tuning",
        "HyperParameterTuningJobConfig": configured,
        "TrainingJobDefinition": definition,
    }
    return {**made, **(more or {})}


def several(*parameters, aim="Minimize", metrics=("loss", "error"), **given):
    """A request with a definition, `d0`, `d1`, …, for each of these ranges."""
    made = request(aim=aim, **given)
    [one] = [made.pop("TrainingJobDefinition")]
    made["HyperParameterTuningJobConfig"].pop("ParameterRanges")
    made["HyperParameterTuningJobConfig"].pop("HyperParameterTuningJobObjective")
    made["TrainingJobDefinitions"] = [
        {
            **one,
            "DefinitionName": f"d{number}",
            "TuningObjective": {"Type": aim, "MetricName": metrics[number % len(metrics)]},
            "HyperParameterRanges": each,
        }
        for number, each in enumerate(parameters)
    ]
    return made


def completed(number, objective, values=None, reports=(), definition=""):
    return Trial(number, definition, values or {"x": "0.5"}, "completed", objective, tuple(reports))


def running(number, reports=(), values=None, definition=""):
    return Trial(number, definition, values or {"x": "0.5"}, "running", None, tuple(reports))


def play(spec, job, parents=(), most=1000):
    """All trials of a tuning, one after the other; `job(values)` is an objective."""
    search = Search(spec, parents)
    trials = []
    while search.ended(trials, 0.0) is None and len(trials) < most:
        [proposal] = search.propose(trials, 1)
        objective = job(proposal.values)
        trials.append(Trial(len(trials), proposal.definition, proposal.values, "completed", objective))
    return trials
