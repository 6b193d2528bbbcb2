"""Rows of keys, and what time does to them: deleted, without their imported material, with new material. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.identity.sealed_text import TextSealer
from clary.keys.material import Material, generated, kept
from clary.store.rows import Row

KIND = "kms-key"
ALIAS = "kms-alias"
GRANT = "kms-grant"
"""A grant's parent is its key."""

ENABLED = "Enabled"
DISABLED = "Disabled"
PENDING_DELETION = "PendingDeletion"
PENDING_IMPORT = "PendingImport"
PENDING_REPLICAS = "PendingReplicaDeletion"
"""Of a multi-Region primary: it is deleted after the last of its replicas."""

ON_DEMAND = "ON_DEMAND"
"""How a rotation came that somebody asked for."""

DAY = 86_400.0


def materials(row: Row) -> list[Material]:
    """All, oldest first: the last one encrypts."""
    found: list[Material] = row.state.get("materials", [])
    return found


def rotated(row: Row, sealer: TextSealer, how: str, now: float) -> Row:
    """With new material; what the old has encrypted is read as before. One on demand does not put off the next
    automatic one."""
    fresh = kept(sealer, row.key.name, generated(row.spec["KeySpec"]), now, how)
    state: Mapping[str, Any] = {**row.state, "materials": [*materials(row), fresh]}
    return replace(row, state=dict(state) if how == ON_DEMAND else _planned(state, now))


def _planned(state: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The next automatic rotation is a period after the one before."""
    days = state.get("rotation_days")
    return {**state, "rotates": now + days * DAY if days else None}


def rotation_planned(row: Row, days: int | None, now: float) -> Row:
    """Rotated every so many days from now on; None: never."""
    return replace(row, state=_planned({**row.state, "rotation_days": days}, now))


def pending(row: Row) -> Material | None:
    """Imported material that the next rotation on demand will make the key's."""
    found: Material | None = row.state.get("pending")
    return found


def rotated_to_pending(row: Row, material: Material, now: float) -> Row:
    """With the imported material that was waiting."""
    fresh = {**material, "made": now, "how": ON_DEMAND}
    return replace(row, state={**row.state, "materials": [*materials(row), fresh], "pending": None})


def without_material(row: Row, *gone: str) -> Row:
    """Imported material of these ids has gone: the key waits for it to be imported again, but for one that has never
    been its own."""
    waiting = pending(row)
    if waiting is not None and waiting["id"] in gone:
        row = replace(row, state={**row.state, "pending": None})
    bare = [{**each, "sealed": "", "expires": None} if each["id"] in gone else each for each in materials(row)]
    return whole_or_waiting(replace(row, state={**row.state, "materials": bare}))


def whole_or_waiting(row: Row) -> Row:
    """A key is of use while all its imported material is there."""
    lacking = not materials(row) or not all(each["sealed"] for each in materials(row))
    if row.status in (PENDING_DELETION, PENDING_REPLICAS):
        return row
    if lacking:
        return replace(row, status=PENDING_IMPORT)
    return replace(row, status=ENABLED) if row.status == PENDING_IMPORT else row


def expired(row: Row, now: float) -> list[str]:
    """The ids of imported material whose time is over."""
    return [each["id"] for each in _imported(row) if each["expires"] and each["expires"] <= now]


def _imported(row: Row) -> list[Material]:
    waiting = pending(row)
    every = [*materials(row), *([waiting] if waiting else [])]
    return [each for each in every if each["sealed"]]


def expiry(row: Row) -> float | None:
    """When imported material goes."""
    return min((each["expires"] for each in _imported(row) if each["expires"]), default=None)
