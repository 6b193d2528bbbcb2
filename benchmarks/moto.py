"""moto's server, in an environment of its own: `with RunningMoto(folder) as moto: moto.client("s3")`."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from benchmarks.serving.processes import started
from tests.environments import built
from tests.running import free_port, wait_until

_LOCK = Path(__file__).parent / "environments" / "moto.txt"
_START_SECONDS = 120


class RunningMoto(AbstractContextManager["RunningMoto"]):
    """It serves until the block ends; `folder` takes its log."""

    key = ("testing", "testing")
    """Any is as good."""
    role_arn = "arn:aws:iam::123456789012:role/any"

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._log = folder / "moto.log"
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        server = built(_LOCK, Path(sys.executable)).parent / "moto_server"
        command = [server, "--host", "127.0.0.1", "--port", str(self.port)]
        processes = self._stack.enter_context(started(command, os.environ, self._log))

        def listens() -> bool:
            processes.check()
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        wait_until(listens, _START_SECONDS, "moto listens")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def client(self, service: str) -> Any:
        """A boto3 client of it."""
        access, secret = self.key
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            config=Config(s3={"addressing_style": "path"}),
        )
