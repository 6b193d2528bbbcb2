"""Rows saved and deleted together with the places of an inference component's copies."""

from __future__ import annotations

from clary.lifecycles import inference_component
from clary.store.rows import Row, Stale
from clary.store.transaction import Transaction
from clary.workload.placement import Room, copies_on, endpoint_of, host, instances_wanted, room_of, with_instances


def saved(transaction: Transaction, wanted: Row, room: Room | None) -> Row:
    """The row as stored. Raises Stale where the room is not what was decided upon any more: other components take their
    places at the same time."""
    if room_of(transaction, wanted) != room:
        raise Stale(wanted.key)
    stored = transaction.save(wanted)
    _scale_instances(transaction, wanted)
    return stored


def deleted(transaction: Transaction, row: Row) -> None:
    """Nobody wants it any more. Raises Stale."""
    transaction.delete(row.key, row.version)
    _scale_instances(transaction, row)


def _scale_instances(transaction: Transaction, component: Row) -> None:
    """Managed scaling: with its components' copies a variant's instances come and go. They hold no containers, so that
    nothing has to be waited for."""
    if component.key.kind != inference_component.KIND:
        return
    endpoint, name = transaction.get(endpoint_of(component)), component.spec["VariantName"]
    variant = host(endpoint, name)
    if endpoint is None or variant is None or endpoint.state.get("next"):
        return
    count = instances_wanted(variant, copies_on(transaction, endpoint.key, name))
    if count != variant["desired_count"]:
        transaction.save(with_instances(endpoint, name, count))
