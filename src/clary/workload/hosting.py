"""A container of a replica: the model below /opt/ml/model, `serve` on port 8080
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html)."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from clary.compute.base import Container, Limits, Mount
from clary.compute.machine import limits_of, machine
from clary.images.base import Image
from clary.instances import Shape, serverless_shape, shape
from clary.lifecycles.endpoint import MULTI_MODEL, Member, Variant
from clary.lifecycles.inference_component import KIND as COMPONENT_KIND
from clary.settings import Settings
from clary.store.rows import Key
from clary.telemetry.logfile import LogReader
from clary.telemetry.paths import stream_file
from clary.workload.bundle import Bundle, make_folder, readable, writable
from clary.workload.download import Ended
from clary.workload.errors import Cancelled, WorkloadError
from clary.workload.model_data import fetch_model, fetch_target
from clary.workload.runtimes import OnLine, Run, Runtimes
from clary.workload.storage import Storage

PORT = 8080

SERVERLESS_DISK_GB = 5
"""What a replica of a serverless endpoint may write, whatever its memory
(https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html)."""

_NO_ACCELERATOR = "AcceleratorType {}: Amazon Elastic Inference ended in 2024. The model is served without it."

_SHARE_OF_MODELS = 0.8
"""Of a container's memory, where it hosts many; the rest is the server's, and for what predictions take."""

_LAST_LINES = 10
_LAST_CHARACTERS = 700
"""FailureReason holds 1,024."""


def log_group(key: Key) -> str:
    """The log group of an endpoint or an inference component."""
    kind = "InferenceComponents" if key.kind == COMPONENT_KIND else "Endpoints"
    return f"/aws/sagemaker/{kind}/{key.name}"


class HostingWorkload:
    """All that a container of a replica means outside of it."""

    def __init__(self, settings: Settings, storage: Storage, runtimes: Runtimes) -> None:
        self._settings = settings
        self._storage = storage
        self._runtimes = runtimes
        self._machine = machine(settings.capacity)

    def build(self, variant: Variant, member: Member, on_line: OnLine) -> None:
        """Build the environment where it is not there. Raises WorkloadError."""
        image = self._image(variant, member)
        if not self._runtimes.ready(image):
            self._runtimes.build(image, on_line)

    def notices(self, variant: Variant, member: Member) -> tuple[str, ...]:
        """Lines for the head of the log."""
        notices = self._image(variant, member).notices
        return (*notices, _NO_ACCELERATOR.format(variant["accelerator"])) if "accelerator" in variant else notices

    def last_lines(self, endpoint: Key, member: Member) -> str:
        """How its log ends, as it is now: the lines themselves, or the end of them."""
        events = itertools.islice(LogReader(self.log_file(endpoint, member)).backward(), _LAST_LINES)
        return "\n".join(event.message for event in reversed(list(events)))[-_LAST_CHARACTERS:]

    def log_file(self, endpoint: Key, member: Member) -> Path:
        """Where the container's lines go."""
        group = log_group(endpoint)
        return stream_file(self._settings.logs_dir, endpoint.account, endpoint.region, group, member["log_stream"])

    def lay_out(self, endpoint: Key, variant: Variant, member: Member, ended: Ended) -> None:
        """Write the bundle, the model unpacked; may be called again. Raises WorkloadError, NotAllowed, Cancelled."""
        bundle = Bundle.of(self._settings, member["container"])
        bundle.clear()
        make_folder(bundle.model)
        storage, definition = self._storage.of(variant["role"], endpoint.region), _definition(variant, member)
        if _is_of_many(definition):
            make_folder(bundle.models)
            return
        late = partial(_is_over, ended, time.monotonic() + variant.get("download_seconds", math.inf))
        try:
            fetch_model(storage, definition, bundle, late, member["position"])
        except Cancelled:
            if ended():
                raise
            raise _too_late(variant) from None

    def fetch(self, endpoint: Key, variant: Variant, member: Member, target: str) -> None:
        """Lay one of many models out. Raises WorkloadError."""
        storage = self._storage.of(variant["role"], endpoint.region)
        fetch_target(storage, _definition(variant, member), self.bundle(member), target)

    def bundle(self, member: Member) -> Bundle:
        """What is mounted in a container."""
        return Bundle.of(self._settings, member["container"])

    def container(self, endpoint: Key, variant: Variant, member: Member) -> Container:
        """What to start. Raises WorkloadError."""
        image, definition = self._image(variant, member), _definition(variant, member)
        disk_gb = SERVERLESS_DISK_GB if "serverless" in variant else None
        bundle, limits = self.bundle(member), limits_of(size_of(variant), self._machine, disk_gb)
        run = Run(
            container=member["container"],
            program=image.serve,
            mounts=_mounts(bundle, definition),
            log=self.log_file(endpoint, member),
            region=endpoint.region,
            role=variant["role"],
            isolated=bool(variant.get("isolated")),
            env=definition.get("Environment") or {},
            contract={**contract_env(endpoint, variant, definition), **_many_models_env(definition, limits)},
            listens=PORT,
            limits=limits,
        )
        return self._runtimes.container(image, run)

    def _image(self, variant: Variant, member: Member) -> Image:
        uri = image_of(_definition(variant, member))
        if not uri:
            raise WorkloadError("ClientError: Clary runs model images; model packages are not offered.")
        return self._runtimes.image(uri)


def _definition(variant: Variant, member: Member) -> dict[str, Any]:
    return variant["container_definitions"][member["position"]]


def size_of(variant: Variant) -> Shape:
    """What the containers of a replica may use: all of an instance, or what a copy of an inference component or a
    serverless variant asks for."""
    if "serverless" in variant:
        return serverless_shape(variant["serverless"]["memory_mb"])
    whole, demand = shape(variant["instance_type"]), variant.get("demand")
    if demand is None:
        return whole
    cores, memory = math.ceil(demand["millicores"] / 1000), demand["most_memory_mb"] * 2**20
    return Shape(cores or whole.cpus, memory or whole.memory_bytes, demand["accelerators"])


def of_many_models(variant: Variant) -> int | None:
    """Which of its containers is told which models to load; None where none is."""
    found = (place for place, each in enumerate(variant["container_definitions"]) if _is_of_many(each))
    return next(found, None)


def _is_of_many(definition: Mapping[str, Any]) -> bool:
    return definition.get("Mode") == MULTI_MODEL


def keeps_models(variant: Variant, member: Member) -> bool:
    """Whether models stay loaded in this container that nobody asks for at the moment (ModelCacheSetting)."""
    config = _definition(variant, member).get("MultiModelConfig") or {}
    return bool(config.get("ModelCacheSetting") != "Disabled")


def _mounts(bundle: Bundle, definition: Mapping[str, Any]) -> tuple[Mount, ...]:
    own = writable(bundle.model, "model")
    return (own, readable(bundle.models, "models")) if _is_of_many(definition) else (own,)


def _many_models_env(definition: Mapping[str, Any], limits: Limits) -> dict[str, str]:
    """The first is AWS's; the second tells Clary's own model servers when to say that there is no room."""
    if not _is_of_many(definition):
        return {}
    memory = int((limits.memory_bytes or 0) * _SHARE_OF_MODELS)
    return {"SAGEMAKER_MULTI_MODEL": "true", "CLARY_MODELS_MEMORY_BYTES": str(memory)}


def image_of(definition: Mapping[str, Any]) -> str | None:
    """The address of a container definition's image: a tag as it was resolved when the model was deployed."""
    return definition.get("ResolvedImage") or definition.get("Image")


def _is_over(ended: Ended, end: float) -> bool:
    return ended() or time.monotonic() > end


def _too_late(variant: Variant) -> WorkloadError:
    """No public source shows AWS's words for it."""
    seconds = variant["download_seconds"]
    return WorkloadError(
        f"ClientError: The model data of variant {variant['name']} was not downloaded within {seconds:g} seconds "
        "(ModelDataDownloadTimeoutInSeconds)."
    )


def contract_env(endpoint: Key, variant: Variant, definition: Mapping[str, Any]) -> dict[str, str]:
    """What AWS sets for every hosting container."""
    return {**place_env(endpoint.region, definition), "ENDPOINT_NAME": variant.get("endpoint", endpoint.name)}


def place_env(region: str, definition: Mapping[str, Any]) -> dict[str, str]:
    """Where a container that serves is. Each has a network of its own, and so the same ports."""
    hostname = definition.get("ContainerHostname")
    named = {"SAGEMAKER_CONTAINER_HOSTNAME": hostname} if hostname else {}
    return {
        "SAGEMAKER_REGION": region,
        "SAGEMAKER_BIND_TO_PORT": str(PORT),
        "SAGEMAKER_SAFE_PORT_RANGE": "21000-21999",
        **named,
    }
