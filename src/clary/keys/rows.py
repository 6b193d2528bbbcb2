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


def without_material(row: Row) -> Row:
    """Imported material has gone: the key waits for it to be imported again."""
    bare = [{**each, "sealed": "", "expires": None} for each in materials(row)]
    status = row.status if row.status == PENDING_DELETION else PENDING_IMPORT
    return replace(row, status=status, state={**row.state, "materials": bare})


def expiry(row: Row) -> float | None:
    """When imported material goes."""
    return min((each["expires"] for each in materials(row) if each["expires"] and each["sealed"]), default=None)
