"""Aliases: names for a version, or for two by weight
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.lifecycles.function import ALIAS_KIND
from clary.services.context import Context
from clary.services.lambda_.errors import conflict, invalid, no_function, not_found
from clary.services.lambda_.references import LATEST, Reference
from clary.services.lambda_.rows import alias_key, check_revision, fresh_id, listed, of, require, version_key, write
from clary.services.lambda_.service import SERVICE
from clary.services.resources import Output, Params, now, present
from clary.store.rows import AlreadyExists, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_MEMBERS = ("Name", "FunctionVersion", "Description", "RoutingConfig")


@SERVICE.operation("CreateAlias")
def create(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, ResourceConflictException, InvalidParameterValueException."""
    named = of(context, params)
    spec = {"Description": "", **{name: params[name] for name in _MEMBERS if params.get(name) is not None}}
    arn, made = f"{named.function_arn}:{params['Name']}", now()
    state = {"revision": fresh_id()}
    row = Row(alias_key(named, params["Name"]), arn, "", made, made, spec, state, parent=named.name)

    def apply(transaction: Transaction) -> Row:
        _check(transaction, named, spec)
        return transaction.insert(row)

    try:
        return _shown(write(context, apply))
    except AlreadyExists:
        raise conflict(f"Alias already exists: {arn}") from None


@SERVICE.operation("UpdateAlias")
def update(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, PreconditionFailedException, InvalidParameterValueException."""
    named = of(context, params)

    def apply(transaction: Transaction) -> Row:
        row = _require(transaction, named, params["Name"])
        check_revision(row, params)
        spec = {**row.spec, **{name: params[name] for name in _MEMBERS if params.get(name) is not None}}
        _check(transaction, named, spec)
        return transaction.save(replace(row, spec=spec, state={**row.state, "revision": fresh_id()}, modified=now()))

    return _shown(write(context, apply))


@SERVICE.operation("GetAlias")
def get(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    named = of(context, params)
    return _shown(_require(context.store.read, named, params["Name"]))


@SERVICE.operation("ListAliases")
def list_(context: Context, params: Params) -> Output:
    """By name; of one version, where the request says so. Raises ResourceNotFoundException."""
    named = of(context, params)
    require(context.store.read, named)
    found = listed(context, ALIAS_KIND, params, "Aliases", _shown, parent=named.name)
    wanted = params.get("FunctionVersion")
    if wanted:
        found["Aliases"] = [each for each in found["Aliases"] if each["FunctionVersion"] == wanted]
    return found


@SERVICE.operation("DeleteAlias")
def delete(context: Context, params: Params) -> Output:
    """One that is not there is nothing. Raises ResourceNotFoundException where the function is not there."""
    named = of(context, params)

    def apply(transaction: Transaction) -> None:
        require(transaction, named)
        transaction.delete(alias_key(named, params["Name"]))

    write(context, apply)
    return {}


def _require(view: Any, named: Reference, name: str) -> Row:  # noqa: ANN401  a reader or a transaction
    require(view, named)
    row: Row | None = view.get(alias_key(named, name))
    if row is None:
        raise not_found(f"Cannot find alias arn: {named.function_arn}:{name}")
    return row


def _check(transaction: Transaction, named: Reference, spec: Params) -> None:
    """The versions are there, and the weights make sense."""
    require(transaction, named)
    weights = (spec.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    if len(weights) > 1:
        raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    if weights and LATEST in (spec["FunctionVersion"], *weights):
        raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
    if spec["FunctionVersion"] in weights:
        raise invalid(
            f"Invalid function version {spec['FunctionVersion']}. Function version {spec['FunctionVersion']} "
            "is already included in routing configuration."
        )
    for number in (spec["FunctionVersion"], *weights):
        if number != LATEST and transaction.get(version_key(named, number)) is None:
            raise no_function(f"{named.function_arn}:{number}")


def _shown(row: Row) -> Output:
    return present({"AliasArn": row.arn, **row.spec, "RevisionId": row.state["revision"]})
