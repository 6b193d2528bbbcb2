"""PutSecretValue, GetSecretValue, UpdateSecretVersionStage, ListSecretVersionIds
(https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from clary.errors import ValidationError
from clary.full_disk import is_full
from clary.keys.secrets import CURRENT, VERSION
from clary.services.context import Context
from clary.services.placed import page
from clary.services.resources import Output, Params, moment, now, present
from clary.services.secretsmanager import stages, values
from clary.services.secretsmanager.errors import bad_token, invalid, no_secret, no_value, refused, token_taken
from clary.services.secretsmanager.found import check_token, on_secret, version_id, version_key
from clary.services.secretsmanager.values import Value
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_DAY = 86_400
_KEPT = 100
"""Versions of one secret; the oldest of those that have no label go, after a day."""

_DEFAULT_PAGE = 100


def same(context: Context, secret: Row, token: str, value: Value) -> bool:
    """Whether the secret has a version of this id. Raises ResourceExistsException where its value is another one."""
    there = context.store.read.get(version_key(secret.key, token))
    if there is not None and values.opened(context, secret.arn, token, there) != value:
        raise token_taken(token, secret.arn)
    return there is not None


@on_secret("PutSecretValue")
def put(context: Context, params: Params, row: Row) -> Output:
    """Another one with the same token and value is the same. Raises ResourceExistsException, InvalidParameterException,
    InvalidRequestException."""
    value, token = values.given(params), check_token(params)
    if value is None:
        raise refused("You must provide either SecretString or SecretBinary.")
    labels = params.get("VersionStages") or [CURRENT]
    stored = add(context, row, token, value, labels)
    shown = stages.of_version(stored.state["stages"], token)
    return {"ARN": row.arn, "Name": row.key.name, "VersionId": token, "VersionStages": shown}


def add(context: Context, row: Row, token: str, value: Value, labels: Sequence[str]) -> Row:
    """A new version with these labels, or the one that is there; the secret as it is then. The first of all versions is
    the current one, whatever its labels. Raises ResourceExistsException."""
    made = now()
    kept = values.sealed(context, row.arn, token, row.spec.get("KmsKeyId"), value)
    key = version_key(row.key, token)
    version = Row(key, f"{row.arn}#{token}", "", made, made, {}, kept, parent=row.key.name)

    def write(transaction: Transaction) -> Row | None:
        secret = transaction.get(row.key)
        if secret is None or secret.arn != row.arn:
            raise no_secret()
        if transaction.get(key) is not None:
            return None
        transaction.insert(version)
        first = [] if secret.state["stages"] else [CURRENT]
        moved = stages.labelled(secret.state["stages"], token, [*labels, *first])
        _drop_old(transaction, row.key, moved)
        return transaction.save(replace(secret, state={**secret.state, "stages": moved}, modified=made))

    stored = context.store.write(write)
    if stored is not None:
        return stored
    if not same(context, row, token, value):
        raise no_secret()
    return context.store.read.get(row.key) or row


def _drop_old(transaction: Transaction, secret: Key, moved: stages.Stages) -> None:
    those, needed = transaction.children(VERSION, secret), set(moved.values())
    bare = sorted((row for row in those if version_id(row) not in needed), key=lambda row: row.created)
    young = now().timestamp() - _DAY
    for row in bare[: max(0, len(those) - _KEPT)]:
        if row.created.timestamp() < young:
            transaction.delete(row.key)


def re_encrypted(context: Context, row: Row, key: str) -> dict[Key, dict[str, Any]]:
    """The states of all versions that have a label, under another key."""
    again = {}
    for version in set(row.state["stages"].values()):
        there = context.store.read.get(version_key(row.key, version))
        if there is not None:
            value = values.opened(context, row.arn, version, there)
            again[there.key] = {**there.state, **values.sealed(context, row.arn, version, key, value)}
    return again


@on_secret("GetSecretValue")
def get(context: Context, params: Params, row: Row) -> Output:
    """Raises ResourceNotFoundException, InvalidRequestException."""
    return value_of(context, row, params.get("VersionId"), params.get("VersionStage"))


def value_of(context: Context, row: Row, version: str | None = None, stage: str | None = None) -> Output:
    """GetSecretValue's output; of the current version, unless another is named."""
    labels = row.state["stages"]
    chosen = version or labels.get(stage or CURRENT)
    if chosen is None:
        raise no_value(f"staging label: {stage or CURRENT}")
    there = context.store.read.get(version_key(row.key, chosen))
    if there is None:
        raise no_value(f"VersionId: {chosen}")
    if version and stage and labels.get(stage) != version:
        raise refused("You provided a VersionStage that is not associated to the provided VersionId.")
    value = values.opened(context, row.arn, chosen, there)
    _note_access(context, row, there)
    shown = {"ARN": row.arn, "Name": row.key.name, "VersionId": chosen, "CreatedDate": there.created}
    held = stages.of_version(labels, chosen)
    return {**shown, **value.shown(), **present({"VersionStages": held or None})}


def _note_access(context: Context, secret: Row, version: Row) -> None:
    """The day of both, as AWS tells it: a read writes once a day at most. On a full disk it is read all the same."""
    today = time.time() // _DAY * _DAY
    if secret.state.get("accessed") == version.state.get("accessed") == today:
        return

    def write(transaction: Transaction) -> None:
        for there in filter(None, map(transaction.get, (secret.key, version.key))):
            transaction.save(replace(there, state={**there.state, "accessed": today}))

    try:
        context.store.write(write)
    except Exception as error:  # by whichever library it is told
        if not is_full(error):
            raise


@on_secret("UpdateSecretVersionStage")
def update_stage(context: Context, params: Params, row: Row) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterException."""
    to, source = params.get("MoveToVersionId"), params.get("RemoveFromVersionId")

    def write(transaction: Transaction) -> None:
        secret = transaction.get(row.key)
        if secret is None:
            raise no_secret()
        for version in filter(None, (to, source)):
            if transaction.get(version_key(row.key, version)) is None:
                raise no_value(f"VersionId: {version}")
        moved = stages.moved(secret.state["stages"], params["VersionStage"], to, source)
        if to and len(stages.of_version(moved, to)) > stages.MOST:
            raise invalid(f"A version may have at most {stages.MOST} staging labels.")
        transaction.save(replace(secret, state={**secret.state, "stages": moved}, modified=now()))

    context.store.write(write)
    return {"ARN": row.arn, "Name": row.key.name}


@on_secret("ListSecretVersionIds", deleted_too=True)
def list_(context: Context, params: Params, row: Row) -> Output:
    """Newest first; those without a label only with IncludeDeprecated. Raises InvalidNextTokenException."""
    labels, those = row.state["stages"], context.store.read.children(VERSION, row.key)
    wanted = [each for each in those if params.get("IncludeDeprecated") or version_id(each) in labels.values()]
    placed = list(_placed(wanted, labels))
    try:
        shown, token = page(placed, params, params.get("MaxResults") or _DEFAULT_PAGE, descending=True)
    except ValidationError:
        raise bad_token() from None
    return {"ARN": row.arn, "Name": row.key.name, **present({"Versions": shown, "NextToken": token})}


def _placed(rows: Iterable[Row], labels: stages.Stages) -> Iterable[tuple[list[Any], Output]]:
    for row in rows:
        version = version_id(row)
        said: dict[str, str | list[str] | datetime | None] = {
            "VersionId": version,
            "VersionStages": stages.of_version(labels, version) or None,
            "CreatedDate": row.created,
            "LastAccessedDate": moment(row.state.get("accessed")),
            "KmsKeyIds": [row.state["kms_key"]],
        }
        yield [row.created.timestamp(), version], present(said)
