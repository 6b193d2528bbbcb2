"""Operations on one secret: it is found, and the caller's right looked at, before anything else happens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.calls import Access
from clary.errors import ValidationError
from clary.identity.denial import denied
from clary.identity.policy import compile_policy
from clary.identity.resource_policy import ResourcePolicy
from clary.keys.secrets import KIND, VERSION
from clary.names import Arn
from clary.services.context import Context
from clary.services.registry import Effect, Handler
from clary.services.resources import Output, Params, now
from clary.services.secretsmanager.errors import deleted, invalid, no_secret
from clary.services.secretsmanager.service import SERVICE
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

OnSecret = Callable[[Context, Params, Row], Output]
_Pair = tuple[str, str | list[str]]

_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]+")
_PREFIX = "secret:"
_PLAIN = {
    "Name": "Name",
    "Description": "Description",
    "KmsKeyId": "KmsKeyId",
    "VersionId": "VersionId",
    "VersionStage": "VersionStage",
    "RecoveryWindowInDays": "RecoveryWindowInDays",
    "RotationLambdaARN": "RotationLambdaARN",
}
_TOKENS = ("PutSecretValue", "RotateSecret", "UpdateSecret")
_FLAGS = ("ForceDeleteWithoutRecovery", "BlockPublicPolicy", "RotateImmediately")


def on_secret(
    operation: str, *, deleted_too: bool = False, effect: Effect = "executes"
) -> Callable[[OnSecret], Handler]:
    """Offer an operation whose SecretId names a secret; `deleted_too`: also one that is marked for deletion."""

    def offer(handler: OnSecret) -> Handler:
        @SERVICE.operation(operation, effect=effect)
        def carry_out(context: Context, params: Params) -> Output:
            _check(operation, params)
            row = allowed(context, operation, params["SecretId"], params)
            if row is None:
                raise no_secret()
            if row.state.get("deletes") and not deleted_too:
                raise deleted()
            return handler(context, params, row)

        return carry_out

    return offer


def _check(operation: str, params: Params) -> None:
    """What AWS says whether or not there is such a secret."""
    if not params["SecretId"].startswith("arn:"):
        check_name(params["SecretId"])
    makes = operation != "UpdateSecret" or params.keys() & {"SecretString", "SecretBinary"}
    if operation in _TOKENS and makes:
        check_token(params)


def check_name(name: str) -> None:
    """Raises ValidationException."""
    if not _NAME.fullmatch(name):
        text = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: "
        raise ValidationError(f"{text}-/_+=.@!")


def check_token(params: Params) -> str:
    """A version's id, which SDKs make up. Raises InvalidParameterException."""
    token: str | None = params.get("ClientRequestToken")
    if not token:
        raise invalid("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
    return token


def allowed(context: Context, operation: str, given: str, params: Params) -> Row | None:
    """The secret that is named, for one who may; None where there is none. Raises AccessDeniedException."""
    row = find(context, given)
    authorise(context, operation, row.arn if row else _arn(context, given), row, params)
    return row


def authorise(context: Context, operation: str, arn: str, row: Row | None, params: Params) -> None:
    """Raises AccessDeniedException."""
    access = Access(f"secretsmanager:{operation}", arn, dict(_conditions(context, row, params)))
    document = row.spec.get("Policy") if row else None
    policy = ResourcePolicy(compile_policy(document, arn)) if document else ResourcePolicy()
    decision = context.decide(access, policy)
    if not decision.allowed:
        raise denied("secretsmanager", context.call.principal, access.action, arn, decision)


def find(context: Context, given: str) -> Row | None:
    """By name, by ARN, or by an ARN without its last six letters; another account's by its whole ARN."""
    name = given
    if given.startswith("arn:"):
        row = context.store.read.by_arn(given)
        if row is not None and row.key.kind == KIND:
            return row if row.key.region == context.region else None
        prefix = _arn(context, "")
        if not given.startswith(prefix):
            return None
        name = given.removeprefix(prefix)
    return context.store.read.get(key_of(context, name))


def require(context: Context, given: str) -> Row:
    """Raises ResourceNotFoundException."""
    row = find(context, given)
    if row is None:
        raise no_secret()
    return row


def key_of(context: Context, name: str) -> Key:
    """The key of a secret's row."""
    return Key(KIND, context.account, context.region, name)


def version_key(secret: Key, version: str) -> Key:
    """The key of a version's row: a secret's name has no blank."""
    return Key(VERSION, secret.account, secret.region, f"{secret.name} {version}")


def version_id(row: Row) -> str:
    """Of a version's row."""
    return row.key.name.partition(" ")[2]


def _arn(context: Context, name: str) -> str:
    if name.startswith("arn:"):
        return name
    return str(Arn("secretsmanager", context.region, context.account, f"{_PREFIX}{name}"))


def change(context: Context, row: Row, changed: Callable[[Row], Row]) -> Row:
    """Replace a secret's row by what `changed` makes of it, with nothing in between. Raises
    ResourceNotFoundException."""

    def apply(transaction: Transaction) -> Row:
        there = transaction.get(row.key)
        if there is None:
            raise no_secret()
        return transaction.save(replace(changed(there), modified=now()))

    stored = context.store.write(apply)
    context.wake(stored.key)
    return stored


def _conditions(context: Context, row: Row | None, params: Params) -> Iterator[_Pair]:
    if row is not None:
        yield "secretsmanager:SecretId", row.arn
        for name, value in context.store.read.tags(row.arn).items():
            yield f"aws:ResourceTag/{name}", value
            yield f"secretsmanager:ResourceTag/{name}", value
    for member, key in _PLAIN.items():
        if params.get(member) is not None:
            yield f"secretsmanager:{key}", str(params[member])
    for member in _FLAGS:
        if member in params:
            yield f"secretsmanager:{member}", str(bool(params[member])).lower()
    tags = params.get("Tags")
    if tags:
        yield from ((f"aws:RequestTag/{tag.get('Key')}", tag.get("Value") or "") for tag in tags)
    keys = [tag.get("Key") or "" for tag in tags] if tags else params.get("TagKeys")
    if keys:
        yield "aws:TagKeys", list(keys)
