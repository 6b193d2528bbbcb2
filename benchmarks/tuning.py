"""`python -m benchmarks.tuning [--jobs N] [--long N]`: what a tuning adds to its training jobs, and whether it grows.

Built-in XGBoost on Boston housing, two at a time. A job's own training is the time that its program runs
(TrainingStartTime until it is Uploading); what a tuning adds is the rest of the time in which one of its two places is
taken, job by job. The long tuning compares its last hundred jobs with its first, and control's memory then and there.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.figures import Figure, ended
from tests.running import RunningClary
from tests.system.jobs import BUCKET, Jobs

ROOT = Path(__file__).parent.parent
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
PARALLEL = 2
TARGET = 0.12
GROWTH = 1.25
"""The last hundred jobs against the first: a machine that others use is never quite even."""
GROWTH_SECONDS = 0.03
"""From a job's end to its successor's creation: all that depends on how many there were before."""
GROWTH_MIB = 30.0
LOOK = 0.05

RANGES: dict[str, Any] = {
    "ContinuousParameterRanges": [
        {"Name": "eta", "MinValue": "0.05", "MaxValue": "0.5"},
        {"Name": "min_child_weight", "MinValue": "1", "MaxValue": "10"},
        {"Name": "subsample", "MinValue": "0.5", "MaxValue": "1"},
    ],
    "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "2", "MaxValue": "9"}],
}


@dataclass(frozen=True)
class Span:
    """One training job; times in epoch seconds."""

    created: float
    started: float
    stopped: float
    """When its program had ended."""
    ended: float
    """When the job had."""

    @property
    def own(self) -> float:
        """Seconds that its program ran."""
        return self.stopped - self.started


class Tunings:
    """Tunings of one Clary."""

    def __init__(self, clary: RunningClary) -> None:
        self._jobs = Jobs(clary)
        self.api = self._jobs.sagemaker
        self._clary = clary
        self._upload()

    def _upload(self) -> None:
        """The last column first, as built-in algorithms have it; every fifth row validates."""
        lines = (ROOT / "examples" / "boston_housing" / "boston_housing.csv").read_text().splitlines()[1:]
        rows = [",".join([line.split(",")[-1], *line.split(",")[:-1]]) for line in lines]
        parts = {"train": [r for n, r in enumerate(rows) if n % 5], "validation": rows[::5]}
        for name, part in parts.items():
            self._jobs.s3.put_object(Bucket=BUCKET, Key=f"boston/{name}/data.csv", Body="\n".join(part).encode())

    def run(self, name: str, jobs: int, strategy: str) -> tuple[float, list[Span], list[float]]:
        """Wall-clock seconds, its jobs in their order, and control's memory in MiB, as it was with each look."""
        began = time.perf_counter()
        self.api.create_hyper_parameter_tuning_job(**self._request(name, jobs, strategy))
        memory = []
        while (tuning := self._describe(name))["HyperParameterTuningJobStatus"] == "InProgress":
            memory.append(self._memory())
            time.sleep(LOOK if jobs <= 100 else 0.5)
        seconds = time.perf_counter() - began
        if tuning["HyperParameterTuningJobStatus"] != "Completed":
            raise RuntimeError(f"{name}: {tuning.get('FailureReason')}")
        return seconds, self._spans(name), memory

    def _describe(self, name: str) -> Any:
        found = self.api.list_hyper_parameter_tuning_jobs(NameContains=name)["HyperParameterTuningJobSummaries"]
        return next(each for each in found if each["HyperParameterTuningJobName"] == name)

    def _memory(self) -> float:
        pages = int(Path(f"/proc/{self._clary.process('control')}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def _spans(self, name: str) -> list[Span]:
        pages = self.api.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
            HyperParameterTuningJobName=name, SortBy="CreationTime", SortOrder="Ascending"
        )
        return [self._span(each["TrainingJobName"]) for page in pages for each in page["TrainingJobSummaries"]]

    def _span(self, job: str) -> Span:
        described = self.api.describe_training_job(TrainingJobName=job)
        uploading = next(e["StartTime"] for e in described["SecondaryStatusTransitions"] if e["Status"] == "Uploading")
        started, ended = described["TrainingStartTime"], described["TrainingEndTime"]
        return Span(*(moment.timestamp() for moment in (described["CreationTime"], started, uploading, ended)))

    def _request(self, name: str, jobs: int, strategy: str) -> dict[str, Any]:
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/boston/"}
        channels = [
            {
                "ChannelName": part,
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": {**source, "S3Uri": f"{source['S3Uri']}{part}/"}},
            }
            for part in ("train", "validation")
        ]
        return {
            "HyperParameterTuningJobName": name,
            "HyperParameterTuningJobConfig": {
                "Strategy": strategy,
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": PARALLEL},
                "ParameterRanges": RANGES,
                "RandomSeed": 1,
            },
            "TrainingJobDefinition": {
                "StaticHyperParameters": {"objective": "reg:squarederror", "num_round": "50", "nthread": "1"},
                "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
                "RoleArn": self._jobs.role,
                "InputDataConfig": channels,
                "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/output"},
                "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
                "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            },
        }


def measure(jobs: int, long: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="clary-bench-") as folder, RunningClary(Path(folder)) as clary:
        tunings = Tunings(clary)
        tunings.run("warm", 4, "Bayesian")
        for strategy in ("Bayesian", "Random") if jobs else ():
            seconds, spans, _ = tunings.run(strategy.lower(), jobs, strategy)
            title = f"a tuning of {jobs} XGBoost jobs, {strategy}, added to each job's own {_mean(spans):.2f} s"
            yield Figure(title, [(seconds * PARALLEL - sum(span.own for span in spans)) / jobs], TARGET)
        if long:
            _, spans, memory = tunings.run("long", long, "Bayesian")
            title = f"{long} jobs, the last hundred against the first"
            yield Figure(f"{title}: what is added to each", [_growth(spans)], GROWTH, "×")
            yield Figure(f"{title}: from one's end to the next one's creation", [_slower(spans)], GROWTH_SECONDS)
            yield Figure(
                f"{long} jobs, control's memory, the last fifth against the second", [_grown(memory)], GROWTH_MIB, "MiB"
            )


def _mean(spans: Sequence[Span]) -> float:
    return sum(span.own for span in spans) / len(spans)


def _growth(spans: Sequence[Span]) -> float:
    """By what a job takes from the creation of one to that of the next but its own training."""
    first, last = spans[:100], spans[-100:]
    return _added(last) / _added(first)


def _added(spans: Sequence[Span]) -> float:
    wall = spans[-1].created - spans[0].created
    return (wall * PARALLEL - sum(span.own for span in spans[:-1])) / (len(spans) - 1)


def _slower(spans: Sequence[Span]) -> float:
    """Seconds; medians. Each creation but the first ones follows the first end that had no successor."""
    ends = sorted(span.ended for span in spans)
    turns = [span.created - end for span, end in zip(spans[PARALLEL:], ends, strict=False)]
    return median(turns[-100:]) - median(turns[:100])


def _grown(memory: Sequence[float]) -> float:
    """Once everything that is loaded once has been."""
    fifth = len(memory) // 5
    return max(memory[-fifth:]) - max(memory[fifth : 2 * fifth])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tuning", description=__doc__)
    parser.add_argument("--jobs", type=int, default=100, help="training jobs of each of the short tunings")
    parser.add_argument("--long", type=int, default=500, help="training jobs of the long one; 0 for none")
    arguments = parser.parse_args()
    figures = []
    for figure in measure(arguments.jobs, arguments.long):
        print(figure.line(), flush=True)
        figures.append(figure)
    return ended(figures)


if __name__ == "__main__":
    sys.exit(main())
