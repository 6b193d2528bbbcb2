"""Policies of queues, published after each change of one: every process decides by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from clary.identity.resources import Published
from clary.services import guarding
from clary.services.sqs.names import KIND
from clary.settings import Settings

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.view import Reader

POLICY = "Policy"


def publish(reader: Reader, settings: Settings) -> None:
    """Publish them as they are."""
    guarding.publish(settings, "sqs", lambda: _policies(reader))


def _policies(reader: Reader) -> Mapping[str, Published]:
    rows = reader.rows(KIND)
    return {
        row.arn: {"account": row.key.account, "policy": row.spec["Attributes"][POLICY]}
        for row in rows
        if row.spec["Attributes"].get(POLICY)
    }
