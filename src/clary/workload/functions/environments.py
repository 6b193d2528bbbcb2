"""An execution environment from outside: the code below /var/task, layers below /opt, the runtime on its port."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clary.compute.base import Container, Limits, Mount
from clary.compute.launch import RUNTIME_API
from clary.compute.machine import machine
from clary.images.base import Command, Program
from clary.images.functions import PRELOADED, FunctionRuntimes, NoPython, Runtime
from clary.lifecycles.function import VERSION_KIND
from clary.settings import Settings
from clary.store.rows import Row
from clary.telemetry.paths import stream_file
from clary.toolkit.function.frames import PORT
from clary.workload.errors import WorkloadError
from clary.workload.functions.code import CodeStore
from clary.workload.runtimes import OnLine, Run, Runtimes

Credentials = Callable[[str, str], Mapping[str, str]]
"""(role ARN, session name) → the variables that AWS sets in a function: keys that last longer than the environment."""

_TASK = "/var/task"
_MB_PER_CPU = 1769
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""

_FEWEST_CPUS = 2
"""So many are seen by the smallest function, as on AWS; held to one core it would wait for whoever else is there."""

_PROCESSES = 1024
_OPEN_FILES = 1024
_SHARED_MEMORY = 64 * 2**20
_TAKEN = frozenset({"ml", "clary"})
"""Of /opt, what is the sandbox's own."""


def log_group(spec: Mapping[str, Any]) -> str:
    """A function's log group."""
    logging = spec.get("LoggingConfig") or {}
    group: str = logging.get("LogGroup") or f"/aws/lambda/{spec['FunctionName']}"
    return group


def number_of(row: Row) -> str:
    """The version's: `$LATEST` of the function itself."""
    return str(row.spec["Version"]) if row.key.kind == VERSION_KIND else "$LATEST"


class FunctionWorkload:
    """All that an execution environment means outside of the container."""

    def __init__(self, settings: Settings, runtimes: Runtimes, credentials: Credentials) -> None:
        self._settings = settings
        self._runtimes = runtimes
        self._credentials = credentials
        self._found = FunctionRuntimes()
        self._machine = machine(settings.capacity)
        self.code = CodeStore(settings.functions_dir)

    def prepare(self, row: Row, on_line: OnLine) -> None:
        """Unpack its code and layers and build its Python, or have the engine fetch its image, where they are not
        there. Raises WorkloadError."""
        if "Image" in row.spec:
            image = self._runtimes.image(row.spec["Image"])
            if not self._runtimes.ready(image):
                self._runtimes.build(image, on_line)
            return
        self.code.tree(row.spec["Code"])
        if row.spec.get("LayerCode"):
            self.code.merged(row.spec["LayerCode"])
        self._runtimes.build(self._runtime(row).image, on_line)

    def log_stream(self, row: Row, container: str) -> str:
        """`2024/01/31/[$LATEST]0123…`."""
        today = datetime.now(UTC).strftime("%Y/%m/%d")
        return f"{today}/[{number_of(row)}]{container[-32:]}"

    def log_file(self, row: Row, stream: str) -> Path:
        """Where its lines go."""
        group = log_group(row.spec)
        return stream_file(self._settings.logs_dir, row.key.account, row.key.region, group, stream)

    def notices(self, row: Row) -> tuple[str, ...]:
        """Lines for the head of the log."""
        return () if "Image" in row.spec else self._runtime(row).image.notices

    def container(self, row: Row, container: str, stream: str) -> Container:
        """What to start. Raises WorkloadError."""
        if "Image" in row.spec:
            return self._of_image(row, container, stream)
        spec, runtime = row.spec, self._runtime(row)
        code = self.code.tree(spec["Code"])
        layers = self.code.merged(spec["LayerCode"]) if spec.get("LayerCode") else None
        contract = {
            **self._contract(row, stream),
            "_HANDLER": spec["Handler"],
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec['Runtime']}",
            "LAMBDA_LAYERS_ROOT": "/opt/python",
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LAMBDA_TASK_ROOT": _TASK,
            "PYTHONUNBUFFERED": "1",
        }
        mounts = (Mount(str(code), _TASK), *_layer_mounts(layers))
        found = self._runtimes.container(
            runtime.image, self._run(row, container, stream, runtime.image.serve, contract, mounts)
        )
        return found if self._may_be_forked(code, layers) else replace(found, warm=None)

    def _of_image(self, row: Row, container: str, stream: str) -> Container:
        """The image's own program, or what ImageConfig says instead; it asks for its work."""
        spec, wanted = row.spec, row.spec.get("ImageConfig") or {}
        contract = {**self._contract(row, stream), "AWS_LAMBDA_RUNTIME_API": RUNTIME_API}
        program = Command(tuple(wanted.get("Command") or ()))
        image = self._runtimes.image(spec["Image"])
        found = self._runtimes.container(image, self._run(row, container, stream, program, contract))
        return replace(
            found,
            entrypoint=tuple(wanted.get("EntryPoint") or ()),
            workdir=wanted.get("WorkingDirectory") or "",
            runtime_api=True,
        )

    def _run(
        self,
        row: Row,
        container: str,
        stream: str,
        program: Program | Command,
        contract: Mapping[str, str],
        mounts: tuple[Mount, ...] = (),
    ) -> Run:
        return Run(
            container=container,
            program=program,
            mounts=mounts,
            log=self.log_file(row, stream),
            region=row.key.region,
            role="",
            isolated=False,
            env=_variables(row.spec),
            contract=contract,
            listens=PORT,
            limits=self._limits(row.spec),
            hostname="lambda",
        )

    def _runtime(self, row: Row) -> Runtime:
        try:
            return self._found.find(row.spec["Runtime"])
        except NoPython as error:
            raise WorkloadError(str(error)) from None

    def _may_be_forked(self, code: Path, layers: Path | None) -> bool:
        """Whether it brings nothing that a warm parent has imported already: that would be ignored."""
        places = [code]
        if layers is not None:
            places += [layers / "python", *layers.glob("python/lib/python3.*/site-packages")]
        return not any((place / name).exists() for place in places for name in PRELOADED)

    def _limits(self, spec: Mapping[str, Any]) -> Limits:
        memory = spec["MemorySize"]
        return Limits(
            memory_bytes=memory * 2**20,
            cpus=min(max(_FEWEST_CPUS, math.ceil(memory / _MB_PER_CPU)), self._machine.cpus),
            processes=_PROCESSES,
            open_files=_OPEN_FILES,
            shared_memory_bytes=_SHARED_MEMORY,
            disk_bytes=spec["EphemeralStorage"]["Size"] * 2**20,
        )

    def _contract(self, row: Row, stream: str) -> dict[str, str]:
        """What every function finds
        (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html)."""
        spec, logging = row.spec, row.spec.get("LoggingConfig") or {}
        name = spec["FunctionName"]
        return {
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec["MemorySize"]),
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": number_of(row),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_FORMAT": logging.get("LogFormat", "Text"),
            "AWS_LAMBDA_LOG_GROUP_NAME": log_group(spec),
            "AWS_LAMBDA_LOG_LEVEL": logging.get("ApplicationLogLevel", ""),
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "TZ": ":UTC",
            **self._credentials(spec["Role"], name),
        }


def _variables(spec: Mapping[str, Any]) -> dict[str, str]:
    """The function's own, but for the one by which the sandbox speaks to the runtime."""
    given = (spec.get("Environment") or {}).get("Variables") or {}
    return {name: value for name, value in given.items() if name != "SAGEMAKER_BIND_TO_PORT"}


def _layer_mounts(layers: Path | None) -> Iterator[Mount]:
    for path in sorted(layers.iterdir()) if layers else ():
        if path.name not in _TAKEN:
            yield Mount(str(path), f"/opt/{path.name}")
