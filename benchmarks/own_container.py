"""An endpoint of an own container against asking its port directly: `python -m benchmarks.own_container`.

The container's `serve` is Python's own HTTP server around a model that takes a millisecond. Eight connections, each
with one request after another, in turns: five rounds at the endpoint, five at the container's address.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.figures import Figure, ended
from clary.compute.docker_api import Engine
from tests import engine as engines
from tests.running import RunningClary
from tests.system.jobs import Jobs

TARGET = 0.9
_CONNECTIONS = 8
_REQUESTS = 150
_ROUNDS = 5
_ROW = b"5.1,3.5,1.4,0.2"

SERVE = """\
#!/usr/bin/env python3
import http.server, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        end = time.perf_counter() + 0.001
        while time.perf_counter() < end:
            pass
        self.answer(body)

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer.request_queue_size = 128
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""


def _signed(clary: RunningClary, endpoint: str, number: int) -> bytes:
    """One request, as a client would send it; no two are equal."""
    key = json.loads((clary.data_dir / "credentials.json").read_text())
    url = f"{clary.endpoint_url}/endpoints/{endpoint}/invocations"
    request = AWSRequest("POST", url, data=_ROW, headers={"Content-Type": "text/csv", "X-Number": str(number)})
    keys = Credentials(key["access_key_id"], key["secret_access_key"])
    SigV4Auth(keys, "sagemaker", "us-east-1").add_auth(request)
    head = {**request.headers, "Host": urlsplit(url).netloc, "Content-Length": len(_ROW)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"POST {urlsplit(url).path} HTTP/1.1\r\n{lines}\r\n".encode() + _ROW


def _direct() -> bytes:
    head = f"Host: model\r\nContent-Type: text/csv\r\nContent-Length: {len(_ROW)}\r\n"
    return f"POST /invocations HTTP/1.1\r\n{head}\r\n".encode() + _ROW


def _ask(address: tuple[str, int], requests: Sequence[bytes]) -> None:
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in requests:
            connection.sendall(request)
            answer = b""
            while not answer.endswith(_ROW):
                data = connection.recv(65_536)
                if not data:
                    raise ConnectionResetError(answer)
                answer += data
            if not answer.startswith(b"HTTP/1.1 200"):
                raise ValueError(answer)


def _rate(address: tuple[str, int], requests: Sequence[bytes]) -> float:
    """Answers per second."""
    shares = [requests[number::_CONNECTIONS] for number in range(_CONNECTIONS)]
    threads = [threading.Thread(target=_ask, args=(address, share)) for share in shares]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(requests) / (time.perf_counter() - begun)


def _address(engine: Engine, data_dir: Path) -> tuple[str, int]:
    [name] = engines.containers(engine, data_dir)
    found = engine.container(name) or {}
    return found["NetworkSettings"]["Networks"]["clary"]["IPAddress"], 8080


def measure(clary: RunningClary, engine: Engine) -> Figure:
    """How much longer a prediction takes at the endpoint: direct rate over the endpoint's."""
    image = engines.image(engine, "clary-bench-serve", {"/usr/bin/serve": SERVE})
    endpoint = Jobs(clary).deploy_container("bench", {"Image": image})
    ratios = []
    for turn in range(_ROUNDS):
        first = turn * _CONNECTIONS * _REQUESTS
        signed = [_signed(clary, endpoint, first + number) for number in range(_CONNECTIONS * _REQUESTS)]
        through = _rate(("127.0.0.1", clary.port), signed)
        direct = _rate(_address(engine, clary.data_dir), [_direct()] * len(signed))
        print(f"endpoint {through:,.0f}/s, its port {direct:,.0f}/s")
        ratios.append(direct / through)
    return Figure("an own container's port over its endpoint", ratios, 1 / TARGET, "times")


def main() -> int:
    """1 where the target is missed."""
    try:
        figure = _measured()
    except pytest.skip.Exception as skipped:
        print(f"benchmarks.own_container: {skipped}")
        return 0
    print(figure.line())
    return ended([figure])


def _measured() -> Figure:
    with engines.engine() as engine, tempfile.TemporaryDirectory(prefix="clary-bench-") as folder:
        os.environ["DOCKER_HOST"] = f"unix://{engine.path}"
        with RunningClary(Path(folder) / "data") as clary:
            return measure(clary, engine)


if __name__ == "__main__":
    sys.exit(main())
