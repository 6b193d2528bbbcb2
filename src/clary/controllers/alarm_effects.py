"""Alarms: metric alarms are evaluated as often as their period wants, composite ones when an alarm of theirs changes.

What is needed for an evaluation is kept in memory, until the row is said to have changed: nothing is read of an alarm
that stays as it is but its metric. A change is written with its history and its pending actions in one transaction;
actions are carried out afterwards, and again where control died before that was written down.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from clary.alarms import composite
from clary.alarms.composite import Child, child_names, in_cycle
from clary.alarms.evaluation import Verdict, datapoints, evaluate, stretch
from clary.alarms.reasons import CREATED, reason, reason_data
from clary.alarms.rows import KIND, PENDING, REVISION, State, actions_of, key_of, moved, remember, state_of
from clary.alarms.rule import Rule, parse
from clary.alarms.spec import AlarmSpec, Source
from clary.controllers.alarm import next_look
from clary.controllers.alarm_actions import REPEATED, Action, Executor, not_carried_out
from clary.errors import AWSError
from clary.names import Arn
from clary.store import Store
from clary.store.rows import Key, Row
from clary.store.transaction import Transaction
from clary.telemetry.series import Point, SeriesStore

REPEAT_SECONDS = 60.0
"""Between two calls of an action that is repeated while the alarm stays in its state."""

_EARLY = 5.0
"""Looks come each minute too, and the last call was made a moment after one."""

_log = logging.getLogger(__name__)


@dataclass
class _Watch:
    """One alarm as it was read last."""

    row: Row
    spec: AlarmSpec | None = None
    rule: Rule | None = None
    due: float = 0.0
    """Epoch seconds of the next look; 0: at once."""
    repeated: float = 0.0
    """When actions were called last."""
    children: dict[str, str] | None = field(default=None)
    """States of a composite alarm's children when it was evaluated last; None: not with this configuration."""


class AlarmController:
    """Reconciles alarms."""

    def __init__(
        self, store: Store, series: SeriesStore, executors: Mapping[str, Executor], wake: Callable[[Key], None]
    ) -> None:
        self._store = store
        self._series = series
        self._executors = executors
        self._wake = wake
        self._lock = threading.Lock()
        self._watches: dict[Key, _Watch] = {}
        self._composites: dict[Key, frozenset[str]] = {}
        self._changed: set[Key] = set()

    def resume(self) -> list[Key]:
        """After a start of control, or a reset. A state lasts until the next look, as if nothing had been."""
        rows, now = self._store.read.rows(KIND), time.time()
        with self._lock:
            self._watches.clear()
            self._composites.clear()
        for row in rows:
            watch = self._remember(_watch(row))
            watch.due = next_look(row.key.name, watch.spec.period, now) if watch.spec else 0.0
        return [row.key for row in rows]

    def announce(self, key: Key) -> None:
        """The row has changed: it is read anew when it is reconciled the next time."""
        with self._lock:
            self._changed.add(key)

    def reconcile(self, key: Key) -> float | None:
        """Go on until something has to be waited for."""
        while (watch := self._current(key)) is not None:
            if self._carry_out(watch):
                continue
            if not (self._follow(watch) if watch.rule else self._look(watch)):
                return max(0.0, watch.due - time.time()) if watch.spec else None
        return None

    def _current(self, key: Key) -> _Watch | None:
        with self._lock:
            known = self._watches.get(key)
            if known is not None and key not in self._changed:
                return known
            self._changed.discard(key)
        row = self._store.read.get(key)
        if row is None:
            self._forget(key)
            return None
        watch = self._remember(_carried_over(_watch(row), known))
        if known is None or known.row.status != row.status:
            self._tell_parents(key)
        return watch

    def _remember(self, watch: _Watch) -> _Watch:
        key = watch.row.key
        with self._lock:
            self._watches[key] = watch
            if watch.rule:
                self._composites[key] = frozenset(child_names(watch.rule))
        return watch

    def _forget(self, key: Key) -> None:
        with self._lock:
            self._watches.pop(key, None)
            self._composites.pop(key, None)

    def _tell_parents(self, key: Key) -> None:
        with self._lock:
            parents = [
                parent for parent, names in self._composites.items() if _beside(parent, key) and key.name in names
            ]
        for parent in parents:
            self._wake(parent)

    # metric alarms

    def _look(self, watch: _Watch) -> bool:
        """Evaluate a metric alarm where it is time; whether its state has changed."""
        now, spec = time.time(), watch.spec
        if spec is None or now < watch.due:
            return False
        key = watch.row.key
        watch.due = next_look(key.name, spec.period, now)
        wanted = stretch(spec, now)

        def read(source: Source) -> Sequence[Point]:
            return self._series.points(key.account, key.region, source.metric, wanted, source.unit)

        verdict = evaluate(spec, datapoints(spec, wanted, read))
        if verdict is None or verdict.value == watch.row.status:
            self._repeat(watch, verdict, now)
            return False
        self._move(watch, State(verdict.value, reason(spec, verdict), reason_data(spec, verdict, now)))
        return True

    def _move(self, watch: _Watch, to: State) -> None:
        """Unless the alarm has been configured anew since it was evaluated, or is in that state already."""
        known = watch.row

        def change(transaction: Transaction) -> None:
            row = transaction.get(known.key)
            if row is not None and row.state[REVISION] == known.state[REVISION] and row.status != to.value:
                moved(transaction, row, to, time.time())

        self._store.write(change)
        self.announce(known.key)

    # composite alarms

    def _follow(self, watch: _Watch) -> bool:
        """Evaluate a composite alarm where an alarm of its own has changed; whether its state has."""
        row, rule = watch.row, watch.rule
        if rule is None:
            return False
        children = {child.key.name: child for child in self._children(row.key)}
        states = {name: child.status for name, child in children.items()}
        if states == watch.children:
            return False
        why = _why(watch)
        watch.children = states
        if in_cycle(row.key.name, lambda name: self._composites.get(replace(row.key, name=name), ())):
            return False
        known = {name: Child(each.arn, each.status, each.state["transitioned"]) for name, each in children.items()}
        to = composite.evaluate(row.arn, rule, known, why)
        if to.value == row.status:
            return False
        self._move(watch, to)
        return True

    def _children(self, key: Key) -> Iterable[Row]:
        for name in sorted(self._composites.get(key, ())):
            row = self._store.read.get(key_of(key.account, key.region, name))
            if row is not None:
                yield row

    # actions

    def _carry_out(self, watch: _Watch) -> bool:
        """The actions of the oldest change that waits for them; whether there was one."""
        pending = watch.row.state.get(PENDING)
        if not pending:
            return False
        change = pending[0]
        items = [self._act(watch.row, arn, change) for arn in change["actions"]]

        def done(transaction: Transaction) -> None:
            row = transaction.get(watch.row.key)
            _note(transaction, watch.row if row is None else row, items)
            if row is not None:
                left = [each for each in row.state.get(PENDING, ()) if each != change]
                transaction.save(replace(row, state={**row.state, PENDING: left}))

        self._store.write(done)
        watch.repeated = time.time()
        self.announce(watch.row.key)
        return True

    def _repeat(self, watch: _Watch, verdict: Verdict | None, now: float) -> None:
        """Some actions are called as long as the alarm stays in its state, with what it is in this state for now."""
        if now - watch.repeated < REPEAT_SECONDS - _EARLY or watch.row.state["reason"] == CREATED:
            return
        repeated = [arn for arn in actions_of(watch.row, watch.row.status) if self._repeats(arn)]
        if not repeated:
            return
        watch.repeated = now
        state = state_of(watch.row)
        if verdict is not None and watch.spec is not None:
            state |= {"reason": reason(watch.spec, verdict), "data": reason_data(watch.spec, verdict, now)}
        change = {"state": state, "previous": state_of(watch.row), REPEATED: now}
        items = [self._act(watch.row, arn, change) for arn in repeated]
        self._store.write(lambda transaction: _note(transaction, watch.row, items))

    def _repeats(self, arn: str) -> bool:
        executor = self._executors.get(Arn.parse(arn).service)
        return executor is not None and executor.repeats

    def _act(self, row: Row, arn: str, change: Mapping[str, Any]) -> _Item:
        executor = self._executors.get(Arn.parse(arn).service)
        try:
            if executor is None:
                raise not_carried_out(arn)
            executor(Action(arn, row, change))
        except AWSError as error:
            _log.info("alarm %s: %s was not carried out: %s", row.key.name, arn, error)
            return _Item(arn, change, error.message)
        return _Item(arn, change)


@dataclass(frozen=True)
class _Item:
    """How an action has ended."""

    arn: str
    change: Mapping[str, Any]
    error: str = ""


def _note(transaction: Transaction, row: Row, items: Iterable[_Item]) -> None:
    for item in items:
        summary = f"Successfully executed action {item.arn}"
        if item.error:
            summary = f'Failed to execute action {item.arn}. Received error: "{item.error}"'
        data = {
            "actionState": "Failed" if item.error else "Succeeded",
            "stateUpdateTimestamp": int(item.change["state"]["timestamp"] * 1000),
            "notificationResource": item.arn,
            "publishedMessage": None,
            "error": item.error or None,
        }
        remember(transaction, row, "Action", summary, data, time.time())


def _watch(row: Row) -> _Watch:
    if "AlarmRule" in row.spec:
        return _Watch(row, rule=parse(row.spec["AlarmRule"]))
    return _Watch(row, spec=AlarmSpec.of(row.spec))


def _carried_over(watch: _Watch, known: _Watch | None) -> _Watch:
    """What is not in the row stays as it is where the configuration does."""
    if known is not None and known.row.state[REVISION] == watch.row.state[REVISION]:
        watch.due, watch.repeated, watch.children = known.due, known.repeated, known.children
    return watch


def _why(watch: _Watch) -> str:
    """What has a composite alarm evaluated, where no change of another alarm has."""
    if watch.row.state["reason"] == CREATED:
        return "created"
    return "updated" if watch.children is None else ""


def _beside(key: Key, other: Key) -> bool:
    return (key.account, key.region) == (other.account, other.region)
