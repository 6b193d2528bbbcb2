"""Doing what `experiment.decide` says: calls as the experiment's role, looks at the endpoint as Clary itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from clary.calls import Call, Principal, account_root
from clary.controllers.experiment import Ask, Save, Seen, Step, Wait, decide, refused
from clary.controllers.hook_effects import Acting
from clary.controllers.logs import Invoke
from clary.controllers.loop import Again
from clary.errors import AWSError
from clary.lifecycles.inference_experiment import GOING_ON, KIND, LIFECYCLE
from clary.names import random_hex
from clary.store import Store
from clary.store.rows import Key, Row

_LATER = frozenset({"ServiceUnavailable", "ThrottlingException", "InternalFailure"})
_RETRY_SECONDS = 1.0
_BUSY = "Cannot update in-progress endpoint"
_MADE = "Cannot create already existing"
_MISSING = "Could not find"


class ExperimentController:
    """Reconciles inference experiments."""

    def __init__(self, store: Store, invoke: Invoke, acting: Acting) -> None:
        self._store = store
        self._invoke = invoke
        self._acting = acting

    def resume(self) -> list[Key]:
        """After a start of control: those that have not ended are to be woken."""
        return [row.key for row in self._store.read.rows(KIND, GOING_ON)]

    def reconcile(self, key: Key) -> float | None:
        """Go on until something has to be waited for."""
        while (row := self._store.read.get(key)) is not None and not LIFECYCLE.terminal(row.status):
            match self._next(row):
                case Save(wanted):
                    self._save(wanted)
                case Ask(_, _, wanted) if wanted is not None:
                    self._save(wanted)
                case Wait(seconds):
                    return seconds
        return None

    def _next(self, row: Row) -> Step:
        """The next step; a call is made already."""
        try:
            step = decide(row, self._see(row), time.time())
            if isinstance(step, Ask):
                self._call(row, self._role(row), step.operation, step.params)
        except AWSError as error:
            return _failed(row, error)
        return step

    def _see(self, row: Row) -> Seen:
        config = row.state.get("config")
        return Seen(
            unique=random_hex(8),
            endpoint=self._described(row, "DescribeEndpoint", {"EndpointName": row.spec["EndpointName"]}),
            config=self._described(row, "DescribeEndpointConfig", {"EndpointConfigName": config}) if config else None,
        )

    def _described(self, row: Row, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """None where there is no such thing."""
        try:
            return self._call(row, account_root(row.key.account), operation, params)
        except AWSError as error:
            if _MISSING in error.message:
                return None
            raise

    def _role(self, row: Row) -> Principal:
        return self._acting(row.spec["RoleArn"], f"experiment-{row.key.name}"[:64])

    def _call(self, row: Row, who: Principal, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        return self._invoke(Call(who, "sagemaker", operation, dict(params), row.key.region))

    def _save(self, wanted: Row) -> None:
        self._store.write(lambda transaction: transaction.save(wanted))


def _failed(row: Row, error: AWSError) -> Step:
    """What was asked for will not be had. Raises Again where it may be, later."""
    if error.code in _LATER or error.message.startswith((_BUSY, _MADE)):
        raise Again(_RETRY_SECONDS, error.message) from error
    return refused(row, f"{error.code}: {error.message}", time.time())
