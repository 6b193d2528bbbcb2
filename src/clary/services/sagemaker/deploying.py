"""What endpoints and inference components have in common: a row whose `next` takes the place of its `current`.

Operations write what is wanted; `controllers/endpoint.py` makes it so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clary.errors import AWSError
from clary.lifecycles.endpoint import (
    DELETED,
    DELETING,
    FAILED,
    IN_SERVICE,
    LIFECYCLE,
    UPDATE_ROLLBACK_FAILED,
    UPDATING,
    Deployment,
    leaving_name,
)
from clary.names import random_hex
from clary.services import resources
from clary.services.context import Context
from clary.services.resources import Params, Resource
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

AT_REST = frozenset({IN_SERVICE, UPDATE_ROLLBACK_FAILED, FAILED})
"""No change is under way."""

_CHANGED_BY = "changed_by"
"""In a row's state: the invocation that asked for the last change."""

Check = Callable[["Transaction", Row], None]
"""Raises AWSError where a row must not be deleted."""


@dataclass(frozen=True)
class Deployed:
    """One kind of resource that is deployed."""

    resource: Resource
    busy: Callable[[str], AWSError]
    """What a change answers while another one is under way, from the ARN."""
    failed: Callable[[str], AWSError]
    """What a change of one that has failed answers, from the ARN."""


def create(
    deployed: Deployed, context: Context, params: Params, coming: Callable[[], Deployment], parent: str = ""
) -> Row:
    """A new row below `parent`, to become what `coming` says. Raises the resource's `exists`, and as `coming`."""
    row = resources.new_row(deployed.resource, context, params)
    there = context.store.read.by_arn(row.arn)
    if there is not None:
        if resources.made_before(context, there):
            return there
        raise deployed.resource.exists(row.arn)
    state = {"current": None, "next": coming()}
    wanted = replace(row, status=LIFECYCLE.initial, target=IN_SERVICE, state=state, parent=parent)
    stored = resources.insert(deployed.resource, context, wanted, params.get("Tags"))
    context.wake(stored.key)
    return stored


def change(
    deployed: Deployed, context: Context, name: str, wanted: Callable[[Row], Row], out_of: Collection[str]
) -> Row:
    """Have it become as `wanted`, where it is in a status that allows for it. Raises ValidationError."""
    invocation = context.call.invocation_id

    def apply(row: Row) -> Row:
        if invocation and row.state.get(_CHANGED_BY) == invocation:
            return row  # tried again: control was killed before it could answer
        if row.status == FAILED:
            raise deployed.failed(row.arn)
        if row.status not in out_of:
            raise deployed.busy(row.arn)
        changed = wanted(row)
        state = {**changed.state, **({_CHANGED_BY: invocation} if invocation else {})}
        state.pop("failure_reason", None)
        return replace(changed, status=LIFECYCLE.check(row.status, UPDATING), state=state)

    row = resources.change_row(deployed.resource, context, name, apply)
    context.wake(row.key)
    return row


def leave(deployed: Deployed, context: Context, name: str, check: Check | None = None) -> None:
    """The name is free at once; what served ends as soon as nobody is routed to it. Raises ValidationError."""
    key = resources.key_of(deployed.resource, context, name)
    leaving = replace(key, name=leaving_name(key.name, random_hex(8)))

    def apply(transaction: Transaction) -> None:
        row = transaction.get(key)
        if row is None:
            raise deployed.resource.missing(resources.arn_of(deployed.resource, key))
        if row.status not in AT_REST:
            raise deployed.busy(row.arn)
        if check is not None:
            check(transaction, row)
        transaction.delete(key)
        status = LIFECYCLE.check(row.status, DELETING)
        transaction.insert(replace(row, key=leaving, arn="", status=status, target=DELETED, modified=resources.now()))

    context.store.write(apply)
    context.wake(key)
    context.wake(leaving)
