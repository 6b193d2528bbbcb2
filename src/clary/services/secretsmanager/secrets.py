"""CreateSecret, UpdateSecret, DescribeSecret, DeleteSecret, RestoreSecret
(https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html)."""

from __future__ import annotations

import secrets
import string
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.keys.rows import DAY
from clary.keys.secrets import CURRENT, VERSION
from clary.names import Arn
from clary.services.context import Context
from clary.services.resources import MADE_BY, Output, Params, made_before, moment, now, present
from clary.services.secretsmanager import stages, values
from clary.services.secretsmanager.errors import exists, invalid, no_secret, refused
from clary.services.secretsmanager.found import (
    allowed,
    authorise,
    change,
    check_name,
    check_token,
    find,
    key_of,
    on_secret,
    require,
    version_key,
)
from clary.services.secretsmanager.secret_view import description
from clary.services.secretsmanager.service import SERVICE
from clary.services.secretsmanager.tags import checked
from clary.services.secretsmanager.versions import add, re_encrypted, same
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_LETTERS = string.ascii_letters + string.digits
_SUFFIX = 6
_DAYS = range(7, 31)


@SERVICE.operation("CreateSecret")
def create(context: Context, params: Params) -> Output:
    """Another one with the same token and value is the same. Raises ResourceExistsException, InvalidRequestException,
    InvalidParameterException."""
    name, value = params["Name"], values.given(params)
    _check(params)
    arn = str(Arn("secretsmanager", context.region, context.account, f"secret:{name}-{_suffix()}"))
    authorise(context, "CreateSecret", arn, None, params)
    token = check_token(params)
    there = find(context, name)
    if there is not None:
        return _made_before(context, there, token, value)
    tags, made = checked(params.get("Tags") or ()), now()
    spec = present({"Description": params.get("Description"), "KmsKeyId": params.get("KmsKeyId")})
    state = {"stages": {CURRENT: token} if value else {}, MADE_BY: context.call.invocation_id}
    row = Row(key_of(context, name), arn, "", made, made, spec, state)
    kept = values.sealed(context, arn, token, params.get("KmsKeyId"), value) if value else None

    def write(transaction: Transaction) -> Row | None:
        if transaction.get(row.key) is not None:
            return None
        if kept is not None:
            version = version_key(row.key, token)
            transaction.insert(Row(version, f"{arn}#{token}", "", made, made, {}, kept, parent=name))
        transaction.set_tags(arn, tags)
        return transaction.insert(row)

    stored = context.store.write(write)
    if stored is None:  # another has made it meanwhile
        return _made_before(context, require(context, name), token, value)
    return present({"ARN": arn, "Name": name, "VersionId": token if value else None})


def _check(params: Params) -> None:
    check_name(params["Name"])
    for member in ("AddReplicaRegions", "Type", "CrossAccountPrimaryARN"):
        if params.get(member):
            raise invalid(f"{member} is not offered by Clary.")


def _never_there(context: Context, given: str) -> Output:
    """As if it had been: whoever wants it gone need not ask first."""
    made_up = str(Arn("secretsmanager", context.region, context.account, f"secret:{given}-{_suffix()}"))
    return {"ARN": given if given.startswith("arn:") else made_up, "Name": given, "DeletionDate": now()}


def _suffix() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_SUFFIX))


def _made_before(context: Context, there: Row, token: str, value: values.Value | None) -> Output:
    if there.state.get("deletes"):
        text = "You can't create this secret because a secret with this name is already scheduled for deletion."
        raise refused(text)
    if made_before(context, there) or (value is not None and same(context, there, token, value)):
        return present({"ARN": there.arn, "Name": there.key.name, "VersionId": token if value else None})
    raise exists(f"The operation failed because the secret {there.key.name} already exists.")


@on_secret("DescribeSecret", deleted_too=True)
def describe(context: Context, _params: Params, row: Row) -> Output:
    """Raises ResourceNotFoundException."""
    tags = context.store.read.tags(row.arn)
    shown = description(row, tags)
    return present({**shown, "VersionIdsToStages": stages.by_version(row.state["stages"]) or None})


@on_secret("UpdateSecret")
def update(context: Context, params: Params, row: Row) -> Output:
    """Description and key, and a new current version where a value is given. Raises ResourceExistsException,
    InvalidParameterException."""
    if params.get("Type"):
        raise invalid("Type is not offered by Clary.")
    value, key = values.given(params), params.get("KmsKeyId")
    token = check_token(params) if value else None
    again = re_encrypted(context, row, key) if key and key != row.spec.get("KmsKeyId") else {}
    wanted = present({"Description": params.get("Description"), "KmsKeyId": key})

    def write(transaction: Transaction) -> None:
        there = transaction.get(row.key)
        if there is None:
            raise no_secret()
        transaction.save(replace(there, spec={**there.spec, **wanted}, modified=now()))
        for version, kept in again.items():
            found = transaction.get(version)
            if found is not None:
                transaction.save(replace(found, state=kept))

    context.store.write(write)
    if value is not None and token is not None:
        add(context, replace(row, spec={**row.spec, **wanted}), token, value, [CURRENT])
    return present({"ARN": row.arn, "Name": row.key.name, "VersionId": token})


@SERVICE.operation("DeleteSecret")
def delete(context: Context, params: Params) -> Output:
    """After a window in which it can be restored, by a controller; or at once. Raises ResourceNotFoundException,
    InvalidParameterException, InvalidRequestException."""
    days, force = params.get("RecoveryWindowInDays"), bool(params.get("ForceDeleteWithoutRecovery"))
    if force and days is not None:
        raise invalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
    if days is not None and days not in _DAYS:
        raise invalid("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
    if not params["SecretId"].startswith("arn:"):
        check_name(params["SecretId"])
    row = allowed(context, "DeleteSecret", params["SecretId"], params)
    if row is None:
        if not force:
            raise no_secret()
        return _never_there(context, params["SecretId"])
    if force:
        return _gone(context, row)
    return _marked(context, row, days or _DAYS[-1])


def _marked(context: Context, row: Row, days: int) -> Output:
    marked, mark = now().timestamp(), context.call.invocation_id

    def changed(there: Row) -> Row:
        if there.state.get("deletes"):
            if mark and there.state.get("deleted_by") == mark:
                return there
            raise refused("You tried to perform the operation on a secret that's currently marked deleted.")
        state = {**there.state, "deleted": marked, "deletes": marked + days * DAY, "deleted_by": mark}
        return replace(there, state=state)

    stored = change(context, row, changed)
    return {"ARN": row.arn, "Name": row.key.name, "DeletionDate": moment(stored.state["deletes"])}


def _gone(context: Context, row: Row) -> Output:
    context.store.write(lambda transaction: remove(transaction, row.key))
    return {"ARN": row.arn, "Name": row.key.name, "DeletionDate": now()}


def remove(transaction: Transaction, key: Key) -> None:
    """The secret and all its versions."""
    for version in transaction.children(VERSION, key):
        transaction.delete(version.key)
    transaction.delete(key)


@on_secret("RestoreSecret", deleted_too=True)
def restore(context: Context, _params: Params, row: Row) -> Output:
    """Raises ResourceNotFoundException."""

    def changed(there: Row) -> Row:
        return replace(there, state={**there.state, "deleted": None, "deletes": None, "deleted_by": ""})

    change(context, row, changed)
    return {"ARN": row.arn, "Name": row.key.name}
