"""Doing what `key.decide` says."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from clary.calls import Call, service_principal
from clary.controllers.key import Ask, Begin, Delete, Expire, Rotate, Wait, decide
from clary.controllers.logs import Invoke
from clary.errors import AWSError
from clary.keys import families, rotation, secrets
from clary.keys.material import root
from clary.keys.rows import ALIAS, GRANT, KIND, expired, rotated, without_material
from clary.names import Arn
from clary.settings import Settings
from clary.store import Store
from clary.store.rows import Key, Row

if TYPE_CHECKING:
    from clary.store.transaction import Transaction

_OURS = 500

_BELOW = {KIND: (ALIAS, GRANT), secrets.KIND: (secrets.VERSION,)}
"""What goes with a row."""


class KeyController:
    """Reconciles keys and secrets."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        invoke: Invoke,
        wake: Callable[[Key], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._wake = wake
        self._store = store
        self._invoke = invoke
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
                    self._save(without_material(row, *expired(row, now)))
                case Rotate():
                    self._save(rotated(row, root(self._settings.data_dir), "AUTOMATIC", now))
                case Begin():
                    steps = rotation.STEPS
                    self._save(rotation.begun(rotation.with_plan(row, next=None), _token(row), steps, now))
                case Ask():
                    self._save(self._asked(row, now))
                case Wait(seconds):
                    return seconds
        return None

    def _asked(self, row: Row, now: float) -> Row:
        """The secret whose function was sent the next step, durably: it answers by `step_done`. Sent twice, where
        control died meanwhile, it is one event. Raises AWSError where it is for us to try again."""
        function, event = rotation.plan(row)["function"], json.dumps(rotation.event(row)).encode()
        params = {"FunctionName": function, "InvocationType": "Event", "Payload": event}
        principal = service_principal(row.key.account, secrets.SERVICE)
        region = Arn.parse(function).region if function.startswith("arn:") else row.key.region
        call = Call(principal, "lambda", "Invoke", params, region, rotation.request(row), parent=row.arn)
        try:
            self._invoke(call)
        except AWSError as error:
            if error.status >= _OURS:
                raise
            return rotation.answered(row, failed=True, now=now)
        return rotation.asked(row)

    def _save(self, row: Row) -> None:
        self._store.write(lambda transaction: families.save(transaction, row))

    def _delete(self, row: Row) -> None:
        """With all that is below it; not where it was changed meanwhile (Stale)."""

        def write(transaction: Transaction) -> Key | None:
            for kind in _BELOW[row.key.kind]:
                for each in transaction.children(kind, row.key):
                    transaction.delete(each.key)
            transaction.delete(row.key, row.version)
            return families.left(transaction, row, self._clock())

        waiting = self._store.write(write)
        if waiting is not None:
            self._wake(waiting)


def _token(row: Row) -> str:
    """Of the version that a rotation by the rules is to make; the one that is pending where the last one has failed."""
    stages = row.state["stages"]
    pending = stages.get(secrets.PENDING)
    return pending if pending and pending != stages.get(secrets.CURRENT) else str(uuid.uuid4())
