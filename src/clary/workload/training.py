"""A training job's containers: what each host finds below /opt/ml, how it is run, and what it leaves
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from clary.compute.base import Container, Mount
from clary.compute.machine import limits_of, machine
from clary.images.base import Command, Image, Program
from clary.settings import Settings
from clary.store.rows import Row
from clary.telemetry.paths import stream_file
from clary.workload import channels, checkpoints
from clary.workload.bundle import Bundle, make_folder, writable
from clary.workload.channels import Placing
from clary.workload.download import Ended
from clary.workload.errors import WorkloadError
from clary.workload.hosts import hosts_of, interface, network, resource_config
from clary.workload.outputs import Ending, Outputs, collect
from clary.workload.runtimes import OnLine, Run, Runtimes
from clary.workload.storage import RoleStorage, Storage

LOG_GROUP = "/aws/sagemaker/TrainingJobs"


class TrainingWorkload:
    """All that a training job's row means outside of its containers."""

    def __init__(self, settings: Settings, storage: Storage, runtimes: Runtimes) -> None:
        self._settings = settings
        self._storage = storage
        self._runtimes = runtimes
        self._machine = machine(settings.capacity)

    def ready(self, row: Row) -> bool:
        """Whether the environment stands already. Raises WorkloadError for an image that nobody knows."""
        return self._runtimes.ready(self._image(row))

    def build(self, row: Row, on_line: OnLine) -> None:
        """Build the environment. Raises WorkloadError."""
        self._runtimes.build(self._image(row), on_line)

    def notices(self, row: Row) -> tuple[str, ...]:
        """Lines for the head of the log."""
        return self._image(row).notices

    def log_files(self, row: Row) -> list[Path]:
        """Where the containers' lines go, host by host."""
        key, root = row.key, self._settings.logs_dir
        streams = row.state["log_streams"]
        return [stream_file(root, key.account, key.region, LOG_GROUP, stream) for stream in streams]

    def lay_out(self, row: Row, ended: Ended) -> None:
        """Write every host's bundle, channels included; may be called again. Raises WorkloadError, Cancelled."""
        storage = self._storage_of(row)
        for placing, bundle in self._placings(row):
            bundle.clear()
            for folder in (bundle.input, bundle.config, bundle.data, bundle.model, bundle.output, bundle.output_data):
                make_folder(folder)
            for name, content in config_files(placing).items():
                (bundle.config / name).write_text(json.dumps(content))
        channels.lay_out(storage, self._placings(row), ended)
        checkpoints.restore(storage, row.spec, self._bundles(row), ended)

    def containers(self, row: Row) -> list[tuple[str, Container]]:
        """What to start, by id, host by host. Raises WorkloadError."""
        image = self._image(row)
        found = zip(row.state["containers"], self._placings(row), self.log_files(row), strict=True)
        return [
            (container, self._runtimes.container(image, self._run(row, image, container, placing, bundle, log)))
            for container, (placing, bundle), log in found
        ]

    def save_checkpoints(self, row: Row, *, final: bool = False) -> None:
        """Upload what is new of the checkpoints: while the programs run only files that stand still, at their end all.

        May be called again. Raises WorkloadError.
        """
        checkpoints.sync(self._storage_of(row), row.spec, self._bundles(row), final=final)

    def collect(self, row: Row, endings: Sequence[Ending]) -> Outputs:
        """Upload what the programs left, and say how it went; may be called again. Raises WorkloadError."""
        storage, metrics = self._storage_of(row), self.own_metrics(row)
        return collect(storage, row, self._bundles(row), self.log_files(row), endings, metrics)

    def _run(self, row: Row, image: Image, container: str, placing: Placing, bundle: Bundle, log: Path) -> Run:
        algorithm = row.spec["AlgorithmSpecification"]
        return Run(
            container=container,
            program=_with_arguments(image.train, algorithm),
            argv=_own_program(algorithm),
            mounts=tuple(_mounts(placing, bundle)),
            log=log,
            region=row.key.region,
            role=row.spec["RoleArn"],
            isolated=bool(row.spec.get("EnableNetworkIsolation")),
            env=row.spec.get("Environment") or {},
            contract=contract_env(row, placing),
            limits=limits_of(placing.host.shape, self._machine, row.spec["ResourceConfig"].get("VolumeSizeInGB")),
            hostname=placing.host.name,
            network=network(row.state["containers"][0], placing.hosts),
            feed=channels.feed(placing, bundle),
        )

    def _placings(self, row: Row) -> list[tuple[Placing, Bundle]]:
        hosts = hosts_of(row.spec)
        placings = [Placing(row.spec, row.key.region, host, hosts) for host in hosts]
        return list(zip(placings, self._bundles(row), strict=True))

    def _bundles(self, row: Row) -> list[Bundle]:
        return [Bundle.of(self._settings, container) for container in row.state["containers"]]

    def _image(self, row: Row) -> Image:
        uri = row.spec["AlgorithmSpecification"].get("TrainingImage")
        if not uri:
            raise WorkloadError("ClientError: Clary runs training images; algorithms by name are not offered.")
        return self._runtimes.image(row.state.get("image") or uri)

    def own_metrics(self, row: Row) -> list[Mapping[str, str]]:
        """What the image itself defines. Raises WorkloadError for an image that nobody knows."""
        return [{"Name": metric.name, "Regex": metric.regex} for metric in self._image(row).metric_definitions]

    def _storage_of(self, row: Row) -> RoleStorage:
        return self._storage.of(row.spec["RoleArn"], row.key.region)


def _mounts(placing: Placing, bundle: Bundle) -> Iterator[Mount]:
    yield writable(bundle.input, "input")
    yield writable(bundle.model, "model")
    yield writable(bundle.output, "output")
    yield from channels.mounts(placing, bundle)
    yield from checkpoints.mounts(placing.spec, bundle)


def _own_program(algorithm: Mapping[str, Any]) -> tuple[str, ...]:
    """The user's own program in place of the image's; empty where there is none."""
    entrypoint = algorithm.get("ContainerEntrypoint") or ()
    return (*entrypoint, *(algorithm.get("ContainerArguments") or ())) if entrypoint else ()


def _with_arguments(program: Program | Command, algorithm: Mapping[str, Any]) -> Program | Command:
    """ContainerArguments alone take the place of an image's default argument, `train`.

    A program image has no entry point of its own, as in `docker run IMAGE ARGUMENTS`: they are the command. AWS's
    images have one, which is given them.
    """
    arguments = tuple(algorithm.get("ContainerArguments") or ())
    if not arguments or arguments == ("train",):
        return program
    return Command(arguments) if isinstance(program, Command) else Program(program.module, (*program.args, *arguments))


def config_files(placing: Placing) -> dict[str, Any]:
    """What stands in /opt/ml/input/config, by file name."""
    checkpointing = checkpoints.config_file(placing.spec)
    return {
        "hyperparameters.json": dict(placing.spec.get("HyperParameters") or {}),
        "inputdataconfig.json": channels.input_data_config(placing),
        "resourceconfig.json": resource_config(placing.hosts, placing.host),
        **({"checkpointconfig.json": checkpointing} if checkpointing else {}),
    }


def contract_env(row: Row, placing: Placing) -> dict[str, str]:
    """What AWS sets for every training container."""
    return {
        "TRAINING_JOB_NAME": row.key.name,
        "TRAINING_JOB_ARN": row.arn,
        "CURRENT_HOST": placing.host.name,
        "DMLC_INTERFACE": interface(placing.hosts),
        "SAGEMAKER_JOB_NAME": row.key.name,
        "SAGEMAKER_REGION": row.key.region,
    }
