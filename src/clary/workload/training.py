"""A training job's container: what it finds below /opt/ml, how it is run, and what it leaves
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clary.compute.base import Container, Mount
from clary.images.base import Image
from clary.settings import Settings
from clary.store.rows import Row
from clary.telemetry.paths import stream_file
from clary.workload.bundle import Bundle, make_folder, writable
from clary.workload.channels import download_channels, input_data_config
from clary.workload.download import Ended, download_prefix
from clary.workload.errors import WorkloadError
from clary.workload.outputs import Ending, Outputs, collect
from clary.workload.runtimes import OnLine, Run, Runtimes
from clary.workload.storage import RoleStorage, Storage

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
HOST = "algo-1"
_CHECKPOINTS = "/opt/ml/checkpoints"
_NETWORK_INTERFACE = "lo"
"""The one that every container has."""

_GROUP = "homogeneousCluster"


class TrainingWorkload:
    """All that a training job's row means outside of the container."""

    def __init__(self, settings: Settings, storage: Storage, runtimes: Runtimes) -> None:
        self._settings = settings
        self._storage = storage
        self._runtimes = runtimes

    def ready(self, row: Row) -> bool:
        """Whether the environment stands already. Raises WorkloadError for an image that nobody knows."""
        return self._runtimes.ready(self._image(row))

    def build(self, row: Row, on_line: OnLine) -> None:
        """Build the environment. Raises WorkloadError."""
        self._runtimes.build(self._image(row), on_line)

    def notices(self, row: Row) -> tuple[str, ...]:
        """Lines for the head of the log."""
        return self._image(row).notices

    def log_file(self, row: Row) -> Path:
        """Where the container's lines go."""
        key = row.key
        return stream_file(self._settings.logs_dir, key.account, key.region, LOG_GROUP, row.state["log_stream"])

    def lay_out(self, row: Row, ended: Ended) -> None:
        """Write the bundle, channels included; may be called again. Raises WorkloadError, Cancelled."""
        _check_offered(row.spec)
        bundle = self._bundle(row)
        bundle.clear()
        for folder in (bundle.input, bundle.config, bundle.data, bundle.model, bundle.output, bundle.output_data):
            make_folder(folder)
        for name, content in config_files(row.spec).items():
            (bundle.config / name).write_text(json.dumps(content))
        storage = self._storage_of(row)
        download_channels(storage, row.spec, row.key.region, bundle.data, ended)
        _restore_checkpoints(storage, row.spec, bundle, ended)

    def container(self, row: Row) -> Container:
        """What to start. Raises WorkloadError."""
        image, algorithm = self._image(row), row.spec["AlgorithmSpecification"]
        run = Run(
            container=row.state["container"],
            program=image.train,
            argv=_own_program(algorithm),
            mounts=self._mounts(row),
            log=self.log_file(row),
            region=row.key.region,
            role=row.spec["RoleArn"],
            isolated=bool(row.spec.get("EnableNetworkIsolation")),
            env=row.spec.get("Environment") or {},
            contract=contract_env(row),
        )
        return self._runtimes.container(image, run)

    def collect(self, row: Row, ending: Ending) -> Outputs:
        """Upload what the program left, and say how it went; may be called again. Raises WorkloadError."""
        storage, metrics = self._storage_of(row), self._own_metrics(row)
        return collect(storage, row, self._bundle(row), self.log_file(row), ending, metrics)

    def _image(self, row: Row) -> Image:
        uri = row.spec["AlgorithmSpecification"].get("TrainingImage")
        if not uri:
            raise WorkloadError("ClientError: Clary runs training images; algorithms by name are not offered.")
        return self._runtimes.image(uri)

    def _own_metrics(self, row: Row) -> list[Mapping[str, str]]:
        return [{"Name": metric.name, "Regex": metric.regex} for metric in self._image(row).metric_definitions]

    def _bundle(self, row: Row) -> Bundle:
        return Bundle.of(self._settings, row.state["container"])

    def _mounts(self, row: Row) -> tuple[Mount, ...]:
        bundle = self._bundle(row)
        parts = [
            writable(bundle.input, "input"),
            writable(bundle.model, "model"),
            writable(bundle.output, "output"),
        ]
        checkpoints = row.spec.get("CheckpointConfig")
        if checkpoints:
            parts.append(Mount(str(bundle.checkpoints), checkpoints.get("LocalPath") or _CHECKPOINTS, writable=True))
        return tuple(parts)

    def _storage_of(self, row: Row) -> RoleStorage:
        return self._storage.of(row.spec["RoleArn"], row.key.region)


def _restore_checkpoints(storage: RoleStorage, spec: Mapping[str, Any], bundle: Bundle, ended: Ended) -> None:
    config = spec.get("CheckpointConfig")
    if config:
        make_folder(bundle.checkpoints)
        download_prefix(storage, config["S3Uri"].rstrip("/") + "/", bundle.checkpoints, ended)


def _own_program(algorithm: Mapping[str, Any]) -> tuple[str, ...]:
    """The user's own program in place of the image's; empty where there is none."""
    entrypoint = algorithm.get("ContainerEntrypoint") or ()
    return (*entrypoint, *(algorithm.get("ContainerArguments") or ())) if entrypoint else ()


def _check_offered(spec: Mapping[str, Any]) -> None:
    resources = spec["ResourceConfig"]
    if resources.get("InstanceCount", 1) > 1 or resources.get("InstanceGroups"):
        raise WorkloadError("ClientError: Clary does not offer training on more than one instance.")
    algorithm = spec["AlgorithmSpecification"]
    arguments = list(algorithm.get("ContainerArguments") or ())
    if arguments not in ([], ["train"]) and not algorithm.get("ContainerEntrypoint"):
        raise WorkloadError("ClientError: Clary does not offer ContainerArguments without ContainerEntrypoint.")


def config_files(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in /opt/ml/input/config, by file name."""
    return {
        "hyperparameters.json": dict(spec.get("HyperParameters") or {}),
        "inputdataconfig.json": input_data_config(spec),
        "resourceconfig.json": _resource_config(spec["ResourceConfig"].get("InstanceType", "")),
    }


def _resource_config(instance_type: str) -> dict[str, Any]:
    group = {"instance_group_name": _GROUP, "instance_type": instance_type, "hosts": [HOST]}
    return {
        "current_host": HOST,
        "current_instance_type": instance_type,
        "current_group_name": _GROUP,
        "hosts": [HOST],
        "instance_groups": [group],
        "network_interface_name": _NETWORK_INTERFACE,
    }


def contract_env(row: Row) -> dict[str, str]:
    """What AWS sets for every training container."""
    return {
        "TRAINING_JOB_NAME": row.key.name,
        "TRAINING_JOB_ARN": row.arn,
        "CURRENT_HOST": HOST,
        "DMLC_INTERFACE": _NETWORK_INTERFACE,
        "SAGEMAKER_JOB_NAME": row.key.name,
        "SAGEMAKER_REGION": row.key.region,
    }
