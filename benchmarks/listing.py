"""The first page of 100,000 training jobs, by every key that they are sorted by: `python -m benchmarks.listing`.

The rows are written into the database before the server starts, and every page is asked for by boto3, with as many
entries as SageMaker's lists have where nothing is said.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from benchmarks.figures import Figure, ended
from clary.names import sagemaker_arn
from clary.services.resources import DEFAULT_PAGE
from clary.settings import Settings
from clary.store import Key, Row, Store, Transaction
from tests.running import RunningClary

TARGET = 20.0
"""Milliseconds."""

_ACCOUNT, _REGION = "000000000000", "us-east-1"
_ROWS, _AT_ONCE = 100_000, 5_000
_YEAR = timedelta(days=365)
_STATUSES = ("Completed", "Failed", "Stopped")
_SPEC = {
    "HyperParameters": {f"parameter-{number}": "0.5" for number in range(20)},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
    "OutputDataConfig": {"S3OutputPath": "s3://data/out", "CompressionType": "GZIP"},
}


def main() -> int:
    """1 where the target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.listing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="the median counts")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="clary-bench-") as folder:
        data = Path(folder) / "data"
        fill(data)
        with RunningClary(data) as clary:
            figures = list(measure(clary, rounds))
    for figure in figures:
        print(figure.line())
    return ended(figures)


def fill(data: Path) -> None:
    """All jobs, in no order."""
    data.mkdir(mode=0o700)
    store, chance = Store(Settings(data_dir=data).database), random.Random(1)
    for _ in range(0, _ROWS, _AT_ONCE):
        rows = [_row(chance) for _ in range(_AT_ONCE)]
        store.write(partial(_insert, rows))
    store.close()


def _insert(rows: Sequence[Row], transaction: Transaction) -> None:
    for row in rows:
        transaction.insert(row)


def _row(chance: random.Random) -> Row:
    key = Key("training-job", _ACCOUNT, _REGION, f"job-{chance.getrandbits(64):016x}")
    made = datetime.now(UTC) - _YEAR * chance.random()
    arn = sagemaker_arn(_REGION, _ACCOUNT, key.kind, key.name)
    spec = {"TrainingJobName": key.name, **_SPEC}
    return Row(key, arn, chance.choice(_STATUSES), made, made, spec, target="Completed")


def measure(clary: RunningClary, rounds: int) -> Iterator[Figure]:
    """A first round of each does not count."""
    client = clary.client("sagemaker")
    for sort in ("CreationTime", "Name", "Status"):
        for order in ("Ascending", "Descending"):
            taken = []
            for _ in range(rounds + 1):
                began = time.perf_counter()
                page = client.list_training_jobs(SortBy=sort, SortOrder=order)
                taken.append((time.perf_counter() - began) * 1000)
                assert len(page["TrainingJobSummaries"]) == DEFAULT_PAGE
            yield Figure(
                f"{DEFAULT_PAGE} of {_ROWS:,} training jobs by {sort}, {order.lower()}", taken[1:], TARGET, "ms"
            )


if __name__ == "__main__":
    sys.exit(main())
