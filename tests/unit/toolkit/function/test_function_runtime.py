"""The runtime inside, run as a container would run it, on each Python that this machine has."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import clary
from clary.images.pythons import Pythons
from clary.toolkit.function import frames

_PROGRAM = """
import sys
sys.path.insert(0, {package!r})
from clary.toolkit.function.serve import main
main()
"""

FUNCTION = """
import decimal, logging, os
logging.getLogger().setLevel("INFO")
def handler(event, context):
    if event == "log":
        logging.info("hello")
    if event == "decimal":
        return decimal.Decimal("1.5")
    if event == "raise":
        raise KeyError("k")
    return [event, context.aws_request_id, context.get_remaining_time_in_millis() > 0]
"""


class Running:
    """One runtime and a connection to it."""

    def __init__(self, python: str, folder: Path, handler: str = "app.handler") -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        package = Path(clary.__file__).parent.parent
        (folder / "app.py").write_text(FUNCTION)
        env = {
            "_HANDLER": handler,
            "LAMBDA_TASK_ROOT": str(folder),
            "PYTHONUNBUFFERED": "1",
            "PATH": os.environ["PATH"],
            "SAGEMAKER_BIND_TO_PORT": str(self.port),
        }
        self.process = subprocess.Popen(
            [python, "-I", "-c", f"import os; os.environ.update({env!r})\n" + self._program(str(package))],
            stdout=subprocess.PIPE,
            text=True,
        )
        self._socket = self._connect()
        self._buffer = bytearray()

    @staticmethod
    def _program(package: str) -> str:
        return _PROGRAM.format(package=package)

    def _connect(self) -> socket.socket:
        end = time.monotonic() + 60
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), 60)
            except ConnectionRefusedError:
                assert time.monotonic() < end
                assert self.process.poll() is None

    def frame(self):
        while True:
            found = frames.unpack(self._buffer)
            if found:
                return found
            piece = self._socket.recv(65536)
            assert piece, "it has gone"
            self._buffer += piece

    def ask(self, event) -> tuple[bool, object]:
        head = {"id": "r-1", "arn": "arn:f", "deadline": time.time() + 5}
        self._socket.sendall(frames.pack(head, json.dumps(event).encode()))
        said, body = self.frame()
        return said["error"], json.loads(body)

    def close(self) -> str:
        self._socket.close()
        return self.process.communicate(timeout=240)[0]


def pythons() -> list[str]:
    return ["3.8", "3.11", "3.13"]


@pytest.fixture(params=pythons())
def runtime(request, tmp_path):
    found = sys.executable if request.param == "3.11" else Pythons().find(request.param)
    if found is None:
        pytest.skip(f"no Python {request.param} here")
    running = Running(str(found), tmp_path)
    yield running
    running.close()


def test_it_answers_and_ends_with_its_connection(runtime):
    assert runtime.frame()[0]["ready"]
    assert runtime.ask({"a": 1}) == (False, [{"a": 1}, "r-1", True])
    assert runtime.ask("decimal") == (False, 1.5)
    failed, said = runtime.ask("raise")
    assert failed
    assert (said["errorType"], said["errorMessage"], said["requestId"]) == ("KeyError", "'k'", "r-1")
    assert "in handler" in said["stackTrace"][0]
    runtime.ask("log")
    log = runtime.close()
    assert log.startswith("INIT_START Runtime Version: python:3.")
    assert "START RequestId: r-1 Version: $LATEST\n" in log
    assert "\tr-1\thello\n" in log
    assert runtime.process.returncode == 0


def test_a_function_that_is_not_there_is_said_once_and_ends_it(tmp_path):
    running = Running(sys.executable, tmp_path, "nowhere.handler")
    running.frame()
    failed, said = running.ask(None)
    assert failed
    assert said["errorType"] == "Runtime.ImportModuleError"
    assert running.process.wait(60) == 0
    running.close()
