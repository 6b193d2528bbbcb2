"""Policies of queues, published after each change of one: every process decides by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clary.services import guarding
from clary.services.sqs.names import KIND
from clary.settings import Settings

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.view import Reader


def publish(reader: Reader, settings: Settings) -> None:
    """Publish them as they are."""
    guarding.publish(settings, "sqs", lambda: guarding.policies(reader, KIND))
