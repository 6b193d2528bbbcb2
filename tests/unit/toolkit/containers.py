"""A container's folders, environments to run its programs in, and model servers that are started."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from clary.images.catalogue import Catalogue
from clary.images.environments import Environments
from clary.settings import default_cache_dir

SOURCES = str(Path(__file__).resolve().parents[3] / "src")
ACCOUNT = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
DEEP_LEARNING = "763104351884.dkr.ecr.us-east-1.amazonaws.com"


def environment_python(image, registry=ACCOUNT):
    """The Python of an image's environment; built on first use, kept in the user's cache."""
    environment = Catalogue().resolve(f"{registry}/{image}").environment
    environments = Environments(default_cache_dir())
    return str(environments.ready(environment) or environments.build(environment, print))


def deep_learning_python(image):
    """The same for the deep learning containers."""
    return environment_python(image, DEEP_LEARNING)


@pytest.fixture(scope="session")
def sklearn_python():
    return environment_python("sagemaker-scikit-learn:1.2-1-cpu-py3")


@pytest.fixture(scope="session")
def xgboost_python():
    return environment_python("sagemaker-xgboost:1.7-1")


class Opt:
    """An `/opt/ml` of its own."""

    def __init__(self, base):
        self.base = base
        for folder in ("input/config", "input/data", "model", "output/data", "sources"):
            (base / folder).mkdir(parents=True)
        self.write("resourceconfig.json", {"current_host": "algo-1", "hosts": ["algo-1"]})
        self.write("inputdataconfig.json", {})
        self.write("hyperparameters.json", {})
        self.env = {"SAGEMAKER_BASE_DIR": str(base), "PYTHONPATH": SOURCES, "PATH": os.environ["PATH"]}

    def write(self, name, content):
        (self.base / "input/config" / name).write_text(json.dumps(content))

    def script(self, text, name="train.py", **hyperparameters):
        """Sources with this script, and a job that runs it."""
        (self.base / "sources" / name).write_text(text)
        self.write(
            "hyperparameters.json",
            {
                "sagemaker_program": json.dumps(name),
                "sagemaker_submit_directory": json.dumps(str(self.base / "sources")),
                **{key: json.dumps(value) for key, value in hyperparameters.items()},
            },
        )

    def train(self, python=sys.executable, module="clary.toolkit.train", *args):
        return subprocess.run(
            [python, "-m", module, *args], env=self.env, capture_output=True, text=True, timeout=240, check=False
        )

    def failure(self):
        path = self.base / "output/failure"
        return path.read_text() if path.exists() else None


@pytest.fixture
def opt(tmp_path):
    return Opt(tmp_path / "ml")


def posted(body, content_type="text/csv", accept="application/json"):
    """A request for a prediction as it travels."""
    content = body.encode() if isinstance(body, str) else body
    lines = ["POST /invocations HTTP/1.1", "Host: x", f"Content-Type: {content_type}", f"Accept: {accept}"]
    return "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode() + content


def answers_in(received):
    """Status and body of each answer on a connection."""
    found = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        size = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        found.append((int(head.split()[1]), received[:size]))
        received = received[size:]
    return found


class Server:
    """A model server, started."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self.port = None
        self._listening = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        assert self._listening.wait(120), self.log()
        self.connection = HTTPConnection("127.0.0.1", self.port, timeout=60)

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)
            found = re.search(r"Listening on port (\d+)", line)
            if found:
                self.port = int(found.group(1))
                self._listening.set()
        self._listening.set()

    def log(self):
        return "".join(self.lines)

    def request(self, method, path, body=None, **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, names)
        answer = self.connection.getresponse()
        return answer.status, answer.read(), answer.headers

    def invoke(self, body, content_type="text/csv", **headers):
        return self.request("POST", "/invocations", body, Content_Type=content_type, **headers)

    def raw(self, data):
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def together(self, asked):
        """Status and body of each answer to requests that are sent at once: (body, content type, accept)."""
        return answers_in(self.raw(b"".join(posted(*each) for each in asked)))

    def stop(self):
        self.process.terminate()
        return self.process.wait(60)


@contextmanager
def servers(opt):
    """Starts model servers of these folders, and ends them."""
    started = []

    def start(python, module="clary.toolkit.serve", *args, **env):
        process = subprocess.Popen(
            [python, "-m", module, *args],
            env={**opt.env, "SAGEMAKER_BIND_TO_PORT": "0", **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return Server(process)

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.fixture
def serve(opt):
    """Starts model servers, and ends them."""
    with servers(opt) as start:
        yield start
