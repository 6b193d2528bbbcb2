"""A whole Clary, really started, for tests and benchmarks: `with RunningClary(folder) as clary: clary.client("s3")`."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

CLARY = Path(sys.executable).parent / "clary"
START_SECONDS = 120
_CREATING = threading.Lock()
"""Clients are safe in threads, but boto3 creates only one at a time."""


_PORTS = 1_500
"""Of each worker of a test run."""

_given: set[int] = set()


def free_port() -> int:
    """A TCP port that was free a moment ago. It stays so: it is below those that Linux gives to connections, and to
    whoever asks for any (`ip_local_port_range`), as other tests' servers do all the while; no other worker chooses it
    before somebody listens there, and it is not chosen twice, for its Clary may be down for a while."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
    while True:
        port = 20_000 + worker * _PORTS + secrets.randbelow(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _given:
                _given.add(port)
                return port


class RunningClary:
    """`clary up --detach` on a free port and a data folder of its own; `clary down` at the end."""

    def __init__(self, data_dir: Path, *options: str, program: Path = CLARY) -> None:
        """`program` is the `clary` of the environment that is meant."""
        self.data_dir = data_dir
        self._program = program
        self.port = free_port()
        self._options = options

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.run("down", "--all", check=False)

    def up(self) -> None:
        """Start it, or start it again on the same data."""
        self.run(*self.to_start)

    @property
    def to_start(self) -> tuple[str, ...]:
        """The words of the command that does, without the data folder."""
        return ("up", "--detach", "--port", str(self.port), *self._options)

    def down(self) -> None:
        """Stop it as a user does; containers go on."""
        self.run("down")

    def reset(self) -> None:
        """Empty it, which was started with `--allow-reset`; also where a test has left it down, or control is being
        started again."""
        if not self.runs("supervisor"):
            self.up()
        wait_until(self._emptied, START_SECONDS, "everything is gone")

    def _emptied(self) -> bool:
        asked = urllib.request.Request(f"{self.endpoint_url}/_clary/reset", method="POST")
        try:
            with urllib.request.urlopen(asked, timeout=START_SECONDS) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as error:
            assert error.code >= 500, error.read()
            return False
        except OSError:  # no edge at this moment
            return False

    def end_containers(self) -> None:
        """Containers outlive `clary down`; without their folders they end by themselves."""
        for folder in (self.data_dir / "run" / "containers").glob("*"):
            shutil.rmtree(folder, ignore_errors=True)

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """One `clary` command on this data folder."""
        own = arguments.index("--") if "--" in arguments else len(arguments)
        command = [str(self._program), *arguments[:own], "--data-dir", str(self.data_dir), *arguments[own:]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(command)} → {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    @cached_property
    def variables(self) -> dict[str, str]:
        """What `clary env` exports."""
        exported: dict[str, str] = json.loads(self.run("env", "--shell", "json").stdout)
        return exported

    @property
    def environment(self) -> dict[str, str]:
        """A user's environment after `eval "$(clary env)"`, without what a test machine may carry for real AWS."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**own, **self.variables}

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def role_arn(self) -> str:
        """The role that `clary up` makes."""
        role: str = self.client("iam").get_role(RoleName="ClaryExecutionRole")["Role"]["Arn"]
        return role

    @property
    def key(self) -> tuple[str, str]:
        """The first that `clary up` made: its id, and its secret."""
        key = json.loads((self.data_dir / "credentials.json").read_text())
        return key["access_key_id"], key["secret_access_key"]

    def client(self, service: str, **options: Any) -> Any:
        """A boto3 client with the first key that `clary up` made; it does not retry, so that tests see every error."""
        access, secret = self.key
        with _CREATING:
            return boto3.client(
                service,
                endpoint_url=self.endpoint_url,
                region_name="us-east-1",
                aws_access_key_id=access,
                aws_secret_access_key=secret,
                config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
                **options,
            )

    def process(self, name: str) -> int:
        """The process id of `supervisor`, `control`, `edge` or `launcher` of this Clary."""
        marks = {"supervisor": "clary.supervisor", "launcher": "launcher/main.py"}
        mine = (f'{self.data_dir}"', f"{self.data_dir}/")  # no other's whose name only begins so
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (folder / "cmdline").read_bytes().decode().replace("\0", " ")
                if marks.get(name, f"clary.app.{name}") in words and any(each in words for each in mine):
                    return int(folder.name)
        raise LookupError(f"no {name} of {self.data_dir} runs")

    def runs(self, name: str) -> bool:
        """Whether there is such a process now."""
        try:
            return bool(self.process(name))
        except LookupError:
            return False

    def kill(self, *names: str) -> None:
        """SIGKILL to those processes, the supervisor first, so that none is started again in between."""
        pids = [self.process(name) for name in names]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for pid in pids:
            wait_until(lambda pid=pid: not Path(f"/proc/{pid}/exe").exists(), 60, f"process {pid} is gone")  # type: ignore[misc]


def unless_away(ask: Callable[[], Any]) -> Any:
    """What is answered; None where control is being started: a busy machine takes longer for it than a call waits, and
    what SDKs try again then these clients do not."""
    try:
        return ask()
    except ClientError as error:
        if error.response["Error"]["Code"] != "ServiceUnavailable":
            raise
        return None


def wait_until(holds: Callable[[], Any], seconds: float, what: str) -> Any:
    """The first true answer of `holds`; AssertionError naming `what` where none came in time."""
    end = time.monotonic() + seconds
    while True:
        answer = holds()
        if answer:
            return answer
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)
