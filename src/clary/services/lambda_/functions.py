"""Functions (https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html): what is asked for is written down,
controllers prepare it, edges invoke it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.lifecycles.function import ALIAS_KIND, KIND, LIFECYCLE, PENDING, VERSION_KIND
from clary.services import resources
from clary.services.context import Context
from clary.services.lambda_ import spec as specs
from clary.services.lambda_.code import keep, store_of
from clary.services.lambda_.errors import conflict, invalid, no_function
from clary.services.lambda_.images import code_of, is_image
from clary.services.lambda_.references import LATEST, Reference
from clary.services.lambda_.rows import (
    alias_key,
    check_revision,
    fresh_id,
    key_of,
    listed,
    of,
    require,
    require_qualified,
    version_key,
    write,
)
from clary.services.lambda_.service import SERVICE
from clary.services.lambda_.versions import publish_version
from clary.services.lambda_.view import configuration
from clary.services.resources import Output, Params, now
from clary.store.rows import Row
from clary.workload.functions.published import publish

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

FUNCTION = resources.Resource(
    kind=KIND,
    noun="Function",
    list_member="Functions",
    exists=lambda arn: conflict(f"Function already exist: {arn.rpartition(':')[2]}"),
    missing=no_function,
)


@SERVICE.operation("CreateFunction")
def create(context: Context, params: Params) -> Output:
    """Raises InvalidParameterValueException, ResourceConflictException."""
    named = of(context, params)
    if named.account != context.account or named.region != context.region or named.qualifier:
        raise invalid("The function name must name a function of this account and region.")
    spec = specs.created(context, {**params, "FunctionName": named.name})
    spec |= _code(context, params["Code"], spec)
    made = now()
    row = Row(key_of(named), named.function_arn, PENDING, made, made, spec, _begun({"next_version": 1}))
    tags = [{"Key": key, "Value": value} for key, value in (params.get("Tags") or {}).items()]
    stored = resources.insert(FUNCTION, context, row, tags)
    publish(context.store.read, context.settings)
    context.wake(stored.key)
    return publish_version(context, named, {}) if params.get("Publish") else configuration(stored)


@SERVICE.operation("GetFunction")
def get(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    named = of(context, params)
    row = require_qualified(context.store.read, named)
    function = require(context.store.read, named)
    tags = context.store.read.tags(named.function_arn)
    reserved = function.state.get("reserved")
    return resources.present(
        {
            "Configuration": configuration(row, _arn(named)),
            "Code": _repository(context, row.spec),
            "Tags": tags or None,
            "Concurrency": None if reserved is None else {"ReservedConcurrentExecutions": reserved},
        }
    )


def _repository(context: Context, spec: Mapping[str, Any]) -> Output:
    if is_image(spec):
        return {"RepositoryType": "ECR", "ImageUri": spec["ImageUri"], "ResolvedImageUri": spec["Image"]}
    return {"RepositoryType": "S3", "Location": location(context, spec["Code"])}


def location(context: Context, digest: str) -> str:
    """Where a zip can be had, by whoever was told of it."""
    return f"{context.settings.endpoint_url}/_clary/code/{digest}.zip"


@SERVICE.operation("GetFunctionConfiguration")
def get_configuration(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    named = of(context, params)
    return configuration(require_qualified(context.store.read, named), _arn(named))


def _arn(named: Reference) -> str:
    return named.arn


@SERVICE.operation("ListFunctions")
def list_(context: Context, params: Params) -> Output:
    """By name; with FunctionVersion=ALL every version."""
    found = listed(context, KIND, params, "Functions", _entry)
    if params.get("FunctionVersion") == "ALL":
        versions = [
            row
            for row in context.store.read.rows(VERSION_KIND)
            if (row.key.account, row.key.region) == (context.account, context.region)
        ]
        shown = {each["FunctionName"] for each in found["Functions"]}
        found["Functions"] += [_entry(row) for row in versions if row.parent in shown]
    return found


def _entry(row: Row) -> Output:
    """Lists show no states."""
    left_out = ("State", "StateReason", "StateReasonCode", "LastUpdateStatus", "LastUpdateStatusReason")
    return {name: value for name, value in configuration(row, _qualified(row)).items() if name not in left_out}


def _qualified(row: Row) -> str:
    return row.arn


@SERVICE.operation("UpdateFunctionCode")
def update_code(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterValueException, PreconditionFailedException."""
    named = of(context, params)
    row = require(context.store.read, named)
    check_revision(row, params)
    code = _code(context, params, row.spec)
    if params.get("Architectures"):
        code["Architectures"] = params["Architectures"]
    if params.get("DryRun"):
        return configuration(replace(row, spec={**row.spec, **code}))
    return _change(context, named, params, lambda spec: {**spec, **code})


@SERVICE.operation("UpdateFunctionConfiguration")
def update_configuration(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterValueException, PreconditionFailedException."""
    named = of(context, params)
    return _change(context, named, params, lambda spec: specs.changed(context, dict(spec), params))


def _change(context: Context, named: Reference, params: Params, change: Any) -> Output:  # noqa: ANN401  spec → spec
    spec = change(require(context.store.read, named).spec)

    def apply(transaction: Transaction) -> Row:
        row = require(transaction, named)
        check_revision(row, params)
        fresh = change(row.spec) if row.spec != spec else spec
        status = LIFECYCLE.check(row.status, PENDING)
        return transaction.save(replace(row, spec=fresh, status=status, state=_begun(row.state), modified=now()))

    saved = write(context, apply)
    context.wake(saved.key)
    return publish_version(context, named, {}) if params.get("Publish") else configuration(saved)


@SERVICE.operation("DeleteFunction")
def delete(context: Context, params: Params) -> Output:
    """All of it, or one version. Raises ResourceNotFoundException, ResourceConflictException."""
    named = of(context, params)
    if named.qualifier == LATEST:
        raise invalid("$LATEST version cannot be deleted without deleting the function.")
    write(context, lambda transaction: _delete(transaction, named))
    context.wake(key_of(named))
    return {"StatusCode": 204}


def _delete(transaction: Transaction, named: Reference) -> None:
    row = require(transaction, named)
    if not named.qualifier:
        for kind in (VERSION_KIND, ALIAS_KIND):
            for child in transaction.children(kind, row.key):
                transaction.delete(child.key)
        transaction.delete(row.key)
        return
    using = [each for each in transaction.children(ALIAS_KIND, row.key) if _uses(each, named.qualifier)]
    if using:
        raise conflict(f"The following aliases reference this version: [{', '.join(a.spec['Name'] for a in using)}]")
    if transaction.get(alias_key(named, named.qualifier)) is not None:
        raise invalid("A function cannot be deleted by an alias; delete the alias or name a version.")
    if not transaction.delete(version_key(named, named.qualifier)):
        raise no_function(named.arn)


def _uses(alias: Row, number: str) -> bool:
    weights = (alias.spec.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return alias.spec["FunctionVersion"] == number or number in weights


def _code(context: Context, code: Params, spec: Any) -> dict[str, Any]:  # noqa: ANN401  a spec, of a row or in the making
    if is_image(spec):
        if not code.get("ImageUri"):
            raise invalid("Please provide ImageUri when updating a function with packageType Image.")
        return code_of(context, code["ImageUri"])
    if code.get("ImageUri"):
        raise invalid("Please don't provide ImageUri when updating a function with packageType Zip.")
    digest = keep(context, code, spec.get("LayerCode") or ())
    return {"Code": digest, "CodeSize": store_of(context).size(digest)}


def _begun(state: Any) -> dict[str, Any]:  # noqa: ANN401  a row's state
    """Of a function that is to be prepared (anew): environments made before are not used any more."""
    return {**state, "revision": fresh_id(), "environment": fresh_id(), "reason": ""}
