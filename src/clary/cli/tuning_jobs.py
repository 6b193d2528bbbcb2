"""A tuning as its pictures show it, read from the API."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Job:
    """One training job of a tuning."""

    number: int
    """1, 2, 3, … in the order in which they were created."""
    name: str
    definition: str
    status: str
    """TrainingJobStatus."""
    objective: float | None
    """The final objective; None where there is none that can be compared."""
    values: Mapping[str, str]
    """TunedHyperParameters, quotes of SDKs around categories left out."""
    ended: float | None
    """Seconds from the tuning's creation to the job's end; None while it runs."""
    took: float | None
    """Seconds."""


@dataclass(frozen=True)
class Axis:
    """A tuned hyperparameter: its categories, or its least and most and whether its scale is logarithmic."""

    name: str
    categories: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    is_logarithmic: bool = False
    is_whole: bool = False


@dataclass(frozen=True)
class Tuning:
    """A tuning and its jobs."""

    name: str
    status: str
    strategy: str
    metric: str
    maximize: bool
    jobs: Sequence[Job]
    axes: Sequence[Axis]
    failure: str = ""

    @property
    def best(self) -> Job | None:
        """The first of the best jobs, or None where none has an objective."""
        return self.records[-1] if self.records else None

    @cached_property
    def records(self) -> Sequence[Job]:
        """The jobs that were better than all before them, in the order of their numbers."""
        found: list[Job] = []
        for job in self.jobs:
            if job.objective is not None and (not found or self.better(job, found[-1])):
                found.append(job)
        return found

    def better(self, one: Job, other: Job) -> bool:
        """Whether one job's objective is better than another's, both having one."""
        if one.objective is None or other.objective is None:
            return False
        return one.objective > other.objective if self.maximize else one.objective < other.objective


def read(api: Any, name: str) -> Tuning:  # noqa: ANN401 — a botocore client
    """The tuning with this name. Raises ClientError where there is none."""
    described = api.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    config = described["HyperParameterTuningJobConfig"]
    definitions = described.get("TrainingJobDefinitions") or [described["TrainingJobDefinition"]]
    aim = config.get("HyperParameterTuningJobObjective") or definitions[0]["TuningObjective"]
    ranges = [config.get("ParameterRanges") or {}, *(each.get("HyperParameterRanges") or {} for each in definitions)]
    return Tuning(
        name=name,
        status=described["HyperParameterTuningJobStatus"],
        strategy=config["Strategy"],
        metric=aim["MetricName"],
        maximize=aim["Type"] == "Maximize",
        jobs=_jobs(api, described),
        axes=list({axis.name: axis for each in ranges for axis in _axes(each)}.values()),
        failure=described.get("FailureReason", ""),
    )


def _jobs(api: Any, described: Mapping[str, Any]) -> list[Job]:  # noqa: ANN401 — a botocore client
    pages = api.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=described["HyperParameterTuningJobName"],
        SortBy="CreationTime",
        SortOrder="Ascending",
    )
    summaries = [summary for page in pages for summary in page["TrainingJobSummaries"]]
    return [_job(number, summary, described["CreationTime"]) for number, summary in enumerate(summaries, 1)]


def _job(number: int, summary: Mapping[str, Any], since: Any) -> Job:  # noqa: ANN401 — a datetime
    objective = summary.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value")
    started, ended = summary.get("TrainingStartTime"), summary.get("TrainingEndTime")
    return Job(
        number=number,
        name=summary["TrainingJobName"],
        definition=summary.get("TrainingJobDefinitionName", ""),
        status=summary["TrainingJobStatus"],
        objective=objective if objective is not None and math.isfinite(objective) else None,
        values={name: _plain(value) for name, value in sorted(summary["TunedHyperParameters"].items())},
        ended=(ended - since).total_seconds() if ended else None,
        took=(ended - started).total_seconds() if ended and started else None,
    )


def _axes(ranges: Mapping[str, Any]) -> Iterator[Axis]:
    for kind in ("ContinuousParameterRanges", "IntegerParameterRanges"):
        for each in ranges.get(kind) or ():
            low, high = float(each["MinValue"]), float(each["MaxValue"])
            whole = kind.startswith("Integer")
            yield Axis(each["Name"], (), low, high, low > 0 and high / low >= 100, whole)
    for each in ranges.get("CategoricalParameterRanges") or ():
        yield Axis(each["Name"], tuple(map(_plain, each["Values"])))


def _plain(value: str) -> str:
    """SDKs write a category as JSON."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
