"""Policies of users, roles and groups, attached and inline: the same eight operations for each of the three
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html, …API_PutRolePolicy.html)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from clary.identity.grammar import check_identity_policy
from clary.identity.managed import managed_policies
from clary.identity.policy import MalformedPolicy
from clary.services.context import Context
from clary.services.iam.entities import (
    ENTITIES,
    POLICY,
    Entity,
    Rows,
    require,
    require_changeable,
    save,
    shown_document,
)
from clary.services.iam.errors import limit_exceeded, malformed_policy, no_such_entity, validation
from clary.services.iam.listing import page
from clary.services.iam.publication import write
from clary.services.iam.service import SERVICE
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_ATTACHED_AT_MOST = 10
_INLINE_BYTES = {"user": 2048, "role": 10_240, "group": 5120}
"""Sum of an entity's inline policies, blanks not counted
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)."""

_Handler = Callable[[Context, dict[str, Any]], dict[str, Any]]


def checked_policy(text: str) -> str:
    """The document, if IAM would take it. Raises MalformedPolicyDocument."""
    try:
        check_identity_policy(text)
    except MalformedPolicy as error:
        raise malformed_policy(str(error)) from error
    return text


def policy_row(rows: Rows, account: str, arn: str) -> Row | None:
    """A customer's policy by its ARN."""
    row = rows.by_arn(arn)
    return row if row is not None and row.key.kind == POLICY and row.key.account == account else None


def require_attachable(rows: Rows, account: str, arn: str) -> None:
    """Raises ValidationError for what is no ARN, NoSuchEntity."""
    if not arn.startswith("arn:"):
        raise validation("Invalid ARN:  Could not be parsed!")
    if arn not in managed_policies() and policy_row(rows, account, arn) is None:
        raise no_such_entity(f"Policy {arn} does not exist or is not attachable.")


def _name_of(arn: str) -> str:
    return arn.rpartition("/")[2]


def _attach(entity: Entity) -> _Handler:
    def handler(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        account, arn = context.call.principal.account, params["PolicyArn"]

        def change(transaction: Transaction) -> None:
            row = require_changeable(transaction, entity, account, params[entity.name_member])
            require_attachable(transaction, account, arn)
            attached = row.state["attached"]
            if arn in attached:
                return
            if len(attached) >= _ATTACHED_AT_MOST:
                raise limit_exceeded(f"Cannot exceed quota for PoliciesPer{entity.noun}: {_ATTACHED_AT_MOST}")
            save(transaction, row, attached=[*attached, arn])

        write(context, change)
        return {}

    return handler


def _detach(entity: Entity) -> _Handler:
    def handler(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        account, arn = context.call.principal.account, params["PolicyArn"]

        def change(transaction: Transaction) -> None:
            row = require_changeable(transaction, entity, account, params[entity.name_member])
            if arn not in row.state["attached"]:
                raise no_such_entity(f"Policy {arn} was not found.")
            save(transaction, row, attached=[each for each in row.state["attached"] if each != arn])

        write(context, change)
        return {}

    return handler


def _list_attached(entity: Entity) -> _Handler:
    def handler(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        row = require(context.store.read, entity, context.call.principal.account, params[entity.name_member])
        prefix = params.get("PathPrefix", "/")
        arns = [arn for arn in row.state["attached"] if arn.partition(":policy")[2].startswith(prefix)]
        return page(
            "AttachedPolicies", arns, params, _name_of, lambda arn: {"PolicyName": _name_of(arn), "PolicyArn": arn}
        )

    return handler


def _put(entity: Entity) -> _Handler:
    limit = _INLINE_BYTES[entity.kind]

    def handler(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        account, text = context.call.principal.account, checked_policy(params["PolicyDocument"])

        def change(transaction: Transaction) -> None:
            row = require_changeable(transaction, entity, account, params[entity.name_member])
            inline = {**row.state["inline"], params["PolicyName"]: text}
            if sum(len("".join(each.split())) for each in inline.values()) > limit:
                owner = row.spec[entity.name_member]
                raise limit_exceeded(f"Maximum policy size of {limit} bytes exceeded for {entity.kind} {owner}")
            save(transaction, row, inline=inline)

        write(context, change)
        return {}

    return handler


def _require_inline(entity: Entity, row: Row, name: str) -> str:
    text = row.state["inline"].get(name)
    if text is None:
        raise no_such_entity(f"The {entity.kind} policy with name {name} cannot be found.")
    return str(text)


def _get(entity: Entity) -> _Handler:
    def handler(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        row = require(context.store.read, entity, context.call.principal.account, params[entity.name_member])
        text = _require_inline(entity, row, params["PolicyName"])
        return {
            entity.name_member: row.spec[entity.name_member],
            "PolicyName": params["PolicyName"],
            "PolicyDocument": shown_document(text),
        }

    return handler


def _delete(entity: Entity) -> _Handler:
    def handler(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        account, name = context.call.principal.account, params["PolicyName"]

        def change(transaction: Transaction) -> None:
            row = require_changeable(transaction, entity, account, params[entity.name_member])
            _require_inline(entity, row, name)
            save(transaction, row, inline={each: text for each, text in row.state["inline"].items() if each != name})

        write(context, change)
        return {}

    return handler


def _list(entity: Entity) -> _Handler:
    def handler(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        row = require(context.store.read, entity, context.call.principal.account, params[entity.name_member])
        return page("PolicyNames", row.state["inline"], params, lambda name: name, lambda name: name)

    return handler


for _entity in ENTITIES:
    for _pattern, _make in (
        ("Attach{}Policy", _attach),
        ("Detach{}Policy", _detach),
        ("ListAttached{}Policies", _list_attached),
        ("Put{}Policy", _put),
        ("Get{}Policy", _get),
        ("Delete{}Policy", _delete),
        ("List{}Policies", _list),
    ):
        SERVICE.operation(_pattern.format(_entity.noun))(_make(_entity))
