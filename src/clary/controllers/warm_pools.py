"""Warm pools: the place of a job that has ended is kept for the next one like it
(https://docs.aws.amazon.com/sagemaker/latest/dg/train-warm-pools.html).

What is said of a pool stands in the state of the job that retains it. While it is available there is a row of its own
beside it, of the kind `warm-pool` and the job's name: by it pools are found, and its key is what has the place.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from clary.controllers.capacity import Capacity
from clary.lifecycles.training_job import DOWNLOADING, KIND, WARM_POOL_KIND
from clary.store import Store
from clary.store.rows import Key, Row
from clary.store.transaction import Transaction
from clary.workload.failure import is_internal
from clary.workload.hosts import hosts_of

_MATCHING = ("RoleArn", "VpcConfig", "EnableInterContainerTrafficEncryption", "EnableNetworkIsolation")
_MATCHING_RESOURCES = ("InstanceCount", "InstanceType", "VolumeKmsKeyId", "VolumeSizeInGB")
_CHAINED = "SessionChainingConfig"


def matching(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What must be equal for a job to run on another's instances: a part of the spec."""
    found = {name: spec[name] for name in (*_MATCHING, _CHAINED) if spec.get(name)}
    resources = spec["ResourceConfig"]
    return {**found, "ResourceConfig": {name: resources[name] for name in _MATCHING_RESOURCES if name in resources}}


def retained(row: Row, now: float) -> dict[str, float] | None:
    """The pool that a job which has just ended leaves: None where it asked for none, had no instances yet, or where the
    machine was at fault."""
    period = row.spec["ResourceConfig"].get("KeepAlivePeriodInSeconds")
    launched = any(entry["Status"] == DOWNLOADING for entry in row.state.get("transitions", ()))
    if not period or not launched or is_internal(row.state.get("failure_reason", "")):
        return None
    return {"since": now, "until": now + period}


class WarmPools:
    """Keeps the places, hands them over, and gives them back in time."""

    def __init__(self, store: Store, capacity: Capacity, wake: Callable[[Key], None]) -> None:
        self._store = store
        self._capacity = capacity
        self._wake = wake

    def resume(self) -> list[Key]:
        """After a start of control: those that have their places; all of them are to be woken."""
        rows = self._store.read.rows(WARM_POOL_KIND)
        for row in rows:
            self._capacity.hold(row.key, [host.shape for host in hosts_of(row.spec)])
        return [row.key for row in rows]

    def retain(self, transaction: Transaction, job: Row) -> Row:
        """Save a job that has ended, with the pool that it leaves; `kept` is to follow."""
        pool = retained(job, time.time())
        if pool is None:
            return transaction.save(job)
        key = _pool_of(job.key)
        transaction.delete(key)
        transaction.insert(
            Row(key, f"{job.arn}#{key.kind}", "Available", job.created, job.modified, matching(job.spec))
        )
        return transaction.save(replace(job, state={**job.state, "warm_pool": pool}))

    def kept(self, job: Row) -> None:
        """The job is saved: its place is the pool's now."""
        if "warm_pool" in job.state:
            pool = _pool_of(job.key)
            self._capacity.hand_over(pool, job.key)
            self._wake(pool)

    def take(self, row: Row) -> None:
        """Give a job that waits the place of a pool that matches, where there is one and it has none yet."""
        if self._capacity.has(row.key):
            return
        wanted = matching(row.spec)
        for pool in self._store.read.rows(WARM_POOL_KIND):
            same = (pool.key.account, pool.key.region) == (row.key.account, row.key.region)
            if same and pool.spec == wanted and self._end(pool.key, time.time(), reused_by=row.key.name):
                self._capacity.hand_over(row.key, pool.key, _job_of(pool.key))  # whose end may just have been saved
                return

    def reconcile(self, key: Key) -> float | None:
        """End a pool whose time is up; seconds until then."""
        job = self._store.read.get(_job_of(key))
        pool = job.state.get("warm_pool") if job else None
        if pool is not None and "ended" not in pool:
            left: float = pool["until"] - time.time()
            if left > 0:
                return left
            self._end(key, max(pool["since"], pool["until"]))
        self._capacity.release(key)
        return None

    def _end(self, key: Key, now: float, **more: str) -> bool:
        """Whether it was this call that ended it."""

        def write(transaction: Transaction) -> bool:
            job = transaction.get(_job_of(key))
            if not transaction.delete(key) or job is None:
                return False
            pool = {**job.state["warm_pool"], "ended": now, **more}
            modified = datetime.fromtimestamp(time.time(), UTC)
            transaction.save(replace(job, state={**job.state, "warm_pool": pool}, modified=modified))
            return True

        return self._store.write(write)


def _pool_of(job: Key) -> Key:
    return replace(job, kind=WARM_POOL_KIND)


def _job_of(pool: Key) -> Key:
    return replace(pool, kind=KIND)
