"""The two servers: how each is started, and which of its processes hold what is sent."""

from __future__ import annotations

import http.client
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from benchmarks.serving.processes import Processes, started
from tests import wheel
from tests.environments import ROOT, built
from tests.running import CLARY as RUNNING
from tests.running import START_SECONDS, RunningClary, free_port, wait_until

LOCK = ROOT / "benchmarks" / "environments" / "moto.txt"
REGION = "us-east-1"
CLARY, SOURCE, MOTO = "Clary", "Clary, from source", "moto"
_MOTO_KEY = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
"""That of AWS's documentation: moto verifies none."""


@dataclass(frozen=True)
class Side:
    """A server that answers."""

    title: str
    port: int
    key: tuple[str, str]
    role: str
    processes: Mapping[str, int]
    """Ids, by what they are called: those that answer."""

    @property
    def url(self) -> str:
        """Of everything."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str) -> Any:
        """Of boto3; it signs as all new clients do, and does not retry."""
        access, secret = self.key
        config = Config(signature_version="v4", retries={"max_attempts": 0}, s3={"addressing_style": "path"})
        if service == "s3":
            config = config.merge(Config(signature_version="s3v4"))
        known = {"aws_access_key_id": access, "aws_secret_access_key": secret, "region_name": REGION}
        return boto3.client(service, endpoint_url=self.url, config=config, **known)


@contextmanager
def clary(folder: Path, title: str, program: Path) -> Iterator[Side]:
    """As `clary up` starts it: signatures verified, policies enforced, all that is acknowledged durable."""
    with RunningClary(folder / f"{program.parent.parent.name}.data", program=program) as running:
        pids = {name: running.process(name) for name in ("edge", "control")}
        yield Side(title, running.port, running.key, running.role_arn, pids)


@contextmanager
def compiled(folder: Path) -> Iterator[Side]:
    """What `make wheel` makes, in an environment of its own."""
    with clary(folder, CLARY, wheel.installed(folder / "wheel").with_name("clary")) as side:
        yield side


@contextmanager
def source(folder: Path) -> Iterator[Side]:
    """What the development environment runs."""
    with clary(folder, SOURCE, RUNNING) as side:
        yield side


@contextmanager
def moto(folder: Path) -> Iterator[Side]:
    """As `moto_server` starts: threads, everything in memory."""
    port = free_port()
    command = [built(LOCK, _python()), "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    with started(command, dict(os.environ), folder / "moto.log") as processes:
        wait_until(lambda: _answers(port, processes), START_SECONDS, "moto answers")
        yield Side(MOTO, port, _MOTO_KEY, "arn:aws:iam::123456789012:role/bench", _called(processes))


SIDES: Mapping[str, Callable[[Path], AbstractContextManager[Side]]] = {
    "moto": moto,
    "wheel": compiled,
    "source": source,
}
"""By their names on the command line."""


def version() -> str:
    """moto's, by its lock."""
    return next(line.split("==")[1].split()[0] for line in LOCK.read_text().splitlines() if line.startswith("moto=="))


def _called(processes: Processes) -> dict[str, int]:
    return {f"{MOTO} {number}".removesuffix(" 1"): pid for number, pid in enumerate(processes.alive(), 1)}


def _python() -> Path:
    """The very Python that runs Clary."""
    return ROOT / ".venv" / "bin" / "python"


def _answers(port: int, processes: Processes) -> bool:
    """Raises Ended."""
    processes.check()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        connection.request("GET", "/moto-api/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
