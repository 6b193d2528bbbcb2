"""What a tuning needs next: `decide`, pure, over its row, its trials and what is seen of their training jobs.

A trial is written down before its training job is created, with the job's name: whoever dies in between creates that
very job afterwards, and no other. What a job has come to is written into its trial and the tuning's row at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from clary.controllers.trials import Heard, as_trials, counted, failure, new, objectives, settled
from clary.lifecycles import training_job
from clary.lifecycles.tuning_job import COMPLETED, DELETED, FAILED, IN_PROGRESS, LIFECYCLE, STOPPED, STOPPING
from clary.store.rows import Row
from clary.tuning.completion import EXHAUSTED, STOPS_RUNNING
from clary.tuning.trials import Proposal, Trial

MOST_ATTEMPTS = 5
"""After so many training jobs without any success a tuning gives up, as on AWS."""

REPORT_SECONDS = 0.5
"""How often running jobs are listened to, where the search asks what they report."""


class Searching(Protocol):
    """`clary.tuning.search.Search`, as far as it is asked here."""

    def propose(self, trials: Sequence[Trial], count: int) -> list[Proposal]:
        """Up to `count` jobs to start."""

    def to_stop(self, trials: Sequence[Trial]) -> list[int]:
        """Numbers of running trials to stop now."""

    def ended(self, trials: Sequence[Trial], seconds: float) -> str | None:
        """Why no more trials are started."""

    def best(self, trials: Sequence[Trial]) -> int | None:
        """The number of the best trial."""

    def not_improving(self, trials: Sequence[Trial]) -> int:
        """How many have ended since the last that was notably better."""

    def has_converged(self, trials: Sequence[Trial]) -> bool:
        """Whether no notably better one is to be expected."""


@dataclass(frozen=True)
class Seen:
    """What is known beside the tuning's row."""

    search: Searching
    trials: Sequence[Row]
    """All of them, in the order of their numbers."""
    jobs: Mapping[str, Row]
    """By name, the training jobs of those in progress; one that is absent is not created yet."""
    heard: Mapping[str, Heard]
    """By name, of the same; one that is absent has not been listened to."""
    fresh: Callable[[], str]
    """Eight or more random letters in hex, for one more name."""


@dataclass(frozen=True)
class Record:
    """Save the tuning's row and these trials together, and look again."""

    row: Row
    trials: tuple[Row, ...]


@dataclass(frozen=True)
class Create:
    """Create the training jobs of these trials."""

    trials: tuple[Row, ...]


@dataclass(frozen=True)
class Halt:
    """Stop these training jobs."""

    jobs: tuple[str, ...]


@dataclass(frozen=True)
class Listen:
    """Read on in the logs of these training jobs; after so many seconds there is more to be heard."""

    jobs: tuple[Row, ...]
    seconds: float | None = None


@dataclass(frozen=True)
class Remove:
    """Delete the row, and all that is beside it."""


@dataclass(frozen=True)
class Wait:
    """Nothing to do until a training job ends, or so many seconds have passed."""

    seconds: float | None = None


Step = Record | Create | Halt | Listen | Remove | Wait


def decide(row: Row, seen: Seen, now: float) -> Step:
    """The next step of a tuning that has not ended, or is to be deleted; `now` in epoch seconds."""
    if row.target == DELETED:
        return Remove()
    going_on = [trial for trial in seen.trials if trial.status == IN_PROGRESS]
    missing = tuple(trial for trial in going_on if trial.key.name not in seen.jobs)
    if missing:
        return Create(missing)
    jobs = [seen.jobs[trial.key.name] for trial in going_on]
    unheard = tuple(job for job in jobs if _is_over(job) and watches(row) and not _heard(seen, job).whole)
    if unheard:
        return Listen(unheard)
    return _recorded(row, seen, now) or _halted(row, seen, jobs) or _waiting(row, jobs, now)


def watches(row: Row) -> bool:
    """Whether what jobs report while they run decides anything."""
    config = row.spec["HyperParameterTuningJobConfig"]
    return bool(config["TrainingJobEarlyStoppingType"] == "Auto" or config["Strategy"] == "Hyperband")


def _recorded(row: Row, seen: Seen, now: float) -> Record | None:
    """What has changed since the row was saved; None where nothing has."""
    over = {trial.key.name: trial for trial in _settled(row, seen)}
    rows = [over.get(trial.key.name, trial) for trial in seen.trials]
    trials = as_trials(rows, seen.heard)
    ending = row.state.get("ending") or seen.search.ended(trials, now - _begun(row))
    hopeless = _hopeless(trials)
    proposed: list[Row] = []
    if not ending and not hopeless and not _unwanted(row):
        proposed = _proposed(row, seen, trials, now)
    if not ending and not proposed and not _going_on(rows):
        ending = hopeless or EXHAUSTED
    changed = _changed(row, [*rows, *proposed], trials, seen.search)
    once: dict[str, Any] = {"ending": ending} if ending else {}
    if "converged" not in row.state and seen.search.has_converged(trials):
        once["converged"] = now
    changed = replace(changed, state={**changed.state, **once})
    moved = _moved(changed, _going_on([*rows, *proposed]), trials, now)
    if moved == row and not over and not proposed:
        return None
    return Record(replace(moved, modified=datetime.fromtimestamp(now, UTC)), (*over.values(), *proposed))


def _changed(row: Row, rows: Sequence[Row], trials: Sequence[Trial], search: Searching) -> Row:
    number = search.best(trials)
    best = next((each for each in rows if each.spec["number"] == number), None)
    found: dict[str, Any] = {
        "jobs": counted(rows),
        "objectives": objectives(rows),
        "best": {"job": best.key.name, "objective": best.state["objective"]} if best else None,
        "not_improving": search.not_improving(trials),
    }
    return replace(row, state={**row.state, **found})


def _moved(row: Row, going_on: bool, trials: Sequence[Trial], now: float) -> Row:
    """In the status that follows, where one does."""
    if _unwanted(row):
        stopping = row if row.status == STOPPING else _in(row, STOPPING)
        return stopping if going_on else _in(stopping, STOPPED, ended=now)
    if going_on or "ending" not in row.state:
        return row
    reason = failure(trials)
    return _in(row, FAILED, ended=now, failure_reason=reason) if reason else _in(row, COMPLETED, ended=now)


def _in(row: Row, status: str, **found: object) -> Row:
    LIFECYCLE.check(row.status, status)
    return replace(row, status=status, state={**row.state, **found})


def _halted(row: Row, seen: Seen, jobs: Sequence[Row]) -> Halt | None:
    """Which training jobs are to be stopped: all, or those that the search gives up."""
    if _unwanted(row) or row.state.get("ending") in STOPS_RUNNING:
        wanted = {job.key.name for job in jobs}
    elif watches(row):
        numbers = set(seen.search.to_stop(as_trials(seen.trials, seen.heard)))
        wanted = {trial.key.name for trial in seen.trials if trial.spec["number"] in numbers}
    else:
        wanted = set()
    names = tuple(job.key.name for job in jobs if job.key.name in wanted and job.target != training_job.STOPPED)
    return Halt(names) if names else None


def _waiting(row: Row, jobs: Sequence[Row], now: float) -> Step:
    left = _until_its_end(row, now)
    running = tuple(job for job in jobs if job.status == training_job.TRAINING)
    if running and watches(row):
        return Listen(running, REPORT_SECONDS if left is None else min(left, REPORT_SECONDS))
    return Wait(left)


def _until_its_end(row: Row, now: float) -> float | None:
    limits = row.spec["HyperParameterTuningJobConfig"]["ResourceLimits"]
    if "ending" in row.state or "MaxRuntimeInSeconds" not in limits:
        return None
    return max(0.0, float(_begun(row) + limits["MaxRuntimeInSeconds"] - now))


def _unwanted(row: Row) -> bool:
    return row.target == STOPPED


def _begun(row: Row) -> float:
    return row.created.timestamp()


def _going_on(rows: Sequence[Row]) -> bool:
    return any(row.status == IN_PROGRESS for row in rows)


def _is_over(job: Row) -> bool:
    return training_job.LIFECYCLE.terminal(job.status)


def _heard(seen: Seen, job: Row) -> Heard:
    return seen.heard.get(job.key.name, Heard())


def _proposed(row: Row, seen: Seen, trials: Sequence[Trial], now: float) -> list[Row]:
    """Trials for the places that are free."""
    limits = row.spec["HyperParameterTuningJobConfig"]["ResourceLimits"]
    free = limits["MaxParallelTrainingJobs"] - sum(1 for trial in trials if trial.status == "running")
    left = limits.get("MaxNumberOfTrainingJobs", float("inf")) - len(trials)
    count = int(min(free, left))
    proposals = seen.search.propose(trials, count) if count > 0 else []
    first = trials[-1].number + 1 if trials else 0
    return [new(row, number, each, seen.fresh(), now) for number, each in enumerate(proposals, first)]


def _settled(row: Row, seen: Seen) -> list[Row]:
    """The trials whose training jobs have ended, with what came of them."""
    found = []
    for trial in seen.trials:
        job = seen.jobs.get(trial.key.name) if trial.status == IN_PROGRESS else None
        if job is not None and _is_over(job):
            found.append(settled(row.spec, trial, job, _heard(seen, job)))
    return found


def _hopeless(trials: Sequence[Trial]) -> str | None:
    """Why no more are tried for now: so many have ended without any success. Those that run may yet have some."""
    return failure(trials) if sum(1 for trial in trials if trial.status != "running") >= MOST_ATTEMPTS else None
