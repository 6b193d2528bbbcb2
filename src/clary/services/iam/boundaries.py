"""Permissions boundaries of users and roles
(https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from clary.services.context import Context
from clary.services.iam.attachments import require_attachable
from clary.services.iam.entities import ROLE, USER, Entity, require_changeable, save
from clary.services.iam.errors import no_such_entity
from clary.services.iam.publication import write
from clary.services.iam.service import SERVICE

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_Handler = Callable[[Context, dict[str, Any]], dict[str, Any]]


def _put(entity: Entity) -> _Handler:
    def handler(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        account, arn = context.call.principal.account, params["PermissionsBoundary"]

        def change(transaction: Transaction) -> None:
            require_attachable(transaction, account, arn)
            save(
                transaction, require_changeable(transaction, entity, account, params[entity.name_member]), boundary=arn
            )

        write(context, change)
        return {}

    return handler


def _delete(entity: Entity) -> _Handler:
    def handler(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        def change(transaction: Transaction) -> None:
            row = require_changeable(transaction, entity, context.call.principal.account, params[entity.name_member])
            if not row.state["boundary"]:
                raise no_such_entity(f"The {entity.kind} {params[entity.name_member]} has no permissions boundary.")
            save(transaction, row, boundary=None)

        write(context, change)
        return {}

    return handler


for _entity in (USER, ROLE):
    SERVICE.operation(f"Put{_entity.noun}PermissionsBoundary")(_put(_entity))
    SERVICE.operation(f"Delete{_entity.noun}PermissionsBoundary")(_delete(_entity))
