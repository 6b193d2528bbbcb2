"""What a training container leaves: model.tar.gz, output.tar.gz, checkpoints, metrics, and why it failed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clary.compute.base import Exited, Lost
from clary.store.rows import Row
from clary.telemetry.logfile import LogReader
from clary.workload.bundle import Bundle
from clary.workload.children import MetricsScan, make_archive
from clary.workload.errors import WorkloadError
from clary.workload.failure import failure_reason, read_failure
from clary.workload.s3uri import join, split
from clary.workload.storage import RoleStorage

Ending = Exited | Lost

_TAIL_LINES = 500
_ARCHIVE_TYPE = "application/x-tar"
_CONTENT_TYPE = "binary/octet-stream"


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
    bundle: Bundle,
    log: Path,
    ending: Ending,
    own_metrics: Sequence[Mapping[str, str]],
) -> Outputs:
    """Upload everything and read log and failure file. Raises WorkloadError where the bucket is not there, NotAllowed.

    `own_metrics` are the image's definitions; the user's stand in the row.
    """
    scan = MetricsScan(log, own_metrics, row.spec["AlgorithmSpecification"].get("MetricDefinitions") or ())
    destination = _Destination(storage, row)
    bundle.scratch.mkdir(exist_ok=True)
    destination.upload_folder(bundle.model, "model", bundle.scratch)
    destination.upload_folder(bundle.output_data, "output", bundle.scratch)
    _save_checkpoints(storage, row.spec.get("CheckpointConfig"), bundle.checkpoints)
    said, tail = read_failure(bundle.failure), _tail(log)
    return Outputs(failure_reason(ending, said, tail), destination.model_artifacts, scan.result())


class _Destination:
    """OutputDataConfig: `S3OutputPath/JOB/output/`."""

    def __init__(self, storage: RoleStorage, row: Row) -> None:
        config = row.spec["OutputDataConfig"]
        self._storage = storage
        self._plain = config.get("CompressionType") == "NONE"
        self._base = join(config["S3OutputPath"], row.key.name, "output")
        bucket, _ = split(self._base)
        if not storage.has_bucket(bucket):
            raise WorkloadError(f"ClientError: Data upload failed: the bucket {bucket} does not exist.")

    @property
    def model_artifacts(self) -> str:
        return join(self._base, "model") + "/" if self._plain else join(self._base, "model.tar.gz")

    def upload_folder(self, folder: Path, name: str, scratch: Path) -> None:
        """As `NAME.tar.gz`, or file by file below `NAME/`; a folder without content is not uploaded."""
        if folder.is_symlink() or not folder.is_dir() or not any(folder.iterdir()):
            return  # a link is the container's own work: it may lead anywhere on the host
        if self._plain:
            _upload_files(self._storage, join(self._base, name), folder)
            return
        archive = scratch / f"{name}.tar.gz"
        make_archive(folder, archive)
        bucket, key = split(join(self._base, archive.name))
        self._storage.put_file(bucket, key, archive, content_type=_ARCHIVE_TYPE)


def _upload_files(storage: RoleStorage, uri: str, folder: Path) -> None:
    bucket, prefix = split(uri)
    for path in _regular_files(folder):
        key = f"{prefix}/{path.relative_to(folder)}"
        storage.put_file(bucket, key, path, content_type=_CONTENT_TYPE)


def _regular_files(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink():
            continue
        if entry.is_dir():
            yield from _regular_files(entry)
        elif entry.is_file():
            yield entry


def _save_checkpoints(storage: RoleStorage, config: Mapping[str, Any] | None, folder: Path) -> None:
    if config and folder.is_dir():
        _upload_files(storage, config["S3Uri"].rstrip("/"), folder)


def _tail(log: Path) -> list[str]:
    """The last lines of the log, oldest first."""
    events = itertools.islice(LogReader(log).backward(), _TAIL_LINES)
    return [event.message for event in events][::-1]
