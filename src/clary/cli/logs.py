"""`clary logs NAME`: what a job, a tuning's training jobs, an endpoint or an inference component say."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import typer
from botocore import xform_name
from botocore.exceptions import ClientError

from clary.app.client import client
from clary.cli import options
from clary.errors import ClaryError
from clary.settings import Settings
from clary.workload.tuning import JOB_NAME_SUFFIX

_PAUSE = 0.3
_JOBS = {"Training": "/aws/sagemaker/TrainingJobs", "Transform": "/aws/sagemaker/TransformJobs"}
"""Log group by the kind of job."""
_COMPILATION = "Compilation"
_COMPILATIONS = "/aws/sagemaker/CompilationJobs"
_TUNING = "HyperParameterTuning"
_ENDPOINTS = "/aws/sagemaker/Endpoints"
_COMPONENTS = "/aws/sagemaker/InferenceComponents"
_OVER = ("Completed", "Failed", "Stopped")


def logs(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a job, a tuning, an endpoint or a component.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job ends or Ctrl-C.")] = False,
    data_dir: options.DataDir = None,
) -> None:
    """Show the log of a job, a tuning, an endpoint or an inference component.

    A tuning's log is that of its training jobs, each line with the job's name.

    Examples:

        clary logs my-job

        clary logs my-endpoint -f
    """
    settings = options.required(data_dir).settings
    source = _source(settings, name)
    tail = Tail(client(settings, "logs"), source)
    while True:
        last = not follow or source.over()
        for line in tail.fresh():
            print(line, flush=follow)
        if last:
            return
        time.sleep(_PAUSE)


@dataclass(frozen=True)
class Source:
    """Where the lines of something stand."""

    over: Callable[[], bool]
    """Whether it writes no more."""
    group: str
    prefix: str
    """Of its streams."""
    streams: str = ""
    """What their names match besides; empty: all do."""
    labelled: bool = False
    """Each line with its stream's name, also where there is one only."""


class Tail:
    """The lines of all streams of a source, each line once."""

    def __init__(self, api: Any, source: Source) -> None:  # noqa: ANN401 — a botocore client
        self._api = api
        self._group = source.group
        self._prefix = source.prefix
        self._wanted = re.compile(source.streams)
        self._labelled = source.labelled
        self._tokens: dict[str, str] = {}

    def fresh(self) -> Iterator[str]:
        """The lines since the last time."""
        streams = self._streams()
        for stream in streams:
            label = f"{stream} " if self._labelled or len(streams) > 1 else ""
            yield from (label + line for line in self._lines(stream))

    def _streams(self) -> list[str]:
        wanted = {"logGroupName": self._group} | ({"logStreamNamePrefix": self._prefix} if self._prefix else {})
        try:
            pages = self._api.get_paginator("describe_log_streams").paginate(**wanted)
            found = [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return []  # nothing has been written yet
            raise
        return [stream for stream in found if self._wanted.match(stream)]

    def _lines(self, stream: str) -> Iterator[str]:
        wanted = {"logGroupName": self._group, "logStreamName": stream, "startFromHead": True}
        while True:
            before = self._tokens.get(stream)
            page = self._api.get_log_events(**wanted, **({"nextToken": before} if before else {}))
            yield from (event["message"] for event in page["events"])
            self._tokens[stream] = page["nextForwardToken"]
            if page["nextForwardToken"] == before:
                return


def _source(settings: Settings, name: str) -> Source:
    """Raises ClaryError where nothing is called so."""
    api = client(settings, "sagemaker")
    for kind, group in _JOBS.items():
        if _found(partial(_status, api, kind, name)):
            return Source(partial(_is_over, api, kind, name), group, f"{name}/")
    if _found(partial(_status, api, _TUNING, name)):
        jobs = f"{re.escape(name)}{JOB_NAME_SUFFIX}/"
        return Source(partial(_is_over, api, _TUNING, name), _JOBS["Training"], f"{name}-", jobs, labelled=True)
    if _found(partial(_status, api, _COMPILATION, name)):
        return Source(partial(_is_over, api, _COMPILATION, name), _COMPILATIONS, name, rf"{re.escape(name)}\Z")
    if _found(lambda: api.describe_endpoint(EndpointName=name)):
        return Source(lambda: not _found(lambda: api.describe_endpoint(EndpointName=name)), f"{_ENDPOINTS}/{name}", "")
    component = partial(api.describe_inference_component, InferenceComponentName=name)
    if _found(component):
        return Source(lambda: not _found(component), f"{_COMPONENTS}/{name}", "")
    raise ClaryError(
        f"There is no job, tuning, endpoint or inference component called {name!r}.",
        "`clary status` shows what there is.",
    )


def _is_over(api: Any, kind: str, name: str) -> bool:  # noqa: ANN401 — a botocore client
    return _status(api, kind, name).capitalize() in _OVER


def _status(api: Any, kind: str, name: str) -> str:  # noqa: ANN401 — a botocore client
    described = getattr(api, xform_name(f"Describe{kind}Job"))(**{f"{kind}JobName": name})
    return str(described[f"{kind}JobStatus"])


def _found(describe: Callable[[], object]) -> bool:
    try:
        describe()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("ValidationException", "ResourceNotFound"):
            return False
        raise
    return True
