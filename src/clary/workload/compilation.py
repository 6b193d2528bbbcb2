"""A compilation job outside of its container: the model laid out, the artifact packed and uploaded
(https://docs.aws.amazon.com/sagemaker/latest/dg/neo-job-compilation.html).

The container has no network: what is in a model's archive may be a script or a pickle.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clary.compute.base import Container, Exited, Lost
from clary.compute.machine import limits_of, machine
from clary.images.base import Image
from clary.images.neo import COMPILE, ONNX, form_of
from clary.instances import Shape, shape
from clary.objects import Attributes
from clary.settings import Settings
from clary.store.rows import Row
from clary.telemetry.logfile import LogReader
from clary.telemetry.paths import stream_file
from clary.workload.bundle import Bundle, make_folder, writable
from clary.workload.children import make_archive
from clary.workload.download import Ended
from clary.workload.errors import WorkloadError, room_for
from clary.workload.failure import cut, failure_reason, read_failure
from clary.workload.model_data import fetch_model
from clary.workload.outputs import ARTIFACT_UPLOAD
from clary.workload.runtimes import OnLine, Run, Runtimes
from clary.workload.s3uri import split
from clary.workload.storage import RoleStorage, Storage

LOG_GROUP = "/aws/sagemaker/CompilationJobs"
INSTANCE = "ml.m5.large"
"""AWS does not say on what it compiles."""

_CONFIG = "compilation.json"
_COMPILED = "compiled"
_ARCHIVE_TYPE = "application/x-tar"
_TAIL_LINES = 200


@dataclass(frozen=True)
class Artifact:
    """What a container has left: why it failed, or the digest of what is in S3 now."""

    failure: str | None
    digest: str = ""


class CompilationWorkload:
    """All that a compilation job's row means outside of its container."""

    def __init__(self, settings: Settings, storage: Storage, runtimes: Runtimes) -> None:
        self._settings = settings
        self._storage = storage
        self._runtimes = runtimes
        self._machine = machine(settings.capacity)

    def ready(self, row: Row) -> bool:
        """Whether the environment stands already. Raises WorkloadError."""
        return self._runtimes.ready(self._image(row))

    def build(self, row: Row, on_line: OnLine) -> None:
        """Build the environment. Raises WorkloadError."""
        self._runtimes.build(self._image(row), on_line)

    def notices(self, row: Row) -> Iterator[str]:
        """Lines for the head of the log."""
        yield from self._image(row).notices
        output = row.spec["OutputConfig"]
        if "CompilerOptions" in output and "format" not in output["CompilerOptions"]:
            yield "CompilerOptions are not heeded: ONNX Runtime has none of them."
        if _form(row) == ONNX and "inference_image" not in row.state:
            yield "The artifact is ONNX, for ONNX Runtime on the device; it is not made for the DLR runtime."

    def log_file(self, row: Row) -> Path:
        """Where the container's lines go."""
        key = row.key
        return stream_file(self._settings.logs_dir, key.account, key.region, LOG_GROUP, row.state["log_streams"][0])

    def lay_out(self, row: Row, ended: Ended) -> None:
        """Write the bundle, the model unpacked; may be called again. Raises WorkloadError, Cancelled."""
        bundle = self._bundle(row)
        bundle.clear()
        for folder in (bundle.input, bundle.config, bundle.model, bundle.output):
            make_folder(folder)
        (bundle.config / _CONFIG).write_text(json.dumps({**row.spec["InputConfig"], "Format": _form(row)}))
        fetch_model(self._storage_of(row), {"ModelDataUrl": row.spec["InputConfig"]["S3Uri"]}, bundle, ended)

    def container(self, row: Row) -> tuple[str, Container]:
        """What to start, with its id. Raises WorkloadError."""
        image, bundle = self._image(row), self._bundle(row)
        container: str = row.state["containers"][0]
        run = Run(
            container=container,
            program=COMPILE,
            mounts=(
                writable(bundle.input, "input"),
                writable(bundle.model, "model"),
                writable(bundle.output, "output"),
            ),
            log=self.log_file(row),
            region=row.key.region,
            role=row.spec["RoleArn"],
            isolated=True,
            env={},
            contract={"SAGEMAKER_REGION": row.key.region},
            limits=limits_of(needs(), self._machine),
        )
        return container, self._runtimes.container(image, run)

    def collect(self, row: Row, ending: Exited | Lost) -> Artifact:
        """Upload what the container has left; may be called again. Raises WorkloadError."""
        bundle = self._bundle(row)
        failure = self._failure(row, bundle, ending)
        if failure:
            return Artifact(failure)
        folder = bundle.output / _COMPILED
        if folder.is_symlink() or not folder.is_dir():  # the container's own work: nothing is followed
            return Artifact("AlgorithmError: The compiler has left nothing.")
        bundle.scratch.mkdir(exist_ok=True)
        archive = bundle.scratch / "artifact.tar.gz"
        try:
            with room_for(ARTIFACT_UPLOAD):
                make_archive([folder], archive)
                self._upload(row, archive)
            return Artifact(None, _digest(archive))
        finally:
            archive.unlink(missing_ok=True)

    def _upload(self, row: Row, archive: Path) -> None:
        storage = self._storage_of(row)
        bucket, key = split(row.state["artifacts"])
        if not storage.has_bucket(bucket):
            raise WorkloadError(f"ClientError: Data upload failed: the bucket {bucket} does not exist.")
        kms_key = row.spec["OutputConfig"].get("KmsKeyId", "")
        storage.put_file(bucket, key, archive, Attributes(_ARCHIVE_TYPE), kms_key)

    def _failure(self, row: Row, bundle: Bundle, ending: Exited | Lost) -> str | None:
        """The compiler's own words, where it has said some."""
        said = read_failure(bundle.failure)
        if said and isinstance(ending, Exited) and ending.signal is None:
            return cut(said)
        events = itertools.islice(LogReader(self.log_file(row)).backward(), _TAIL_LINES)
        return failure_reason(ending, said, [event.message for event in reversed(list(events))])

    def _bundle(self, row: Row) -> Bundle:
        return Bundle.of(self._settings, row.state["containers"][0])

    def _image(self, row: Row) -> Image:
        return self._runtimes.image(row.state["image"])

    def _storage_of(self, row: Row) -> RoleStorage:
        return self._storage.of(row.spec["RoleArn"], row.key.region)


def _form(row: Row) -> str:
    return form_of(row.spec["OutputConfig"].get("CompilerOptions", ""))


def needs() -> Shape:
    """What a job takes of the machine."""
    return shape(INSTANCE)


def _digest(path: Path) -> str:
    """BLAKE2b, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, hashlib.blake2b).hexdigest()
