"""Model packages: versions in a group, or by a name of their own. A model can be made from one (`packaged_models.py`)
(https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.calls import Call
from clary.errors import AWSError, ValidationError
from clary.names import sagemaker_arn
from clary.services import resources
from clary.services.context import Context
from clary.services.declaring import changed, declare, facts, listed, named, shown, sieve
from clary.services.resources import Output, Params, Resource
from clary.services.sagemaker.algorithms import ALGORITHM
from clary.services.sagemaker.errors import not_offered
from clary.services.sagemaker.kept_errors import invalid
from clary.services.sagemaker.model_package_groups import GROUP, PACKAGE_KIND
from clary.services.sagemaker.references import is_object, split_uri
from clary.services.sagemaker.service import SERVICE
from clary.services.tags import checked_tags
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_DETAILS: Output = {"ValidationStatuses": [], "ImageScanStatuses": []}
_MADE_FOR = "made_for"

PACKAGE = Resource(
    kind=PACKAGE_KIND,
    noun="ModelPackage",
    list_member="ModelPackageSummaryList",
    descending=False,
    status="Completed",
    exists=invalid("ModelPackage already exists: {arn}"),
    missing=invalid("ModelPackage {arn} does not exist."),
    shown=lambda row: {"ModelPackageStatusDetails": _DETAILS, **_named(row)},
    parent=lambda _context, spec: str(spec.get("ModelPackageGroupName", "")),
    equal={"ModelApprovalStatus": "ModelApprovalStatus"},
    verbs=("Describe", "Delete"),
)

declare(SERVICE, PACKAGE, effect="keeps state")


def _named(row: Row) -> Output:
    """A version is called by its group."""
    return {"ModelPackageName": row.parent or row.key.name}


def _on(call: Call) -> Sequence[str]:
    if "ModelPackageGroupName" not in call.params:
        return named(PACKAGE)(call)
    group = named(GROUP)(call)[0]
    account = call.principal.account
    return [group, sagemaker_arn(call.region, account, PACKAGE.kind, f"{group.rpartition('/')[2]}/*")]


@SERVICE.operation("CreateModelPackage", effect="keeps state", on=_on)
def create(context: Context, params: Params) -> Output:
    """A version of a group, or a package of its own name. Raises ValidationError."""
    if "ModelPackageName" in params and "ModelPackageGroupName" in params:
        raise ValidationError(
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot determine which one to "
            "use."
        )
    spec = _filled(context, params)
    if "ModelPackageGroupName" in params:
        return {"ModelPackageArn": _create_version(context, spec, params)}
    if "ModelPackageName" not in params:
        raise ValidationError("Missing ARN.")
    row = resources.new_row(PACKAGE, context, spec)
    return {"ModelPackageArn": resources.insert(PACKAGE, context, row, params.get("Tags")).arn}


def _filled(context: Context, params: Params) -> Params:
    if "ValidationSpecification" in params:
        raise not_offered("CreateModelPackage with ValidationSpecification")
    kept = {name: value for name, value in params.items() if name not in ("Tags", "ClientToken")}
    specification = params.get("InferenceSpecification") or _of_algorithm(context, params)
    filled = {"CertifyForMarketplace": False, "SkipModelValidation": "None", **kept}
    if specification is None:
        return filled
    return {**filled, "InferenceSpecification": tagged(context, specification)}


def _of_algorithm(context: Context, params: Params) -> Params | None:
    """The algorithm's own containers, with the model that it is said to have made."""
    sources = params.get("SourceAlgorithmSpecification", {}).get("SourceAlgorithms", ())
    for source in sources:
        algorithm = resources.require(ALGORITHM, context, source["AlgorithmName"])
        specification = algorithm.spec.get("InferenceSpecification")
        if specification is None:
            raise ValidationError(f"Algorithm {algorithm.arn} has no InferenceSpecification.")
        data = {name: source[name] for name in ("ModelDataUrl", "ModelDataSource") if name in source}
        return {**specification, "Containers": [{**each, **data} for each in specification["Containers"]]}
    return None


def tagged(context: Context, specification: Params) -> Params:
    """An inference specification whose model data are known by their ETags, where they are there."""
    return {**specification, "Containers": [_tagged(context, each) for each in specification["Containers"]]}


def _tagged(context: Context, container: Params) -> Params:
    url = container.get("ModelDataUrl", "")
    info = context.objects.head(*split_uri(url)) if url and is_object(context, url) else None
    return {**container, **({"ModelDataETag": info.etag.strip('"')} if info is not None else {})}


def _create_version(context: Context, spec: Params, params: Params) -> str:
    tags, token = checked_tags(params.get("Tags") or ()), params.get("ClientToken") or context.call.invocation_id

    def change(transaction: Transaction) -> str:
        group = resources.found(GROUP, context, transaction, params["ModelPackageGroupName"])
        made = _made_before(transaction, group, token)
        if made is not None:
            return made
        number = group.state.get("versions", 0) + 1
        transaction.save(replace(group, state={**group.state, "versions": number}))
        row = _version(context, group.key.name, number, spec)
        stored = transaction.insert(replace(row, state={**row.state, _MADE_FOR: token}))
        transaction.set_tags(stored.arn, tags)
        return stored.arn

    return context.store.write(change)


def _made_before(transaction: Transaction, group: Row, token: str) -> str | None:
    """The newest version, where this very request has made it: only that one can be asked for again."""
    newest = replace(group.key, kind=PACKAGE.kind, name=f"{group.key.name}/{group.state.get('versions', 0)}")
    row = transaction.get(newest)
    return row.arn if row is not None and token and row.state.get(_MADE_FOR) == token else None


def _version(context: Context, group: str, number: int, spec: Params) -> Row:
    said = {"ModelApprovalStatus": "PendingManualApproval", "ModelPackageRegistrationType": "Registered", **spec}
    named_by = {"ModelPackageName": f"{group}/{number}", "ModelPackageGroupName": group, "ModelPackageVersion": number}
    return resources.new_row(PACKAGE, context, {**said, **named_by})


@SERVICE.operation("ListModelPackages", effect="keeps state", on=lambda _call: ["*"])
def list_(context: Context, params: Params) -> Output:
    """Those of a group, or of the type that is asked for: where neither is said, those with a name of their own."""
    query = resources.query_of(PACKAGE, context, params)
    kind, asked = params.get("ModelPackageType"), sieve(PACKAGE, params)
    if "ModelPackageGroupName" in params:
        query = replace(query, parent=params["ModelPackageGroupName"].rpartition("/")[2])
    elif kind in (None, "Unversioned"):
        query = replace(query, parent="")
    else:
        asked = _versioned(asked) if kind == "Versioned" else asked
    found = resources.page(context, query, asked)
    return resources.listing(PACKAGE, found, lambda row: listed("sagemaker", "ListModelPackages", PACKAGE, row))


def _versioned(asked: Any) -> Any:  # noqa: ANN401  a sieve or None
    return lambda row: bool(row.parent) and (asked is None or asked(row))


def _on_arn(call: Call) -> Sequence[str]:
    return [call.params["ModelPackageArn"]]


@SERVICE.operation("UpdateModelPackage", effect="keeps state", on=_on_arn)
def update(context: Context, params: Params) -> Output:
    """What is said of it, above all whether it is approved. Raises ValidationError."""

    def change(row: Row) -> Row:
        return changed(context, row, _after(context, row, params))

    return {"ModelPackageArn": resources.change_row(PACKAGE, context, params["ModelPackageArn"], change).arn}


_NOT_KEPT = (
    "ModelPackageArn",
    "ClientToken",
    "CustomerMetadataProperties",
    "CustomerMetadataPropertiesToRemove",
    "AdditionalInferenceSpecificationsToAdd",
)


def _after(context: Context, row: Row, params: Params) -> Params:
    said = {name: value for name, value in params.items() if name not in _NOT_KEPT}
    gone = params.get("CustomerMetadataPropertiesToRemove", ())
    told = {**row.spec.get("CustomerMetadataProperties", {}), **params.get("CustomerMetadataProperties", {})}
    properties = {key: value for key, value in told.items() if key not in gone}
    more = [*row.spec.get("AdditionalInferenceSpecifications", ()), *_added(params)]
    if "InferenceSpecification" in said:
        said["InferenceSpecification"] = tagged(context, said["InferenceSpecification"])
    kept = {"CustomerMetadataProperties": properties or None, "AdditionalInferenceSpecifications": more or None}
    return {**row.spec, **said, **kept}


def _added(params: Params) -> list[Params]:
    return list(params.get("AdditionalInferenceSpecificationsToAdd", ()))


@SERVICE.operation(
    "BatchDescribeModelPackage", effect="keeps state", on=lambda call: list(call.params["ModelPackageArnList"])
)
def batch_describe(context: Context, params: Params) -> Output:
    """What is there, and what is wrong with the others, by ARN."""
    found: Output = {}
    wrong: Output = {}
    for arn in params["ModelPackageArnList"]:
        try:
            found[arn] = _of_batch(context, arn)
        except AWSError as error:
            wrong[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
    known = {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": wrong}
    return shown("sagemaker", "BatchDescribeModelPackage", known)


def _of_batch(context: Context, arn: str) -> Output:
    row = resources.require(PACKAGE, context, arn)
    if not row.parent or "InferenceSpecification" not in row.spec:
        raise ValidationError(f"ModelPackage {arn} is no version of a group with an InferenceSpecification.")
    return facts(PACKAGE, row)
