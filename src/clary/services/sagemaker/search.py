"""Search (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Search.html) over what Clary keeps.

A search reads every resource of its kind: most of a second where there are ten thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from clary.errors import ValidationError
from clary.names import sagemaker_arn
from clary.services import resources
from clary.services.context import Context
from clary.services.declaring import facts
from clary.services.placed import Place
from clary.services.placed import page as placed_page
from clary.services.resources import DEFAULT_PAGE, Output, Params, Resource, present, shaped
from clary.services.sagemaker.endpoints import ENDPOINT
from clary.services.sagemaker.errors import not_offered
from clary.services.sagemaker.experiments import EXPERIMENT, IN_TRIAL, TRIAL
from clary.services.sagemaker.feature_groups import FEATURE_GROUP, metadata
from clary.services.sagemaker.hub_contents import CONTENT as HUB_CONTENT
from clary.services.sagemaker.job_components import current
from clary.services.sagemaker.model_cards import CARD
from clary.services.sagemaker.model_package_groups import GROUP
from clary.services.sagemaker.model_packages import PACKAGE
from clary.services.sagemaker.models import MODEL
from clary.services.sagemaker.pipelines import EXECUTION, PIPELINE
from clary.services.sagemaker.pipelines import VERSION as PIPELINE_VERSION
from clary.services.sagemaker.projects import PROJECT
from clary.services.sagemaker.search_expressions import Condition, condition, property_of
from clary.services.sagemaker.search_properties import Property, Record, Searchable, shape_of
from clary.services.sagemaker.service import SERVICE
from clary.services.sagemaker.training_jobs import TRAINING_JOB
from clary.services.sagemaker.trial_components import COMPONENT, parents
from clary.services.sagemaker.tuning_jobs import TUNING_JOB
from clary.services.sagemaker.tuning_view import best_jobs
from clary.services.sagemaker.unmade_jobs import CUSTOMIZATION
from clary.services.tags import listed_tags
from clary.store.rows import Row
from clary.wire import timestamps

_SUGGESTIONS = 25

Records = Callable[[Context], Iterator[Record]]
More = Callable[[Context, Row], Record]
"""Members of Describe that the row alone cannot tell."""


@dataclass(frozen=True)
class _Kind:
    """A resource that can be searched."""

    searchable: Searchable
    records: Records
    member: str
    """Of a result: what holds the record."""
    known_by: tuple[str, ...]
    """The members that tell it from all others."""


def _described(resource: Resource, shape: str, more: More = lambda _context, _row: {}) -> Records:
    """Describe's members, as far as the record has them, and the tags."""

    def records(context: Context) -> Iterator[Record]:
        members = shape_of(shape).members
        tags = context.store.read.tags_below(sagemaker_arn(context.region, context.account, resource.kind, ""))
        for row in _own_rows(context, resource.kind):
            described = {**resources.description(resource, row), **more(context, row)}
            found = {**described, "Tags": listed_tags(tags.get(row.arn, {})) or None}
            yield present({name: value for name, value in found.items() if name in members})

    return records


def _kept(resource: Resource, shape: str, more: More = lambda _context, _row: {}) -> Records:
    """All that is known of what is only kept, as the record's shape has it, and the tags."""

    def records(context: Context) -> Iterator[Record]:
        tags = context.store.read.tags_below(sagemaker_arn(context.region, context.account, resource.kind, ""))
        for row in _own_rows(context, resource.kind):
            known = {**facts(resource, row), "Tags": listed_tags(tags.get(row.arn, {})) or None, **more(context, row)}
            yield shaped(shape_of(shape), known)

    return records


def _in_trials(context: Context, row: Row) -> Record:
    """A trial component as its job says it now, the trials it belongs to, and the job."""
    read = context.store.read
    said = facts(COMPONENT, current(read, row))
    job = read.by_arn(row.parent) if row.parent else None
    detail = {"SourceArn": row.parent, "TrainingJob": resources.description(TRAINING_JOB, job)} if job else None
    return {**said, "Parents": parents(read, row) or None, "SourceDetail": detail}


def _components_of(context: Context, row: Row) -> Record:
    read = context.store.read
    keys = (
        replace(row.key, kind=COMPONENT.kind, name=each.spec["TrialComponentName"])
        for each in read.children(IN_TRIAL, row.key)
    )
    found = [facts(COMPONENT, each) for each in map(read.get, keys) if each is not None]
    return {"TrialComponentSummaries": [{**each, "TrialComponentSource": each.get("Source")} for each in found]}


def _features(context: Context) -> Iterator[Record]:
    for row in _own_rows(context, FEATURE_GROUP.kind):
        for feature in row.spec["FeatureDefinitions"]:
            yield shaped(shape_of("FeatureMetadata"), metadata(row, feature))


def _dashboard(context: Context) -> Iterator[Record]:
    """Each model, and the endpoints that serve it."""
    serving: dict[str, list[Output]] = {}
    for row in _own_rows(context, ENDPOINT.kind):
        shown = {**resources.summary(ENDPOINT, row), "LastModifiedTime": row.modified, "EndpointStatus": row.status}
        for model in _models_of(row):
            serving.setdefault(model, []).append(shown)
    for found in _described(MODEL, "Model")(context):
        yield present({"Model": found, "Endpoints": serving.get(found["ModelName"])})


def _models_of(endpoint: Row) -> set[str]:
    variants = (endpoint.state.get("current") or {}).get("variants", ())
    return {variant["model"] for variant in variants if "model" in variant}


def _kind_of(resource: Resource, name: str, shape: str, records: Records, member: str = "", within: str = "") -> _Kind:
    return _Kind(Searchable(name, shape, within), records, member or name, (resource.arn_member,))


def _kept_kind(resource: Resource, name: str, member: str = "", more: More = lambda _context, _row: {}) -> _Kind:
    """Of what is only kept: the result's member is named as its shape."""
    shape = member or name
    return _kind_of(resource, name, shape, _kept(resource, shape, more), shape)


_TUNING_SHAPE = "HyperParameterTuningJobSearchEntity"
_KINDS: Mapping[str, _Kind] = {
    "TrainingJob": _kind_of(TRAINING_JOB, "TrainingJob", "TrainingJob", _described(TRAINING_JOB, "TrainingJob")),
    "HyperParameterTuningJob": _kind_of(
        TUNING_JOB, "HyperParameterTuningJob", _TUNING_SHAPE, _described(TUNING_JOB, _TUNING_SHAPE, best_jobs)
    ),
    "Endpoint": _kind_of(ENDPOINT, "Endpoint", "Endpoint", _described(ENDPOINT, "Endpoint")),
    "Model": _kind_of(MODEL, "Model", "ModelDashboardModel", _dashboard, within="Model"),
    "Experiment": _kept_kind(EXPERIMENT, "Experiment"),
    "ExperimentTrial": _kept_kind(TRIAL, "ExperimentTrial", "Trial", _components_of),
    "ExperimentTrialComponent": _kept_kind(COMPONENT, "ExperimentTrialComponent", "TrialComponent", _in_trials),
    "FeatureGroup": _kept_kind(FEATURE_GROUP, "FeatureGroup"),
    "FeatureMetadata": _Kind(
        Searchable("FeatureMetadata", "FeatureMetadata"),
        _features,
        "FeatureMetadata",
        ("FeatureGroupArn", "FeatureName"),
    ),
    "HubContent": _kept_kind(HUB_CONTENT, "HubContent"),
    "ModelCard": _kept_kind(CARD, "ModelCard"),
    "ModelPackage": _kept_kind(PACKAGE, "ModelPackage"),
    "ModelPackageGroup": _kept_kind(GROUP, "ModelPackageGroup"),
    "Job": _kept_kind(CUSTOMIZATION.resource, "Job"),
    "Pipeline": _kept_kind(PIPELINE, "Pipeline"),
    "PipelineExecution": _kept_kind(EXECUTION, "PipelineExecution"),
    "PipelineVersion": _Kind(
        Searchable("PipelineVersion", "PipelineVersion"),
        _kept(PIPELINE_VERSION, "PipelineVersion"),
        "PipelineVersion",
        ("PipelineArn", "PipelineVersionId"),
    ),
    "Project": _kept_kind(PROJECT, "Project"),
}


@SERVICE.operation("Search")
def search(context: Context, params: Params) -> Output:
    """One page of what satisfies the expression, the last modified first. Raises ValidationError."""
    kind = _kind(params)
    wanted, visible = condition(kind.searchable, params.get("SearchExpression")), _visibility(kind, params)
    order = _order(kind, params)
    found = [record for record in kind.records(context) if wanted(record) and visible(record)]
    placed = [(order(record), record) for record in found]
    limit, descending = params.get("MaxResults") or DEFAULT_PAGE, params.get("SortOrder") != "Ascending"
    page, token = placed_page(placed, params, limit, descending=descending)
    return present(
        {
            "Results": [{kind.member: record} for record in page],
            "NextToken": token,
            "TotalHits": {"Value": len(placed), "Relation": "EqualTo"},
        }
    )


@SERVICE.operation("GetSearchSuggestions")
def suggestions(_context: Context, params: Params) -> Output:
    """Names of properties that begin with the hint."""
    hint = ((params.get("SuggestionQuery") or {}).get("PropertyNameQuery") or {}).get("PropertyNameHint", "")
    names = [name for name in _kind(params).searchable.names() if name.lower().startswith(hint.lower())]
    return {"PropertyNameSuggestions": [{"PropertyName": name} for name in names[:_SUGGESTIONS]]}


def _kind(params: Params) -> _Kind:
    if params.get("CrossAccountFilterOption") == "CrossAccount":
        raise not_offered("Search with CrossAccountFilterOption CrossAccount")
    kind = _KINDS.get(params["Resource"])
    if kind is None:
        raise not_offered(f"Search for {params['Resource']}")
    return kind


def _own_rows(context: Context, kind: str) -> list[Row]:
    """Of the caller's account and region; what is being deleted has lost its ARN."""
    own = (context.account, context.region)
    return [row for row in context.store.read.rows(kind) if (row.key.account, row.key.region) == own and row.arn]


def _visibility(kind: _Kind, params: Params) -> Condition:
    """Whoever has the tag must have it with that value; whoever has it not is visible."""
    conditions = params.get("VisibilityConditions") or ()
    if any("Key" not in each or "Value" not in each for each in conditions):
        raise ValidationError("Each of VisibilityConditions needs a Key and a Value.")
    wanted = [(property_of(kind.searchable, each["Key"]), each["Value"]) for each in conditions]
    return lambda record: all(found.values(record) in ([], [value]) for found, value in wanted)


def _order(kind: _Kind, params: Params) -> Callable[[Record], Place]:
    modified = "LastModifiedTime" if kind.searchable.find("LastModifiedTime") else "CreationTime"
    by = property_of(kind.searchable, params.get("SortBy") or ("CreationTime" if kind.member == "Model" else modified))
    absent_last = params.get("SortOrder") == "Ascending"
    known_by = [property_of(kind.searchable, member) for member in kind.known_by]

    def place(record: Record) -> Place:
        """Whether it has the property, its value, what it is known by."""
        values = by.values(record)
        has = bool(values) != absent_last
        return [has, *_comparable(by, values[0] if values else None), *(each.values(record)[0] for each in known_by)]

    return place


def _comparable(by: Property, value: Any) -> tuple[float, str]:  # noqa: ANN401  any property's
    """Numbers before texts, so that any two can be compared; JSON can hold both."""
    if isinstance(value, datetime):
        return timestamps.in_utc(value).timestamp(), ""
    if by.kind == "parameter" and isinstance(value, str):
        try:
            return float(value), ""
        except ValueError:
            return 0.0, value
    return (float(value), "") if isinstance(value, int | float) else (0.0, value if isinstance(value, str) else "")
