"""What a training job's containers leave: model.tar.gz, output.tar.gz, checkpoints, metrics, and why it failed
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-output.html)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clary.compute.base import Exited, Lost
from clary.objects import Attributes
from clary.store.rows import Row
from clary.telemetry.logfile import LogReader
from clary.workload import checkpoints
from clary.workload.bundle import Bundle
from clary.workload.children import MetricsScan, check_left, make_archive
from clary.workload.errors import WorkloadError, room_for
from clary.workload.failure import failure_reason, of_host, read_failure
from clary.workload.hosts import host_name
from clary.workload.s3uri import as_key, join, split
from clary.workload.storage import RoleStorage
from clary.workload.tree import merged, walk

Ending = Exited | Lost

ARTIFACT_UPLOAD = "Artifact upload"
"""As FailureReason names it."""

_TAIL_LINES = 500
_ARCHIVE_TYPE = "application/x-tar"
_STOPPED_BY_US = (9, 15)


@dataclass(frozen=True)
class Outputs:
    """What the controller writes into the row."""

    failure: str | None
    """FailureReason of a program that ended by itself, badly; None where all went well."""
    model_artifacts: str
    """S3ModelArtifacts."""
    metrics: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    """FinalMetricDataList; Timestamp in epoch seconds."""


def collect(
    storage: RoleStorage,
    row: Row,
    bundles: Sequence[Bundle],
    logs: Sequence[Path],
    endings: Sequence[Ending],
    own_metrics: Sequence[Mapping[str, str]],
) -> Outputs:
    """Upload everything and read logs and failure files; bundles, logs and endings host by host, all ended.

    `own_metrics` are the image's definitions; the user's stand in the row. May be called again. Raises WorkloadError
    where the bucket is not there, what was left cannot be packed or the disk is full; NotAllowed.
    """
    given = row.spec["AlgorithmSpecification"].get("MetricDefinitions") or ()
    scans = [MetricsScan(log, own_metrics, given) for log in logs]
    destination = _Destination(storage, row)
    scratch = bundles[0].scratch
    scratch.mkdir(exist_ok=True)
    with room_for(ARTIFACT_UPLOAD):
        destination.upload([bundle.model for bundle in bundles], "model", scratch)
        destination.upload([bundle.output_data for bundle in bundles], "output", scratch)
        checkpoints.sync(storage, row.spec, bundles, final=True)
    metrics = last_of_each([scan.result() for scan in scans])
    return Outputs(_failure(bundles, logs, endings), destination.model_artifacts, metrics)


def last_of_each(found: Sequence[Sequence[Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
    """Metrics of several hosts as one job's: of each name the latest."""
    latest: dict[str, Mapping[str, Any]] = {}
    for metric in itertools.chain.from_iterable(found):
        known = latest.get(metric["MetricName"])
        if known is None or known["Timestamp"] < metric["Timestamp"]:
            latest[metric["MetricName"]] = metric
    return list(latest.values())


def _failure(bundles: Sequence[Bundle], logs: Sequence[Path], endings: Sequence[Ending]) -> str | None:
    """Of the host that failed first: the others ended with it."""
    index = first_to_fail(endings)
    if index is None:
        return None
    reason = failure_reason(endings[index], read_failure(bundles[index].failure), _tail(logs[index]))
    return of_host(reason, host_name(index)) if reason and len(endings) > 1 else reason


def first_to_fail(endings: Sequence[Ending]) -> int | None:
    """Which host failed first by itself; None where all went well.

    One that is lost has failed before those that were stopped because of it.
    """
    failed = {number: end for number, end in enumerate(endings) if isinstance(end, Lost) or end.code or end.reason}
    return min(failed, key=lambda number: _when(failed[number]), default=None)


def _when(end: Ending) -> tuple[int, float]:
    if isinstance(end, Lost):
        return 1, 0.0
    stopped = end.signal in _STOPPED_BY_US and not end.out_of_memory and not end.reason
    return (2 if stopped else 0), end.at


class _Destination:
    """OutputDataConfig: `S3OutputPath/JOB/output/`."""

    def __init__(self, storage: RoleStorage, row: Row) -> None:
        config = row.spec["OutputDataConfig"]
        self._storage = storage
        self._plain = config.get("CompressionType") == "NONE"
        self._kms_key = config.get("KmsKeyId", "")
        self._base = join(config["S3OutputPath"], row.key.name, "output")
        bucket, _ = split(self._base)
        if not storage.has_bucket(bucket):
            raise WorkloadError(f"ClientError: Data upload failed: the bucket {bucket} does not exist.")

    @property
    def model_artifacts(self) -> str:
        """Where the model is to be found."""
        return join(self._base, "model") + "/" if self._plain else join(self._base, "model.tar.gz")

    def upload(self, folders: Sequence[Path], name: str, scratch: Path) -> None:
        """Together as `NAME.tar.gz`, or file by file below `NAME/`; what has no content is not uploaded."""
        filled = [folder for folder in folders if next(walk(folder), None)]
        if not filled:
            return
        if self._plain:
            self._upload_files(filled, join(self._base, name))
            return
        archive = scratch / f"{name}.tar.gz"
        try:
            make_archive(filled, archive)
            bucket, key = split(join(self._base, archive.name))
            self._storage.put_file(bucket, key, archive, Attributes(_ARCHIVE_TYPE), self._kms_key)
        finally:
            archive.unlink(missing_ok=True)

    def _upload_files(self, folders: Sequence[Path], uri: str) -> None:
        bucket, prefix = split(uri)
        for entry in merged(folders):
            if entry.is_file:
                with entry.open() as file:
                    check_left(entry.path, file)
                    key = f"{prefix}/{as_key(entry.path)}"
                    self._storage.put_open(bucket, key, file, Attributes(), self._kms_key)


def _tail(log: Path) -> list[str]:
    """The last lines of the log, oldest first."""
    events = itertools.islice(LogReader(log).backward(), _TAIL_LINES)
    return [event.message for event in events][::-1]
