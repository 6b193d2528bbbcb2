"""Trial components, and the trials they belong to. One whose source is a job shows what the job shows
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrialComponent.html)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.calls import Call
from clary.errors import ValidationError
from clary.services import placed, resources
from clary.services.context import Context
from clary.services.declaring import declare, facts, listed, named, shown
from clary.services.resources import DEFAULT_PAGE, Output, Params, Resource
from clary.services.sagemaker import component_metrics, metric_values
from clary.services.sagemaker.experiments import EXPERIMENT, IN_TRIAL, OF_COMPONENT, TRIAL, TRIAL_KIND
from clary.services.sagemaker.job_components import current
from clary.services.sagemaker.kept_errors import does_not_exist, must_be_unique
from clary.services.sagemaker.lineage_groups import group_arn
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store import Reader, View
    from clary.store.transaction import Transaction

_ENTRIES = ("Parameters", "InputArtifacts", "OutputArtifacts")


def _fill(_context: Context, params: Params) -> Params:
    return {"DisplayName": params["TrialComponentName"], **params}


def _update(_context: Context, row: Row, params: Params) -> Params:
    """New entries join those that are there; others are removed by name."""
    said = {name: value for name, value in params.items() if not name.endswith("ToRemove")}
    for member in _ENTRIES:
        gone = params.get(f"{member}ToRemove", ())
        together = {**row.spec.get(member, {}), **params.get(member, {})}
        said[member] = {name: value for name, value in together.items() if name not in gone}
    return {**row.spec, **said}


def _let_go(transaction: Transaction, row: Row) -> None:
    """The values of its metrics go with it. Raises ValidationException while it belongs to a trial."""
    trials = transaction.children(OF_COMPONENT, row.key)
    if trials:
        raise ValidationError(f"TrialComponent '{row.arn}' belongs to a trial: disassociate it first.")
    for values in transaction.children(metric_values.KIND, row.key):
        transaction.delete(values.key)


def _shown(row: Row) -> Output:
    source = row.spec.get("Source")
    metrics = [*row.spec.get("Metrics", ()), *component_metrics.shown(row)]
    sources = {"Sources": [source]} if source else {}
    return {"LineageGroupArn": group_arn(row.key), **sources, **({"Metrics": metrics} if metrics else {})}


COMPONENT = Resource(
    kind="experiment-trial-component",
    noun="TrialComponent",
    list_member="TrialComponentSummaries",
    exists=must_be_unique("TrialComponent"),
    missing=does_not_exist("TrialComponent"),
    fill=_fill,
    shown=_shown,
    listed=lambda row: {"TrialComponentSource": row.spec.get("Source")},
    update=_update,
    unused=_let_go,
    group="SourceArn",
    verbs=("Create", "Update", "Delete"),
)

declare(SERVICE, COMPONENT, effect="keeps state")


@SERVICE.operation("DescribeTrialComponent", effect="keeps state", on=named(COMPONENT))
def describe(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound."""
    row = resources.require(COMPONENT, context, params["TrialComponentName"])
    return shown("sagemaker", "DescribeTrialComponent", facts(COMPONENT, current(context.store.read, row)))


def _both(call: Call) -> Sequence[str]:
    return [*named(COMPONENT)(call), *named(TRIAL)(call)]


def association(trial: Key, component: Key) -> tuple[Row, Row]:
    """The rows that say that a component belongs to a trial: one below each."""
    made = resources.now()
    spec = {"TrialName": trial.name, "TrialComponentName": component.name}
    key = replace(trial, kind=IN_TRIAL, name=f"{trial.name}/{component.name}")
    below_trial = Row(key, "", "", made, made, spec, parent=trial.name)
    return below_trial, replace(below_trial, key=replace(key, kind=OF_COMPONENT), parent=component.name)


def _pair(context: Context, view: View, params: Params) -> tuple[Row, Row]:
    component = resources.found(COMPONENT, context, view, params["TrialComponentName"])
    return component, resources.found(TRIAL, context, view, params["TrialName"])


def _arns(component: Row, trial: Row) -> Output:
    return {"TrialComponentArn": component.arn, "TrialArn": trial.arn}


@SERVICE.operation("AssociateTrialComponent", effect="keeps state", on=_both)
def associate(context: Context, params: Params) -> Output:
    """Once more is nothing. Raises ResourceNotFound."""

    def change(transaction: Transaction) -> Output:
        component, trial = _pair(context, transaction, params)
        for row in association(trial.key, component.key):
            if transaction.get(row.key) is None:
                transaction.insert(row)
        return _arns(component, trial)

    return context.store.write(change)


@SERVICE.operation("DisassociateTrialComponent", effect="keeps state", on=_both)
def disassociate(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound."""

    def change(transaction: Transaction) -> Output:
        component, trial = _pair(context, transaction, params)
        for row in association(trial.key, component.key):
            transaction.delete(row.key)
        return _arns(component, trial)

    return context.store.write(change)


@SERVICE.operation("ListTrialComponents", effect="keeps state", on=lambda _call: ["*"])
def list_(context: Context, params: Params) -> Output:
    """All, those of a source, or those of a trial or of an experiment. Raises ResourceNotFound."""

    def entry(row: Row) -> Output:
        return listed("sagemaker", "ListTrialComponents", COMPONENT, current(context.store.read, row))

    if "TrialName" not in params and "ExperimentName" not in params:
        found = resources.page(context, resources.query_of(COMPONENT, context, params))
        return resources.listing(COMPONENT, found, entry)
    rows = [row for row in _below(context, params) if params.get("SourceArn", row.parent) == row.parent]
    return _in_memory(COMPONENT, params, rows, entry)


def _below(context: Context, params: Params) -> list[Row]:
    """The components of the trial, or of all trials of the experiment."""
    read = context.store.read
    if "TrialName" in params:
        trials = [resources.require(TRIAL, context, params["TrialName"])]
    else:
        experiment = resources.require(EXPERIMENT, context, params["ExperimentName"])
        trials = read.children(TRIAL_KIND, experiment.key)
    names = {row.spec["TrialComponentName"]: trial for trial in trials for row in read.children(IN_TRIAL, trial.key)}
    keys = [replace(trial.key, kind=COMPONENT.kind, name=name) for name, trial in names.items()]
    return [row for row in map(read.get, keys) if row is not None]


def _in_memory(resource: Resource, params: Params, rows: list[Row], entry: Callable[[Row], Output]) -> Output:
    """A List of rows that are told one by one."""
    kept = [row for row in rows if _within(params, row)]
    by_name = params.get("SortBy") == "Name"
    entries: list[tuple[list[object], Row]] = [
        ([row.key.name] if by_name else [row.created.timestamp(), row.key.name], row) for row in kept
    ]
    descending = params.get("SortOrder", "Descending") == "Descending"
    page, token = placed.page(entries, params, params.get("MaxResults") or DEFAULT_PAGE, descending=descending)
    return resources.present({resource.list_member: [entry(row) for row in page], "NextToken": token})


def _within(params: Params, row: Row) -> bool:
    after, before = params.get("CreatedAfter"), params.get("CreatedBefore")
    return (after is None or row.created > after) and (before is None or row.created < before)


@SERVICE.operation("ListTrials", effect="keeps state", on=lambda _call: ["*"])
def list_trials(context: Context, params: Params) -> Output:
    """All, those of an experiment, those of a component. Raises ResourceNotFound."""

    def entry(row: Row) -> Output:
        return listed("sagemaker", "ListTrials", TRIAL, row)

    asked = dict(params)
    if "ExperimentName" in params:
        asked["ExperimentName"] = resources.require(EXPERIMENT, context, params["ExperimentName"]).key.name
    if "TrialComponentName" not in params:
        return resources.listing(TRIAL, resources.page(context, resources.query_of(TRIAL, context, asked)), entry)
    trials = trials_of(context.store.read, resources.require(COMPONENT, context, params["TrialComponentName"]))
    rows = [row for row in trials if asked.get("ExperimentName", row.parent) == row.parent]
    return _in_memory(TRIAL, params, rows, entry)


def trials_of(read: Reader, component: Row) -> list[Row]:
    """The trials that a component belongs to."""
    names = [row.spec["TrialName"] for row in read.children(OF_COMPONENT, component.key)]
    found = (read.get(replace(component.key, kind=TRIAL_KIND, name=name)) for name in names)
    return [row for row in found if row is not None]


def parents(read: Reader, component: Row) -> list[Mapping[str, str]]:
    """As Search shows them."""
    return [{"TrialName": row.key.name, "ExperimentName": row.parent} for row in trials_of(read, component)]
