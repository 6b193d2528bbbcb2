"""Policies of endpoints: each is a row beside its endpoint. They are published after a change of one, so that every
process decides by them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clary.identity.resources import Published
from clary.names import sagemaker_arn
from clary.services import guarding
from clary.settings import Settings
from clary.store.rows import Key

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.view import Reader

KIND = "endpoint-policy"

DOCUMENT = "ResourcePolicy"
"""The member of the row's spec that holds the document, as JSON."""


def key_of(endpoint: Key) -> Key:
    """Of the row beside an endpoint."""
    return replace(endpoint, kind=KIND)


def _gather(reader: Reader) -> dict[str, Published]:
    rows = reader.rows(KIND)
    return {
        sagemaker_arn(row.key.region, row.key.account, "endpoint", row.key.name): {
            "account": row.key.account,
            "policy": row.spec[DOCUMENT],
        }
        for row in rows
    }


def publish(reader: Reader, settings: Settings) -> None:
    """Publish them as they are."""
    guarding.publish(settings, "sagemaker", lambda: _gather(reader))
