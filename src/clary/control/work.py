"""What an operator asks about jobs: who runs, who waits and in which order; and take the instances of one away."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypedDict

from clary.controllers.capacity import Capacity
from clary.errors import ValidationError
from clary.lifecycles import tuning_job
from clary.lifecycles.training_job import KIND, TRAINING
from clary.settings import Settings
from clary.store import Key, Row, Store
from clary.store.transaction import Transaction
from clary.workload import compilation, tuning
from clary.workload.hosts import hosts_of


class Job(TypedDict):
    """One line of `clary status`."""

    kind: str
    name: str
    region: str
    status: str
    instances: str
    """`2 × ml.m5.large`."""
    created: float
    """Epoch seconds."""
    position: int | None
    """1 for the next one to run; None: it does not wait for a place."""


class Tuning(TypedDict):
    """What `clary status` says of a tuning."""

    name: str
    region: str
    status: str
    ended: int
    """Training jobs."""
    running: int
    of: int | None
    """MaxNumberOfTrainingJobs."""
    objective: str
    """The metric's name."""
    best: float | None
    created: float
    """Epoch seconds."""


def tunings(rows: Sequence[Row]) -> list[Tuning]:
    """Those that are going on, oldest first."""
    return [_tuning(row) for row in sorted(rows, key=lambda row: row.created)]


def _tuning(row: Row) -> Tuning:
    counted, best = row.state["jobs"], row.state.get("best")
    limits = row.spec["HyperParameterTuningJobConfig"]["ResourceLimits"]
    return Tuning(
        name=row.key.name,
        region=row.key.region,
        status=tuning_job.public_status(row.status, row.target),
        ended=sum(counted.values()) - counted["InProgress"],
        running=counted["InProgress"],
        of=limits.get("MaxNumberOfTrainingJobs"),
        objective=tuning.objective(row.spec, tuning.definitions(row.spec)[0])["MetricName"],
        best=best["objective"] if best else None,
        created=row.created.timestamp(),
    )


def jobs(rows: Sequence[Row], capacity: Capacity) -> list[Job]:
    """Those that are going on, oldest first."""
    positions = {key: number for number, key in enumerate(capacity.queue(), 1)}
    return [_job(row, positions.get(row.key)) for row in sorted(rows, key=lambda row: row.created)]


def _job(row: Row, position: int | None) -> Job:
    types = _instance_types(row.spec)
    return Job(
        kind=row.key.kind,
        name=row.key.name,
        region=row.key.region,
        status=row.status,
        instances=", ".join(f"{types.count(each)} × {each}" for each in dict.fromkeys(types)),
        created=row.created.timestamp(),
        position=position,
    )


def _instance_types(spec: Mapping[str, Any]) -> list[str]:
    resources = spec.get("TransformResources")
    if resources:
        return [resources["InstanceType"]] * resources["InstanceCount"]
    if "OutputConfig" in spec:
        return [compilation.INSTANCE]
    return [host.instance_type for host in hosts_of(spec)]


def given(capacity: Capacity) -> dict[str, Any]:
    """What the machine has for jobs, and how much of it has been given away."""
    taken, whole = capacity.taken, capacity.whole
    return {
        "cores": {"given": taken.cpus, "of": whole.cpus},
        "memory_bytes": {"given": taken.memory_bytes, "of": whole.memory_bytes},
        "gpus": {"given": taken.gpus, "of": whole.gpus},
    }


def interrupt(
    settings: Settings, store: Store, wake: Callable[[Key], None], params: Mapping[str, Any]
) -> dict[str, Any]:
    """Take the spot instances of a training job away, as AWS may at any moment. Raises ValidationError."""
    key = Key(KIND, settings.account_id, str(params["region"]), str(params["name"]))

    def write(transaction: Transaction) -> Row:
        row = _interruptible(key, transaction.get(key))
        now = time.time()
        taken = replace(row, state={**row.state, "interrupt": now}, modified=datetime.fromtimestamp(now, UTC))
        return transaction.save(taken)

    row = store.write(write)
    wake(row.key)
    return {"name": row.key.name, "status": row.status}


def _interruptible(key: Key, row: Row | None) -> Row:
    if row is None:
        raise ValidationError(f"There is no training job {key.name} in {key.region}.")
    if not row.spec.get("EnableManagedSpotTraining"):
        raise ValidationError(f"{key.name} does not run on spot instances: EnableManagedSpotTraining is not set.")
    if row.status != TRAINING:
        raise ValidationError(f"{key.name} is {row.status}: only a job that is Training can be interrupted.")
    return row
