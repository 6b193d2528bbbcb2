"""`python -m benchmarks.fifty_jobs`: many jobs submitted at once against the time that their scripts need.

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

from benchmarks.figures import Figure, ended
from tests.running import RunningClary, wait_until
from tests.system.jobs import Jobs

TARGET = 1.2

SCRIPT = """\
import os, time
import sklearn.linear_model
count = 0
while time.process_time() < float(os.environ["SECONDS"]):
    count += sum(i * i for i in range(10000))
with open(os.path.join(os.environ["SM_MODEL_DIR"], "model"), "w") as file:
    file.write(str(count))
print("cpu-seconds=%.6f" % time.process_time())
"""


def measure(jobs: Jobs, count: int, seconds: float) -> tuple[float, float]:
    """Wall-clock seconds for all, and CPU seconds of all scripts."""
    began = time.perf_counter()
    needs = {"SECONDS": str(seconds)}
    names = [jobs.start(f"fifty-{number:03}", SCRIPT, Environment=needs) for number in range(count)]
    wait_until(lambda: not _going_on(jobs), 600, "all jobs have ended")
    took = time.perf_counter() - began
    return took, sum(_cpu_seconds(jobs, name) for name in names)


def _going_on(jobs: Jobs) -> bool:
    """Looked at rarely, so as not to measure the looking."""
    time.sleep(0.2)
    found = jobs.sagemaker.list_training_jobs(StatusEquals="InProgress", MaxResults=1)["TrainingJobSummaries"]
    return bool(found)


def _cpu_seconds(jobs: Jobs, name: str) -> float:
    found = re.search(r"cpu-seconds=([0-9.]+)", jobs.said(name))
    if found is None:
        raise RuntimeError(f"{name}: {jobs.describe(name)}")
    return float(found[1])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fifty_jobs", description=__doc__)
    parser.add_argument("--jobs", type=int, default=50, help="how many are submitted at once")
    parser.add_argument("--seconds", type=float, default=2.0, help="of CPU time that each script needs")
    arguments = parser.parse_args()
    count: int = arguments.jobs
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="clary-bench-") as folder, RunningClary(Path(folder)) as clary:
        jobs = Jobs(clary)
        jobs.ended(jobs.start("warm", "print('warm')"))
        took, cpu = measure(jobs, count, arguments.seconds)
    ratio = took / (cpu / cores)
    print(f"{count} jobs: {took:.1f} s; their scripts {cpu:.1f} s of CPU on {cores} cores")
    figure = Figure(f"{count} jobs at once through their scripts' own time", [ratio], TARGET, "×")
    print(figure.line())
    return ended([figure])


if __name__ == "__main__":
    sys.exit(main())
