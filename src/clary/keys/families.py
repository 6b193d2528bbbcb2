"""Multi-Region keys: one id and one material in several regions, of whose keys one is the primary. Each has a row of
its own, with its own policy, grants, aliases, tags and state
(https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from clary.keys.rows import DAY, PENDING_DELETION, PENDING_REPLICAS
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

REGIONS = "regions"
"""In each row's state: where the family is, the primary's region first."""


def regions(row: Row) -> list[str]:
    """Nothing for a key of one region."""
    found: list[str] = row.state.get(REGIONS) or []
    return found


def is_primary(row: Row) -> bool:
    """Whether it is the one that others are made from."""
    return regions(row)[:1] == [row.key.region]


def is_replica(row: Row) -> bool:
    """Whether it is one of the others."""
    return bool(regions(row)) and not is_primary(row)


def has_replicas(row: Row) -> bool:
    """Whether it is a primary of others."""
    return is_primary(row) and len(regions(row)) > 1


def in_regions(row: Row, names: Sequence[str]) -> Row:
    """As one of a family in these regions, the primary's first."""
    return replace(row, state={**row.state, REGIONS: list(names)})


def relatives(transaction: Transaction, row: Row) -> Iterator[Row]:
    """The others that are there."""
    for region in regions(row):
        found = transaction.get(replace(row.key, region=region)) if region != row.key.region else None
        if found is not None:
            yield found


def following(replica: Row, primary: Row) -> Row:
    """The replica with what the primary says of both. Imported material is imported into each."""
    state = {**replica.state, "rotation_days": primary.state.get("rotation_days"), "rotates": None}
    if primary.spec["Origin"] == "AWS_KMS":
        state["materials"] = primary.state["materials"]
    return replace(replica, state=state)


def save(transaction: Transaction, row: Row) -> Row:
    """The row; a primary's replicas follow it in the same transaction."""
    stored = transaction.save(row)
    if has_replicas(stored):
        for each in relatives(transaction, stored):
            fresh = following(each, stored)
            if fresh.state != {"rotation_days": None, "rotates": None, **each.state}:
                transaction.save(fresh)
    return stored


def regrouped(transaction: Transaction, row: Row, names: Sequence[str]) -> None:
    """Tell all of a family but the row itself where the family is."""
    for each in relatives(transaction, row):
        transaction.save(in_regions(each, names))


def left(transaction: Transaction, gone: Row, now: float) -> Key | None:
    """A replica has been deleted: the others forget it. A primary that was waiting for its last one begins to wait for
    its own deletion; it is the key that is returned, to be woken."""
    names = [each for each in regions(gone) if each != gone.key.region]
    regrouped(transaction, gone, names)
    primary = transaction.get(replace(gone.key, region=names[0])) if names else None
    if primary is None or primary.status != PENDING_REPLICAS or len(names) > 1:
        return None
    state = {**primary.state, "deletes": now + primary.state["window"] * DAY}
    transaction.save(replace(primary, status=PENDING_DELETION, state=state))
    return primary.key
