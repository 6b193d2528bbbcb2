"""`python -m benchmarks.data [--gigabytes N] [--rounds N]`: what a large channel adds to a job, and how fast a model is
packed.

A channel's figure is a job with it minus a job without (CreateTrainingJob → Completed, medians). The object was
uploaded in parts; the job that has them joined is a figure of its own, to be compared with copying.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.figures import Figure, ended
from clary.workload.pack import make
from tests.running import RunningClary
from tests.system.jobs import BUCKET, Jobs

PACK_BYTES = 256 * 2**20
NAMES = {"File": "file", "FastFile": "fast", "Pipe": "pipe"}
SCRIPTS = {
    "none": "print(1)",
    "FastFile": "open('/opt/ml/input/data/train/big').read(10)",
    "File": "open('/opt/ml/input/data/train/small', 'a').write('mine'); open('/opt/ml/input/data/train/big').read(10)",
    "Pipe": "open('/opt/ml/input/data/train_0').read(10)",
}


def channels(size: int, rounds: int) -> Iterator[Figure]:
    """A channel of `size` bytes in each input mode."""
    with tempfile.TemporaryDirectory(prefix="clary-bench-") as folder, RunningClary(Path(folder) / "data") as clary:
        jobs = Jobs(clary)
        file = Path(folder) / "big"
        _fill(file, size)
        copying = [_seconds(lambda: shutil.copy(file, file.with_suffix(".copy")))]
        file.with_suffix(".copy").unlink()
        jobs.s3.upload_file(str(file), BUCKET, "data/big")
        jobs.s3.put_object(Bucket=BUCKET, Key="data/small", Body=b"x")
        _job(jobs, "warm", "none", 0)
        without = median([_job(jobs, "none", "none", number) for number in range(rounds)])
        title = f"{size / 2**30:g} GB channel"
        first = _job(jobs, "first", "FastFile", 0) - without
        yield Figure(
            f"{title}, its first use after an upload in parts (copying the file: the target)", [first], copying[0]
        )
        for mode in ("FastFile", "File", "Pipe"):
            added = [_job(jobs, NAMES[mode], mode, number) - without for number in range(rounds)]
            yield Figure(f"{title}, {mode}", added, 0.1)


def _job(jobs: Jobs, name: str, mode: str, number: int) -> float:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/data/"}
    channel = {"ChannelName": "train", "InputMode": mode, "DataSource": {"S3DataSource": source}}
    given: dict[str, Any] = {} if mode == "none" else {"InputDataConfig": [channel]}
    began = time.perf_counter()
    started = jobs.start(f"{name}-{number}", SCRIPTS[mode], **given)
    while (job := jobs.describe(started))["TrainingJobStatus"] == "InProgress":
        time.sleep(0.01)
    if job["TrainingJobStatus"] != "Completed":
        raise RuntimeError(job.get("FailureReason"))
    return time.perf_counter() - began


def packing(rounds: int) -> Iterator[Figure]:
    """model.tar.gz of numbers as text."""
    with tempfile.TemporaryDirectory(prefix="clary-bench-") as folder:
        model = Path(folder) / "model"
        model.mkdir()
        _fill(model / "numbers.csv", PACK_BYTES)
        target = Path(folder) / "model.tar.gz"
        seconds = [_seconds(lambda: make([model], target)) for _ in range(rounds)]
        ratio = target.stat().st_size / PACK_BYTES
        yield Figure(f"packing {PACK_BYTES >> 20} MB of CSV as model.tar.gz (to {ratio:.0%})", seconds, 4.0)


def _fill(path: Path, size: int) -> None:
    """Numbers as text, a block of them repeated far apart."""
    numbers = random.Random(0)
    block = "".join(f"{numbers.gauss(0, 1):.6f}{',' if column % 10 else chr(10)}" for column in range(800_000)).encode()
    with path.open("wb") as file:
        while file.tell() < size:
            file.write(block[: size - file.tell()])


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.data", description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=2, help="the channel's size")
    parser.add_argument("--rounds", type=int, default=5, help="jobs of each kind; the median counts")
    arguments = parser.parse_args()
    figures = []
    for measured in (packing(3), channels(int(arguments.gigabytes * 2**30), arguments.rounds)):
        for figure in measured:
            print(figure.line(), flush=True)
            figures.append(figure)
    return ended(figures)


if __name__ == "__main__":
    sys.exit(main())
