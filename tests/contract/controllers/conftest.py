"""Controllers with everything real around them: store, objects, sandbox; only the image's programs are the test's."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import clary
from clary.calls import Access, Call, Principal
from clary.compute.dial import SandboxDial
from clary.compute.sandbox import SandboxBackend
from clary.controllers.control import Controllers
from clary.controllers.parts import Parts
from clary.errors import AccessDenied
from clary.hooks.workload import HookWorkload
from clary.images.base import Environment, Image, MetricDefinition, Program
from clary.images.catalogue import ImageNotFound
from clary.images.own import OwnImages
from clary.objects import ObjectReader, ObjectStore
from clary.settings import Settings
from clary.store import Store
from clary.store.rows import Key, Row
from clary.telemetry.logfile import LogReader
from clary.telemetry.paths import stream_file
from clary.telemetry.series import SeriesStore
from clary.workload.functions.environments import FunctionWorkload
from clary.workload.runtimes import Runtimes
from clary.workload.storage import Allow, Storage
from tests import memory

LAUNCHER = Path(clary.__file__).parent / "launcher" / "main.py"
ACCOUNT, REGION = "000000000000", "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/R"

SERVE = r"""
import http.server, os, signal, sys, threading, time
hung = threading.Event()
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def _say(self, status, body):
        self.send_response(status); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        if hung.is_set():
            time.sleep(3600)
        self._say(200, b"")
    def do_POST(self):
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        if asked == b"hang":
            hung.set()
        while asked == b"burn" and time.process_time() < 0.5:
            pass
        self._say(200, open("/opt/ml/model/name").read().encode())
    def log_message(self, *a):
        pass
if "crash" in open("/opt/ml/model/name").read():
    sys.exit("model does not load")
signal.signal(signal.SIGTERM, lambda *a: os._exit(0))
print("serving", flush=True)
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), H).serve_forever()
"""


def program(code: str) -> Program:
    """Runs `code`: timeit is a module of the standard library that executes its argument."""
    return Program("timeit", ("-n", "1", "-r", "1", "-s", code, "pass"))


class Images:
    """A catalogue of one image, and its environment: the Python that runs the test."""

    def resolved(self, uri: str) -> Image:
        if uri != "test":
            raise ImageNotFound(uri, "There is only one.")
        environment = Environment("test", "3", (), ())
        metrics = (MetricDefinition("loss", r"loss=(\S+)"),)
        return Image(
            uri,
            environment,
            program("1"),
            program(SERVE),
            metric_definitions=metrics,
            notices=("nearest version is used",),
        )

    def ready(self, _environment: Environment) -> Path:
        return Path(sys.executable)


@dataclass
class World:
    """One control process's parts, which can be closed and made again on the same data."""

    settings: Settings
    calls: list[Call] = field(default_factory=list)
    denied: set[tuple[str, str]] = field(default_factory=set)
    """(action, resource) that no role may do."""

    def acting(self, role: str, _session: str) -> Principal:
        return Principal("assumed-role", self.settings.account_id, role, role, role)

    def open(self) -> None:
        self.store = Store(self.settings.database)
        self.objects = ObjectStore(self.settings.objects_dir)
        self.series = SeriesStore(self.settings.series_database)
        self.backend = SandboxBackend(self.settings)
        images: Any = Images()
        runtimes = Runtimes(images, images, lambda role, _: {"ROLE": role}, self.settings.containers_dir)
        dial = SandboxDial(self.settings.containers_dir)
        parts = Parts(
            self.settings,
            self.store,
            Storage(self.objects, self.rights, lambda role: self.acting(role, ""), self.invoke),
            runtimes,
            self.backend,
            dial,
            FunctionWorkload(self.settings, runtimes, lambda role, _: {"ROLE": role}),
            HookWorkload(self.settings, OwnImages(self.settings.images_dir, self.settings.account_id)),
            self.invoke,
            self.acting,
            self.series,
        )
        self.controllers = Controllers(parts)
        self.controllers.start()

    def invoke(self, call: Call) -> dict[str, Any]:
        self.calls.append(call)
        return {}

    def rights(self, role: str, region: str) -> Allow:
        def allow(access: Access) -> None:
            if (access.action, access.resource) in self.denied:
                raise AccessDenied(f"User: {role} is not authorized to perform: {access.action} in {region}")

        return allow

    def close(self) -> None:
        self.controllers.close()
        self.backend.close()
        self.series.close()
        self.objects.close()
        self.store.close()

    def insert(self, kind: str, name: str, status: str, target: str, spec: dict[str, Any], **state: Any) -> Key:
        now = datetime.now(UTC)
        key = Key(kind, ACCOUNT, REGION, name)
        row = Row(key, f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}", status, now, now, spec, state, target)
        self.store.write(lambda transaction: transaction.insert(row))
        self.controllers.wake(key)
        return key

    def change(self, key: Key, **fields: Any) -> None:
        def write(transaction: Any) -> None:
            row = transaction.get(key)
            state = {**row.state, **fields.pop("state", {})}
            transaction.save(replace(row, state=state, **fields))

        self.store.write(write)
        self.controllers.wake(key)

    def row(self, key: Key) -> Row:
        found = self.store.read.get(key)
        assert found is not None
        return found

    def until(self, condition: Callable[[], object], seconds: float = 60.0) -> None:
        deadline, tick = time.monotonic() + seconds, threading.Event()
        while not condition():
            assert time.monotonic() < deadline, "it did not come to pass"
            tick.wait(0.002)

    def until_status(self, key: Key, *statuses: str) -> Row:
        def reached() -> bool:
            row = self.row(key)
            assert row.status in statuses or row.status != "Failed", row.state
            return row.status in statuses

        self.until(reached)
        return self.row(key)

    def log(self, group: str, stream: str) -> list[str]:
        path = stream_file(self.settings.logs_dir, ACCOUNT, REGION, group, stream)
        return [event.message for event in LogReader(path).forward()]

    def put(self, key: str, data: bytes) -> str:
        self.objects.put_bytes("bucket", key, data)
        return f"s3://bucket/{key}"

    def get(self, uri: str) -> bytes | None:
        reader = ObjectReader(self.settings.objects_dir)
        info = reader.head("bucket", uri.removeprefix("s3://bucket/"))
        return b"".join(reader.read(info)) if info else None


@pytest.fixture
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="clary-test-", dir=memory.chosen()) as data_dir:
        settings = Settings(data_dir=Path(data_dir))
        settings.containers_dir.mkdir(parents=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(settings.run_dir / "launcher.sock"))
        listener.listen()
        command = [sys.executable, "-I", "-S", str(LAUNCHER), "--listen-fd", str(listener.fileno())]
        command += ["--containers", str(settings.containers_dir), "--api-socket", str(settings.run_dir / "api.sock")]
        launcher = subprocess.Popen(command, pass_fds=[listener.fileno()])
        made = World(settings)
        made.open()
        made.objects.create_bucket("bucket", account=ACCOUNT, region=REGION)
        try:
            yield made
        finally:
            made.close()
            for container in made.backend.list():
                made.backend.remove(container)
            launcher.kill()
            launcher.wait()
            listener.close()
