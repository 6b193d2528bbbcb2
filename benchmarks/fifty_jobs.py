"""`python -m benchmarks.fifty_jobs [--jobs N]`: many jobs submitted at once against the time that their scripts need.

The figure is the time from the first CreateTrainingJob to the last job's end, divided by the scripts' own CPU time over
the cores of this machine: 1.0 would be a machine that does nothing but run scripts.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path

from tests.running import RunningClary, wait_until
from tests.system.jobs import ENDED, Jobs

TARGET = 1.2

SCRIPT = """\
import os, time
import sklearn.linear_model
count = 0
while time.process_time() < 1.0:
    count += sum(i * i for i in range(10000))
with open(os.path.join(os.environ["SM_MODEL_DIR"], "model"), "w") as file:
    file.write(str(count))
print("cpu-seconds=%.6f" % time.process_time())
"""


def measure(jobs: Jobs, count: int) -> tuple[float, float]:
    """Wall-clock seconds for all, and CPU seconds of all scripts."""
    began = time.perf_counter()
    names = [jobs.start(f"fifty-{number:03}", SCRIPT) for number in range(count)]
    wait_until(lambda: _ended(jobs) >= count, 600, "all jobs have ended")
    took = time.perf_counter() - began
    return took, sum(_cpu_seconds(jobs, name) for name in names)


def _ended(jobs: Jobs) -> int:
    """Of those with the name; looked at rarely, so as not to measure the looking."""
    time.sleep(0.2)
    pages = jobs.sagemaker.get_paginator("list_training_jobs").paginate(NameContains="fifty-")
    return sum(job["TrainingJobStatus"] in ENDED for page in pages for job in page["TrainingJobSummaries"])


def _cpu_seconds(jobs: Jobs, name: str) -> float:
    found = re.search(r"cpu-seconds=([0-9.]+)", jobs.said(name))
    if found is None:
        raise RuntimeError(f"{name}: {jobs.describe(name)}")
    return float(found[1])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fifty_jobs", description=__doc__)
    parser.add_argument("--jobs", type=int, default=50, help="how many are submitted at once")
    count: int = parser.parse_args().jobs
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="clary-bench-") as folder, RunningClary(Path(folder)) as clary:
        jobs = Jobs(clary)
        jobs.ended(jobs.start("warm", "print('warm')"))
        took, cpu = measure(jobs, count)
    ratio = took / (cpu / cores)
    print(f"{count} jobs: {took:.1f} s; their scripts {cpu:.1f} s of CPU on {cores} cores: {ratio:.2f} (≤ {TARGET})")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
