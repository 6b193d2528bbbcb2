"""What a job's ExperimentConfig asks for: a trial component of the job, in a trial of an experiment
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ExperimentConfig.html)."""

from __future__ import annotations

from dataclasses import replace

from clary.services import resources
from clary.services.context import Context
from clary.services.resources import Params
from clary.services.sagemaker.experiments import EXPERIMENT, TRIAL
from clary.services.sagemaker.job_components import component_of
from clary.services.sagemaker.trial_components import association
from clary.store.rows import Key, Row


def rows_of(context: Context, job: Row, config: Params | None) -> tuple[Row, ...]:
    """The rows that are written with a training job. Where the request names an experiment and no trial, one is made
    that bears the component's name. Raises ResourceNotFound."""
    if not config:
        return ()
    component = component_of(job, config.get("TrialComponentDisplayName"))
    made = replace(component, state={resources.CREATED_BY: resources.identity_of(context)})
    experiment = config.get("ExperimentName")
    if experiment:
        resources.require(EXPERIMENT, context, experiment)
    trial, new = _trial(context, config, made.key)
    return (made, *new, *(association(trial, made.key) if trial else ()))


def _trial(context: Context, config: Params, component: Key) -> tuple[Key | None, tuple[Row, ...]]:
    if "TrialName" in config:
        return resources.require(TRIAL, context, config["TrialName"]).key, ()
    if "ExperimentName" not in config:
        return None, ()
    spec = {"TrialName": component.name, "DisplayName": component.name, "ExperimentName": config["ExperimentName"]}
    row = resources.new_row(TRIAL, context, spec)
    return row.key, (row,)
