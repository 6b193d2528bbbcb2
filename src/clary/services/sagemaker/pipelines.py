"""Pipelines: their definitions are kept, with their versions. None is executed: starting one is refused
(`unmade_places.py`), so that no pipeline has an execution
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePipeline.html)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.calls import Access, Call
from clary.errors import AWSError, ValidationError
from clary.services import resources
from clary.services.context import Context
from clary.services.declaring import changed, facts, listed, named, shown, unnamed
from clary.services.resources import Output, Params, Resource
from clary.services.s3.data_keys import opened_object
from clary.services.sagemaker.errors import not_offered
from clary.services.sagemaker.kept_errors import does_not_exist, must_be_unique
from clary.services.sagemaker.references import is_object
from clary.services.sagemaker.roles import check_role
from clary.services.sagemaker.service import SERVICE
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_LONGEST_BYTES = 1_048_576
_DEFINED = ("PipelineDefinition", "PipelineDefinitionS3Location")

PIPELINE = Resource(
    kind="pipeline",
    noun="Pipeline",
    list_member="PipelineSummaries",
    status="Active",
    exists=must_be_unique("Pipeline"),
    missing=does_not_exist("Pipeline"),
)

VERSION = Resource(
    kind="pipeline-version",
    noun="PipelineVersion",
    named="PipelineVersionId",
    within=("PipelineName",),
    list_member="PipelineVersionSummaries",
    exists=must_be_unique("PipelineVersion"),
    missing=does_not_exist("PipelineVersion"),
    shown=lambda row: {"PipelineArn": row.arn.rpartition("/")[0].replace(":pipeline-version/", ":pipeline/")},
    parent=lambda _context, spec: str(spec["PipelineName"]),
    group="PipelineName",
)

EXECUTION = Resource(
    kind="pipeline-execution",
    noun="PipelineExecution",
    named="PipelineExecutionArn",
    list_member="PipelineExecutionSummaries",
    exists=must_be_unique("PipelineExecution"),
    missing=does_not_exist("PipelineExecution"),
    group="PipelineName",
    verbs=("Describe",),
)
"""One is kept below its pipeline."""


def _definition(context: Context, params: Params) -> str:
    """The text, from the request or from S3. Raises ValidationError."""
    if all(member in params for member in _DEFINED):
        raise ValidationError("Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present")
    if "PipelineDefinition" in params:
        return _checked(params["PipelineDefinition"])
    return _checked(_from_s3(context, params["PipelineDefinitionS3Location"]))


def _from_s3(context: Context, place: Params) -> str:
    """With the caller's own rights."""
    if "VersionId" in place:
        raise not_offered("PipelineDefinitionS3Location.VersionId")
    uri = f"s3://{place['Bucket']}/{place['ObjectKey']}"
    context.authorise(Access("s3:GetObject", f"arn:aws:s3:::{place['Bucket']}/{place['ObjectKey']}"))
    there = is_object(context, uri)
    info = context.objects.head(place["Bucket"], place["ObjectKey"]) if there else None
    if info is None or info.size > _LONGEST_BYTES:
        raise ValidationError(f"No pipeline definition of at most {_LONGEST_BYTES} bytes is at {uri}.")
    try:
        key = opened_object(context, info)
    except AWSError as error:
        raise ValidationError(f"The pipeline definition at {uri} cannot be read: {error.message}") from None
    return b"".join(context.objects.read(info, key)).decode("utf-8", "replace")


def _checked(text: str) -> str:
    """Raises ValidationError where it is no definition: what a step means is looked at when it is carried out."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValidationError(f"Unable to parse pipeline definition. {error}") from None
    if not isinstance(found, dict) or not isinstance(found.get("Version"), str):
        raise ValidationError("Unable to parse pipeline definition. A pipeline definition has a Version.")
    _check_steps(found.get("Steps"))
    return text


def _check_steps(steps: object) -> None:
    if not isinstance(steps, list) or not all(isinstance(each, dict) and each.get("Name") for each in steps):
        raise ValidationError("Unable to parse pipeline definition. Steps must be a list of steps with a Name.")
    names = [str(each["Name"]) for each in steps]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValidationError(f"Pipeline definition has duplicate step names: {', '.join(twice)}.")


def _spec(context: Context, params: Params) -> Params:
    kept = {name: value for name, value in params.items() if name not in _DEFINED}
    if any(member in params for member in _DEFINED):
        kept["PipelineDefinition"] = _definition(context, params)
    return kept


def _version(context: Context, row: Row, number: int, spec: Params) -> Row:
    said = {"PipelineName": row.key.name, "PipelineVersionId": number, "Definition": spec["PipelineDefinition"]}
    aliases = spec.get("PipelineVersionAliases")
    return resources.new_row(VERSION, context, {**said, "PipelineVersionAliases": aliases})


@SERVICE.operation("CreatePipeline", effect="keeps state", on=named(PIPELINE))
def create(context: Context, params: Params) -> Output:
    """Its first version. Raises ValidationError, AccessDenied."""
    check_role(context, params["RoleArn"])
    if not any(member in params for member in _DEFINED):
        raise ValidationError("Either Pipeline Definition or Pipeline Definition S3 location should be provided")
    spec = {"PipelineDisplayName": params["PipelineName"], **_spec(context, params)}
    row = resources.new_row(PIPELINE, context, spec)
    row = replace(row, state={**row.state, "versions": 1})
    first = _version(context, row, 1, spec)
    return {"PipelineArn": resources.insert(PIPELINE, context, row, params.get("Tags"), beside=(first,)).arn}


@SERVICE.operation("UpdatePipeline", effect="keeps state", on=named(PIPELINE))
def update(context: Context, params: Params) -> Output:
    """A new definition is a new version. Raises ResourceNotFound, ValidationError, AccessDenied."""
    before = resources.require(PIPELINE, context, params["PipelineName"])
    check_role(context, params.get("RoleArn"))
    spec = _spec(context, unnamed(PIPELINE, params))

    def change(transaction: Transaction) -> Row:
        row = resources.found(PIPELINE, context, transaction, before.key.name)
        number = row.state["versions"] + (1 if "PipelineDefinition" in spec else 0)
        new = changed(context, row, {**row.spec, **spec})
        if number > row.state["versions"]:
            transaction.insert(_version(context, row, number, spec))
        return transaction.save(replace(new, state={**new.state, "versions": number}, modified=resources.now()))

    saved = context.store.write(change)
    return {"PipelineArn": saved.arn, "PipelineVersionId": saved.state["versions"]}


@SERVICE.operation("DescribePipeline", effect="keeps state", on=named(PIPELINE))
def describe(context: Context, params: Params) -> Output:
    """As it is now, or one of its versions, by number or by alias. Raises ResourceNotFound."""
    row = resources.require(PIPELINE, context, params["PipelineName"])
    known = facts(PIPELINE, row)
    if "PipelineVersionId" in params or "PipelineVersionAlias" in params:
        version = _find_version(context, row, params)
        said = {name: value for name, value in facts(VERSION, version).items() if name.startswith("PipelineVersion")}
        known = {**known, **said, "PipelineDefinition": version.spec["Definition"]}
    return shown("sagemaker", "DescribePipeline", known)


def _find_version(context: Context, row: Row, params: Params) -> Row:
    wanted, alias = params.get("PipelineVersionId"), params.get("PipelineVersionAlias")
    for version in context.store.read.children(VERSION.kind, row.key):
        by_number = wanted is None or version.spec["PipelineVersionId"] == wanted
        if by_number and (alias is None or alias in version.spec.get("PipelineVersionAliases", ())):
            return version
    raise AWSError("ResourceNotFound", f"Pipeline version '{row.arn}/version/{wanted or alias}' does not exist.")


@SERVICE.operation("ListPipelines", effect="keeps state", on=lambda _call: ["*"])
def list_(context: Context, params: Params) -> Output:
    """One page."""
    query = replace(resources.query_of(PIPELINE, context, params), name_prefix=params.get("PipelineNamePrefix"))
    found = resources.page(context, query)
    return resources.listing(PIPELINE, found, lambda row: listed("sagemaker", "ListPipelines", PIPELINE, row))


@SERVICE.operation("DeletePipeline", effect="keeps state", on=named(PIPELINE))
def delete(context: Context, params: Params) -> Output:
    """With its versions. Raises ResourceNotFound."""

    def change(transaction: Transaction) -> str:
        row = resources.found(PIPELINE, context, transaction, params["PipelineName"])
        for version in transaction.children(VERSION.kind, row.key):
            transaction.delete(version.key)
        transaction.delete(row.key)
        return row.arn

    return {"PipelineArn": context.store.write(change)}


@SERVICE.operation("ListPipelineVersions", effect="keeps state", on=named(PIPELINE))
def list_versions(context: Context, params: Params) -> Output:
    """Raises ResourceNotFound."""
    row = resources.require(PIPELINE, context, params["PipelineName"])
    query = resources.query_of(VERSION, context, {**params, "PipelineName": row.key.name})
    found = resources.page(context, query)
    entries = [listed("sagemaker", "ListPipelineVersions", VERSION, each) for each in found.rows]
    return resources.present({VERSION.list_member: entries, "NextToken": found.token})


def _by_arn(call: Call) -> Sequence[str]:
    return [call.params["PipelineArn"]]


@SERVICE.operation("UpdatePipelineVersion", effect="keeps state", on=_by_arn)
def update_version(context: Context, params: Params) -> Output:
    """What is said of one version. Raises ResourceNotFound."""
    row = resources.require(PIPELINE, context, params["PipelineArn"])
    key = replace(row.key, kind=VERSION.kind, name=f"{row.key.name}/{params['PipelineVersionId']}")
    said = {name: params[name] for name in _SAID_OF_VERSIONS if name in params}

    def change(transaction: Transaction) -> None:
        version = resources.found(VERSION, context, transaction, key.name)
        spec = {**version.spec, **said, "PipelineVersionAliases": _aliases(version, params)}
        transaction.save(replace(changed(context, version, spec), modified=resources.now()))

    context.store.write(change)
    return {"PipelineArn": row.arn, "PipelineVersionId": params["PipelineVersionId"]}


_SAID_OF_VERSIONS = ("PipelineVersionDisplayName", "PipelineVersionDescription")


def _aliases(version: Row, params: Params) -> list[str]:
    asked = params.get("PipelineVersionAliasOperations") or {}
    found = [*version.spec.get("PipelineVersionAliases", ()), *asked.get("Add", ())]
    return [alias for alias in dict.fromkeys(found) if alias not in asked.get("Remove", ())]


@SERVICE.operation("ListPipelineExecutions", effect="keeps state", on=named(PIPELINE))
def executions(context: Context, params: Params) -> Output:
    """Of one pipeline: nothing starts one yet (`unmade_places.py`). Raises ResourceNotFound."""
    name = resources.require(PIPELINE, context, params["PipelineName"]).key.name
    found = resources.page(context, resources.query_of(EXECUTION, context, {**params, "PipelineName": name}))
    return resources.listing(
        EXECUTION, found, lambda row: listed("sagemaker", "ListPipelineExecutions", EXECUTION, row)
    )
