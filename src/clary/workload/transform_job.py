"""A batch transform job outside of its containers: the replicas, the plan for the engine, the upload of what is done
(https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html).

    run/transforms/JOB/plan.json    what the engine is told
                      /items.json   the input objects, as they were listed when the job began
                      /out/N        the answers of file N, whole
                      /uploaded/N   an empty mark: the answers of file N are in S3
                      /in/N         file N, decrypted, where it lies encrypted in S3
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from clary.compute.base import Container
from clary.compute.machine import limits_of, machine
from clary.images.base import Image
from clary.instances import shape
from clary.names import container_names
from clary.settings import Settings
from clary.store.rows import Row
from clary.telemetry.logfile import LogWriter
from clary.telemetry.paths import stream_file
from clary.workload.bundle import Bundle, make_folder, writable
from clary.workload.download import DATA_DOWNLOAD, Ended, Item, find_data, items_of_manifest, items_of_prefix
from clary.workload.errors import WorkloadError, room_for
from clary.workload.hosting import PORT, image_of, place_env
from clary.workload.model_data import fetch_model
from clary.workload.runtimes import OnLine, Run, Runtimes
from clary.workload.s3uri import split
from clary.workload.storage import RoleStorage, Storage
from clary.workload.transform.jsonpath import BadPath, parse
from clary.workload.transform_capture import capture
from clary.workload.transform_round import PLAIN, Result, Round

LOG_GROUP = "/aws/sagemaker/TransformJobs"


class TransformWorkload:
    """All that a transform job's row means outside of its containers."""

    def __init__(self, settings: Settings, storage: Storage, runtimes: Runtimes) -> None:
        self._settings = settings
        self._storage = storage
        self._runtimes = runtimes
        self._machine = machine(settings.capacity)

    def build(self, row: Row, on_line: OnLine) -> None:
        """Build the environments that are not there. Raises WorkloadError."""
        for image in self._images(row):
            if not self._runtimes.ready(image):
                self._runtimes.build(image, on_line)

    def notices(self, row: Row) -> list[str]:
        """Lines for the head of the log."""
        return [notice for image in self._images(row) for notice in image.notices]

    def log_files(self, row: Row) -> list[Path]:
        """Where the containers' lines go."""
        return [self._log(row, stream) for stream in row.state["log_streams"]]

    def lay_out(self, row: Row, ended: Ended) -> None:
        """Every container's bundle, its model unpacked; what is there stays. Raises WorkloadError, Cancelled."""
        _check_filters(row.spec)
        for number, (container, definition) in enumerate(_with_definitions(row)):
            bundle = Bundle.of(self._settings, container)
            if (bundle.root / "whole").exists():
                continue
            bundle.clear()
            make_folder(bundle.model)
            position = number % len(row.state["container_definitions"])
            fetch_model(self._storage_of(row), definition, bundle, ended, position)
            (bundle.root / "whole").touch()

    def containers(self, row: Row) -> list[tuple[str, Container]]:
        """What to start, by id. Raises WorkloadError."""
        found = zip(_with_definitions(row), self.log_files(row), strict=True)
        return [(container, self._container(row, container, definition, log)) for (container, definition), log in found]

    def transform(self, row: Row, ended: Ended) -> Result:
        """Have every file transformed that is not yet, and upload each as it is done.

        May be called again: what is uploaded stays. Raises WorkloadError, NotAllowed, Cancelled.
        """
        storage, folder = self._storage_of(row), self._folder(row)
        for name in ("out", "uploaded", PLAIN):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        items = self._items(storage, row, folder)
        log = LogWriter(self._log(row, data_log(instance_streams(row)[0])))
        try:
            round_ = Round(storage, row, items, folder, log)
            plan = self._plan(row, storage, items, round_.todo())
            (folder / "plan.json").write_text(json.dumps(plan))
            result = round_.run(ended)
        finally:
            log.close()
        if not result.lost and "DataCaptureConfig" in row.spec:
            done = [item for number, item in enumerate(items) if (folder / "uploaded" / str(number)).exists()]
            capture(storage, row, done, folder)
        return result

    def clear_all_but(self, rows: Sequence[Row]) -> None:
        """Folders of jobs that ended just before a crash."""
        kept = {row.state.get("job") for row in rows}
        for folder in (self._settings.run_dir / "transforms").glob("*"):
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def clear(self, row: Row) -> None:
        """Its own folder is of no use any more."""
        if "job" in row.state:
            shutil.rmtree(self._folder(row), ignore_errors=True)

    def _container(self, row: Row, container: str, definition: Mapping[str, Any], log: Path) -> Container:
        image = self._image(definition)
        instance = shape(row.spec["TransformResources"]["InstanceType"])
        run = Run(
            container=container,
            program=image.serve,
            mounts=(writable(Bundle.of(self._settings, container).model, "model"),),
            log=log,
            region=row.key.region,
            role=row.state["role"],
            isolated=bool(row.state.get("isolated")),
            env={**(definition.get("Environment") or {}), **(row.spec.get("Environment") or {})},
            contract=contract_env(row, definition),
            listens=PORT,
            limits=limits_of(instance, self._machine),
        )
        return self._runtimes.container(image, run)

    def _items(self, storage: RoleStorage, row: Row, folder: Path) -> list[Item]:
        """Listed once: marks go by numbers, and what the job writes may lie below what it reads. Raises WorkloadError
        where one was deleted meanwhile."""
        listed = folder / "items.json"
        if listed.exists():
            return [Item(name, find_data(storage, uri)) for name, uri in json.loads(listed.read_text())]
        items = [item for item in self._inputs(storage, row) if not item.is_folder]
        fresh = listed.with_suffix(".part")
        fresh.write_text(json.dumps([(item.name, item.uri) for item in items]))
        fresh.replace(listed)
        return items

    def _inputs(self, storage: RoleStorage, row: Row) -> list[Item]:
        source = row.spec["TransformInput"]["DataSource"]["S3DataSource"]
        uri = source["S3Uri"]
        if source["S3DataType"] == "ManifestFile":
            return list(items_of_manifest(storage, uri))
        items = list(items_of_prefix(storage, uri))
        if not items:
            raise WorkloadError(
                f'ClientError: No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that '
                f"the bucket exists in the selected region ({row.key.region}), that objects exist under that S3 "
                f'prefix, and that the role "{row.state["role"]}" has "s3:ListBucket" permissions on bucket '
                f'"{split(uri)[0]}".'
            )
        return items

    def _plan(self, row: Row, storage: RoleStorage, items: Sequence[Item], todo: Sequence[int]) -> dict[str, Any]:
        spec, names = row.spec, container_names(row.state["container_definitions"])
        client, processing = spec.get("ModelClientConfig", {}), spec.get("DataProcessing", {})
        payload = spec.get("MaxPayloadInMB")
        return {
            "containers_dir": str(self._settings.containers_dir),
            "replicas": instances(row),
            "names": names,
            "folder": str(self._folder(row)),
            "files": [self._file(storage, row, number, items[number]) for number in todo],
            "split": spec["TransformInput"].get("SplitType", "None"),
            "strategy": spec.get("BatchStrategy"),
            "max_payload_bytes": None if payload is None else payload * 2**20,
            "concurrency": spec.get("MaxConcurrentTransforms"),
            "content_type": spec["TransformInput"].get("ContentType", ""),
            "accept": spec["TransformOutput"].get("Accept", ""),
            "assemble": spec["TransformOutput"].get("AssembleWith", "None"),
            "input_filter": processing.get("InputFilter", "$"),
            "output_filter": processing.get("OutputFilter", "$"),
            "join": processing.get("JoinSource", "None") == "Input",
            "inference_id": bool(spec.get("DataCaptureConfig", {}).get("GenerateInferenceId")),
            "timeout_s": client.get("InvocationsTimeoutInSeconds", 600),
            "retries": client.get("InvocationsMaxRetries", 3),
        }

    def _file(self, storage: RoleStorage, row: Row, number: int, item: Item) -> dict[str, Any]:
        with room_for(DATA_DOWNLOAD):
            found = storage.segments(item.info, self._folder(row) / PLAIN / str(number))
        segments = [[str(path), offset, length] for path, offset, length in found]
        gzip = row.spec["TransformInput"].get("CompressionType") == "Gzip"
        return {"number": number, "segments": segments, "name": f"{item.info.bucket}/{item.info.key}", "gzip": gzip}

    def _folder(self, row: Row) -> Path:
        return self._settings.run_dir / "transforms" / str(row.state["job"])

    def _log(self, row: Row, stream: str) -> Path:
        key = row.key
        return stream_file(self._settings.logs_dir, key.account, key.region, LOG_GROUP, stream)

    def _images(self, row: Row) -> list[Image]:
        return [self._image(definition) for definition in row.state["container_definitions"]]

    def _image(self, definition: Mapping[str, Any]) -> Image:
        uri = image_of(definition)
        if not uri:
            raise WorkloadError("ClientError: Clary runs model images; model packages are not offered.")
        return self._runtimes.image(uri)

    def _storage_of(self, row: Row) -> RoleStorage:
        return self._storage.of(row.state["role"], row.key.region)


def instance_streams(row: Row) -> list[str]:
    """The log streams of a job's instances: those of their containers without the containers' names."""
    streams: list[str] = row.state["log_streams"]
    several = len(row.state["container_definitions"])
    return streams if several == 1 else [stream.rpartition("/")[0] for stream in streams[::several]]


def instances(row: Row) -> list[list[str]]:
    """The containers of each instance."""
    containers, several = row.state["containers"], len(row.state["container_definitions"])
    return [containers[start : start + several] for start in range(0, len(containers), several)]


def data_log(instance: str) -> str:
    """The log stream of what an instance could not transform."""
    return f"{instance}/data-log"


def _with_definitions(row: Row) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every container of every instance, and what it is to be."""
    return zip(row.state["containers"], itertools.cycle(row.state["container_definitions"]), strict=False)


def _check_filters(spec: Mapping[str, Any]) -> None:
    """Raises WorkloadError; no public source shows AWS's words for it."""
    try:
        for member in ("InputFilter", "OutputFilter"):
            parse(spec.get("DataProcessing", {}).get(member, "$"))
    except BadPath as error:
        raise WorkloadError(f"ClientError: {error}") from None


def contract_env(row: Row, definition: Mapping[str, Any]) -> dict[str, str]:
    """What AWS sets for every container of a transform job
    (https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html)."""
    asked = {
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": row.spec.get("MaxConcurrentTransforms"),
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": row.spec.get("MaxPayloadInMB"),
        "SAGEMAKER_BATCH_STRATEGY": _upper(row.spec.get("BatchStrategy")),
    }
    return {
        "SAGEMAKER_BATCH": "true",
        **place_env(row.key.region, definition),
        **{name: str(value) for name, value in asked.items() if value is not None},
    }


def _upper(strategy: str | None) -> str | None:
    """`MultiRecord` → `MULTI_RECORD`: as containers are told."""
    return {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}.get(strategy or "")
