"""Aliases (https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html). The caller needs the right on the
alias, by its own policies, and on each key that is concerned."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clary.calls import Access
from clary.errors import AWSError
from clary.keys.rows import ALIAS
from clary.services.context import Context
from clary.services.kms.errors import no_alias
from clary.services.kms.keyed import allowed
from clary.services.kms.names import alias_arn
from clary.services.kms.rows import alias_key, check_alias, page, target
from clary.services.kms.service import SERVICE
from clary.services.resources import Output, Params, now
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


@SERVICE.operation("CreateAlias")
def create(context: Context, params: Params) -> Output:
    """Raises AlreadyExistsException, NotFoundException, InvalidAliasNameException, ValidationException."""
    name = _named(context, "CreateAlias", params)
    aimed = allowed(context, "CreateAlias", params["TargetKeyId"], params, aliases=False)
    key, made = alias_key(context, name), now()
    arn = alias_arn(context.region, context.account, name)
    marks = {"made_by": context.call.invocation_id}
    row = Row(key, arn, "", made, made, {"TargetKeyId": aimed.key.name}, marks, parent=aimed.key.name)

    def write(transaction: Transaction) -> None:
        there = transaction.get(key)
        if there is None:
            transaction.insert(row)
        elif not context.call.invocation_id or there.state.get("made_by") != context.call.invocation_id:
            raise AWSError("AlreadyExistsException", f"An alias with the name {arn} already exists")

    context.store.write(write)
    return {}


@SERVICE.operation("UpdateAlias")
def update(context: Context, params: Params) -> Output:
    """Raises NotFoundException, ValidationException."""
    name = _named(context, "UpdateAlias", params)
    there = _require(context, name)
    before = allowed(context, "UpdateAlias", there.spec["TargetKeyId"], params, aliases=False)
    aimed = allowed(context, "UpdateAlias", params["TargetKeyId"], params, aliases=False)
    for member in ("KeySpec", "KeyUsage"):
        if before.spec[member] != aimed.spec[member]:
            text = "Alias can only be updated to a key of the same type and key usage as the current key."
            raise AWSError("ValidationException", text)

    def write(transaction: Transaction) -> None:
        found = transaction.get(there.key)
        if found is None:
            raise no_alias(there.arn)
        spec = {"TargetKeyId": aimed.key.name}
        transaction.save(replace(found, spec=spec, parent=aimed.key.name, modified=now()))

    context.store.write(write)
    return {}


@SERVICE.operation("DeleteAlias")
def delete(context: Context, params: Params) -> Output:
    """Raises NotFoundException."""
    there = _require(context, _named(context, "DeleteAlias", params))
    allowed(context, "DeleteAlias", there.spec["TargetKeyId"], params, aliases=False)
    context.store.write(lambda transaction: transaction.delete(there.key))
    return {}


def _named(context: Context, operation: str, params: Params) -> str:
    name: str = params["AliasName"]
    wrong = check_alias(name)
    if wrong is not None:
        raise wrong
    context.authorise(Access(f"kms:{operation}", alias_arn(context.region, context.account, name)))
    return name


def _require(context: Context, name: str) -> Row:
    row = context.store.read.get(alias_key(context, name))
    if row is None:
        raise no_alias(alias_arn(context.region, context.account, name))
    return row


@SERVICE.operation("ListAliases")
def list_(context: Context, params: Params) -> Output:
    """By name; with KeyId those of one key. Raises InvalidMarkerException, NotFoundException."""
    parent = target(context, params["KeyId"]).name if params.get("KeyId") else None
    return page(context, ALIAS, params, "Aliases", _entry, parent)


def _entry(row: Row) -> Output:
    return {
        "AliasName": row.key.name,
        "AliasArn": row.arn,
        "TargetKeyId": row.spec["TargetKeyId"],
        "CreationDate": row.created,
        "LastUpdatedDate": row.modified,
    }
