"""Doing what `tuning.decide` says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from clary.calls import Call, account_root
from clary.controllers.activities import Activities, Pending
from clary.controllers.hearing import Hearing
from clary.controllers.logs import Invoke
from clary.controllers.loop import Again
from clary.controllers.trials import metric, refused
from clary.controllers.tuning import (
    Create,
    Halt,
    Listen,
    Record,
    Remove,
    Searching,
    Seen,
    Step,
    Wait,
    decide,
)
from clary.errors import AWSError, ValidationError
from clary.lifecycles import training_job
from clary.lifecycles.tuning_job import DELETED, IN_PROGRESS, KIND, LIFECYCLE, PARENTS_KIND, STOPPING, TRIAL_KIND
from clary.names import random_hex
from clary.store import Store
from clary.store.rows import Key, Row
from clary.store.transaction import Transaction
from clary.tuning.trials import Trial
from clary.workload import tuning
from clary.workload.failure import cut

_HEARING = "hearing"
_LATER = frozenset({"ServiceUnavailable", "ThrottlingException", "InternalFailure"})
_RETRY_SECONDS = 1.0

NewSearch = Callable[[Mapping[str, Any], Sequence[Trial]], Searching]
"""From a tuning's request, and the trials of the tunings that it starts from."""


@dataclass
class _Ledger:
    """A tuning's trials as of one version of its row: whatever changes a trial changes the row."""

    created: datetime
    """The row's: another tuning may bear its name later."""
    version: int
    search: Searching
    trials: dict[str, Row]
    """By name, in the order of their numbers."""
    listened: float = 0.0
    """When their jobs were last listened to (monotonic seconds)."""


class TuningController:
    """Reconciles hyperparameter tuning jobs."""

    def __init__(
        self, store: Store, invoke: Invoke, activities: Activities, hearing: Hearing, search: NewSearch
    ) -> None:
        self._store = store
        self._invoke = invoke
        self._activities = activities
        self._hearing = hearing
        self._search = search
        self._lock = threading.Lock()
        self._ledgers: dict[Key, _Ledger] = {}

    def resume(self) -> list[Key]:
        """After a start of control: all that go on, and all that are to be deleted."""
        rows = self._store.read.rows(KIND)
        return [row.key for row in rows if row.status in (IN_PROGRESS, STOPPING) or row.target == DELETED]

    def reconcile(self, key: Key) -> float | None:
        """Go on with a tuning until it has to wait for something."""
        row = self._store.read.get(key)
        while row is not None and (row.status in (IN_PROGRESS, STOPPING) or row.target == DELETED):
            step = decide(row, self._see(row), time.time())
            match step:
                case Record(changed, trials):
                    row = self._save(changed, trials)
                case Create(trials):
                    row = self._create(row, trials)
                case Remove():
                    self._remove(row)
                    row = None
                case _:
                    return self._act(row, step)
        self._forget(key)
        return None

    def _act(self, row: Row, step: Step) -> float | None:
        match step:
            case Halt(jobs):
                for job in jobs:
                    self._halt(row, job)
                return 0.0
            case Listen(jobs, seconds):
                return self._listen(row, jobs, seconds)
            case Wait(seconds):
                return seconds
        return None

    def _see(self, row: Row) -> Seen:
        ledger = self._ledger(row)
        names = [name for name, trial in ledger.trials.items() if trial.status == IN_PROGRESS]
        found = {name: self._store.read.get(replace(row.key, kind=training_job.KIND, name=name)) for name in names}
        jobs = {name: job for name, job in found.items() if job is not None}
        heard = {name: self._hearing.heard(job) for name, job in jobs.items()}
        return Seen(
            search=ledger.search,
            trials=list(ledger.trials.values()),
            jobs=jobs,
            heard={name: each for name, each in heard.items() if each is not None},
            fresh=random_hex,
        )

    def _ledger(self, row: Row) -> _Ledger:
        with self._lock:
            known = self._ledgers.get(row.key)
        if known is not None and known.created != row.created:
            known = None
        if known is not None and known.version == row.version:
            return known
        rows = sorted(self._store.read.children(TRIAL_KIND, row.key), key=lambda trial: int(trial.spec["number"]))
        search = known.search if known is not None else self._search(row.spec, self._parents(row))
        ledger = _Ledger(row.created, row.version, search, {trial.key.name: trial for trial in rows})
        with self._lock:
            self._ledgers[row.key] = ledger
        return ledger

    def _parents(self, row: Row) -> list[Trial]:
        kept = self._store.read.get(replace(row.key, kind=PARENTS_KIND))
        return [_parent(number, each) for number, each in enumerate(kept.state["trials"] if kept else ())]

    def _save(self, row: Row, trials: Sequence[Row]) -> Row:
        """Together: what was proposed is never without its place in the counters."""

        def write(transaction: Transaction) -> tuple[Row, list[Row]]:
            return transaction.save(row), [_written(transaction, trial) for trial in trials]

        saved, written = self._store.write(write)
        for trial in written:
            if trial.status != IN_PROGRESS:
                self._hearing.forget(replace(trial.key, kind=training_job.KIND))
        with self._lock:
            ledger = self._ledgers[saved.key]
            ledger.version = saved.version
            ledger.trials.update({trial.key.name: trial for trial in written})
        return saved

    def _create(self, row: Row, trials: Sequence[Row]) -> Row:
        tags = [{"Key": key, "Value": value} for key, value in self._store.read.tags(row.arn).items()]
        failed = [each for trial in trials if (each := self._created(row, trial, tags)) is not None]
        return self._save(row, failed) if failed else row

    def _created(self, row: Row, trial: Row, tags: list[dict[str, str]]) -> Row | None:
        """None where its training job was created; else the trial as it has failed."""
        of = tuning.as_given(tuning.definition(row.spec, trial.spec["definition"]), row.state["defining_metrics"])
        params = tuning.job_request(row.spec, of, trial.key.name, trial.spec["values"])
        try:
            self._call(row, "CreateTrainingJob", {**params, **({"Tags": tags} if tags else {})})
        except AWSError as error:
            if error.code in _LATER:
                raise Again(_RETRY_SECONDS, error.message) from error
            return refused(trial, cut(f"ClientError: {error.message}"), time.time())
        return None

    def _halt(self, row: Row, job: str) -> None:
        with suppress(ValidationError):  # it has just ended
            self._call(row, "StopTrainingJob", {"TrainingJobName": job})

    def _call(self, row: Row, operation: str, params: dict[str, Any]) -> None:
        """As SageMaker itself, whom the tuning's creator has let do this with the role
        (docs/decisions/0020)."""
        caller = account_root(row.key.account)
        self._invoke(Call(caller, "sagemaker", operation, params, row.key.region, parent=row.key.name))

    def _listen(self, row: Row, jobs: Sequence[Row], seconds: float | None) -> float | None:
        """Now; or, where there are `seconds` between two looks, when it is time. Who has heard wakes the tuning."""
        ledger, now = self._ledger(row), time.monotonic()
        if isinstance(self._activities.outcome(row.key, _HEARING), Pending):
            return seconds
        if seconds is not None and now < ledger.listened + seconds:
            return ledger.listened + seconds - now
        ledger.listened = now
        metrics = [(job, metric(row.spec, ledger.trials[job.key.name])) for job in jobs]

        def work(_ended: Callable[[], bool]) -> None:
            for job, name in metrics:
                self._hearing.listen(job, name)

        self._activities.forget(row.key, _HEARING)
        self._activities.begin(row.key, _HEARING, work)
        return seconds

    def _remove(self, row: Row) -> None:
        """Trials first: whoever dies in between finds the row, and goes on."""
        trials = self._store.read.children(TRIAL_KIND, row.key)

        def write(transaction: Transaction) -> None:
            LIFECYCLE.check(row.status, "Deleting")
            for trial in trials:
                transaction.delete(trial.key)
            transaction.delete(replace(row.key, kind=PARENTS_KIND))
            transaction.delete(row.key, row.version)

        self._store.write(write)

    def _forget(self, key: Key) -> None:
        """It has ended, or is gone."""
        with self._lock:
            ledger = self._ledgers.pop(key, None)
        self._activities.forget(key)
        for trial in ledger.trials.values() if ledger else ():
            self._hearing.forget(replace(trial.key, kind=training_job.KIND))


def _written(transaction: Transaction, trial: Row) -> Row:
    return transaction.save(trial) if trial.version else transaction.insert(trial)


def _parent(number: int, kept: Mapping[str, Any]) -> Trial:
    """Parents count on from one to the next."""
    status = {"Completed": "completed", "Stopped": "stopped"}.get(kept["status"], "failed")
    reports = tuple(kept["reports"])
    return Trial(number, kept["definition"], kept["values"], status, kept["objective"], reports)  # type: ignore[arg-type]
