"""What every process must know of identities, published after each change of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from clary.identity.published import Identities, identities_path
from clary.publish import Publisher
from clary.services.context import Context
from clary.services.iam.entities import Rows
from clary.services.iam.gathering import identities
from clary.settings import Settings

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

T = TypeVar("T")


def write(context: Context, change: Callable[[Transaction], T]) -> T:
    """Carry out a change of identities; when this returns, every process decides by it."""
    result = context.store.write(change)
    publish(context.store.read, context.settings)
    return result


def publish(reader: Rows, settings: Settings) -> None:
    """Publish identities as they are, unless nothing has changed since the last time."""
    _publication(settings.run_dir).publish(reader, settings)


class _Publication:
    """The last document and its publisher: one of two writers at once waits, and then reads what both have written."""

    def __init__(self, run_dir: Path) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        self._publisher = Publisher(identities_path(run_dir))
        self._last: Identities | None = None
        self._turn = threading.Lock()

    def publish(self, reader: Rows, settings: Settings) -> None:
        with self._turn:
            fresh = document(reader, settings)
            if fresh != self._last:
                self._last = None  # what cannot be published now is not what was published last
                self._publisher.publish(cast("dict[str, Any]", fresh))
                self._last = fresh


_publication = lru_cache(maxsize=8)(_Publication)


def document(reader: Rows, settings: Settings) -> Identities:
    """What is published."""
    return identities(reader, settings.account_id)
