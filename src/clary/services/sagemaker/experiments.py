"""Experiments and their trials (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateExperiment.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clary.errors import ValidationError
from clary.services import resources
from clary.services.context import Context
from clary.services.declaring import declare
from clary.services.resources import Params, Resource
from clary.services.sagemaker.code import ALL
from clary.services.sagemaker.kept_errors import does_not_exist, must_be_unique
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

TRIAL_KIND = "experiment-trial"
IN_TRIAL = "trial-component-of"
"""Rows below a trial, one for each component of it, named `TRIAL/COMPONENT`; the spec says both."""
OF_COMPONENT = "trial-of-component"
"""The same rows below the component."""


def _no_trials(transaction: Transaction, row: Row) -> None:
    if transaction.children(TRIAL_KIND, row.key):
        raise ValidationError(f"Experiment '{row.arn}' has trials: delete them first.")


def _called(_context: Context, params: Params) -> Params:
    return {"DisplayName": params["ExperimentName"], **params}


EXPERIMENT = Resource(
    kind="experiment",
    noun="Experiment",
    list_member="ExperimentSummaries",
    exists=must_be_unique("Experiment"),
    missing=does_not_exist("Experiment"),
    fill=_called,
    unused=_no_trials,
    verbs=ALL,
)


def _fill_trial(context: Context, params: Params) -> Params:
    experiment = resources.require(EXPERIMENT, context, params["ExperimentName"])
    return {"DisplayName": params["TrialName"], **params, "ExperimentName": experiment.key.name}


def _no_components(transaction: Transaction, row: Row) -> None:
    if transaction.children(IN_TRIAL, row.key):
        raise ValidationError(f"Trial '{row.arn}' has trial components: disassociate them first.")


TRIAL = Resource(
    kind=TRIAL_KIND,
    noun="Trial",
    list_member="TrialSummaries",
    exists=must_be_unique("Trial"),
    missing=does_not_exist("Trial"),
    fill=_fill_trial,
    parent=lambda _context, spec: str(spec["ExperimentName"]),
    group="ExperimentName",
    unused=_no_components,
    verbs=("Create", "Describe", "Update", "Delete"),
)

declare(SERVICE, EXPERIMENT, effect="keeps state")
declare(SERVICE, TRIAL, effect="keeps state")
