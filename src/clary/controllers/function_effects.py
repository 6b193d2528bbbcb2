"""Doing what `function.decide` says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from clary.controllers.activities import Activities
from clary.controllers.function import Prepare, Save, Wait, decide, preparation
from clary.lifecycles.function import KIND, LAYER_KIND, VERSION_KIND
from clary.settings import Settings
from clary.store import Store
from clary.store.rows import Key, Row
from clary.workload.functions.environments import FunctionWorkload
from clary.workload.functions.published import publish

_KINDS = (KIND, VERSION_KIND)


class FunctionController:
    """Reconciles functions and their versions."""

    def __init__(self, settings: Settings, store: Store, workload: FunctionWorkload, activities: Activities) -> None:
        self._settings = settings
        self._store = store
        self._workload = workload
        self._activities = activities

    def resume(self) -> list[Key]:
        """After a start of control: publish all functions, remove code that is nobody's; all are to be woken."""
        self.publish()
        rows = [row for kind in _KINDS for row in self._store.read.rows(kind)]
        layers = self._store.read.rows(LAYER_KIND)
        self._workload.code.sweep(set(_code_of([*rows, *layers])))
        return [row.key for row in rows]

    def publish(self) -> None:
        """Every edge knows functions as they are now."""
        publish(self._store.read, self._settings)

    def reconcile(self, key: Key) -> float | None:
        """Go on until something has to be waited for."""
        while (row := self._store.read.get(key)) is not None:
            match decide(row, self._activities.outcome(key, preparation(row))):
                case Prepare():
                    self._activities.begin(key, preparation(row), self._preparing(row), builds=True)
                case Save(wanted):
                    self._store.write(lambda transaction, wanted=wanted: transaction.save(wanted))  # type: ignore[misc]
                    self.publish()
                    self._activities.forget(key)
                case Wait():
                    return None
        self._activities.forget(key)
        return None

    def _preparing(self, row: Row) -> Callable[[Callable[[], bool]], None]:
        return lambda _ended: self._workload.prepare(row, lambda _line: None)


def _code_of(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        if "Code" in row.spec:
            yield row.spec["Code"]
        yield from row.spec.get("LayerCode") or ()
