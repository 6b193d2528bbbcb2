"""Doing what `key.decide` says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from clary.controllers.key import Delete, Expire, Rotate, Wait, decide
from clary.keys import secrets
from clary.keys.material import root
from clary.keys.rows import ALIAS, GRANT, KIND, rotated, without_material
from clary.settings import Settings
from clary.store import Store
from clary.store.rows import Key, Row

if TYPE_CHECKING:
    from clary.store.transaction import Transaction

_BELOW = {KIND: (ALIAS, GRANT), secrets.KIND: (secrets.VERSION,)}
"""What goes with a row."""


class KeyController:
    """Reconciles keys and secrets."""

    def __init__(self, settings: Settings, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock

    def resume(self) -> list[Key]:
        """After a start of control: time has passed for all."""
        return [row.key for kind in _BELOW for row in self._store.read.rows(kind)]

    def reconcile(self, key: Key) -> float | None:
        """Do what is due. Seconds until the next thing is; None: nothing will be."""
        while (row := self._store.read.get(key)) is not None:
            now = self._clock()
            match decide(row, now):
                case Delete():
                    self._delete(row)
                case Expire():
                    self._save(without_material(row))
                case Rotate():
                    self._save(rotated(row, root(self._settings.data_dir), "AUTOMATIC", now))
                case Wait(seconds):
                    return seconds
        return None

    def _save(self, row: Row) -> None:
        self._store.write(lambda transaction: transaction.save(row))

    def _delete(self, row: Row) -> None:
        """With all that is below it; not where it was changed meanwhile (Stale)."""

        def write(transaction: Transaction) -> None:
            for kind in _BELOW[row.key.kind]:
                for each in transaction.children(kind, row.key):
                    transaction.delete(each.key)
            transaction.delete(row.key, row.version)

        self._store.write(write)
