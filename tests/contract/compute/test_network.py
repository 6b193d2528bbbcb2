"""Ways in and out of a container's own network: dialling its port, reaching the API, and nothing else."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from clary.compute.base import Container

ECHO = """
import os, socket
server = socket.create_server(("0.0.0.0", int(os.environ.get("SAGEMAKER_BIND_TO_PORT", 8080))))
print("listening", flush=True)
while True:
    connection, _ = server.accept()
    while data := connection.recv(65536):
        connection.sendall(data.upper())
"""

FETCH = """
import os, urllib.request
print(urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/_clary/health", timeout=60).read().decode())
"""


def _python(script: str, **more: object) -> Container:
    return Container(argv=("python3", "-c", script), env={"AWS_ENDPOINT_URL": "http://127.0.0.1:4599"}, log="", **more)


def test_two_containers_listen_on_one_port_and_each_is_reached(machine):
    for name in ("a", "b"):
        machine.start(name, _python(ECHO.replace(".upper()", f" + b'{name}'"), listens=8080))
    for name in ("a", "b"):
        machine.says(name, "listening")
        with machine.dial(name) as sock:
            sock.setblocking(True)
            for _ in range(3):
                sock.sendall(b"hello ")
                assert sock.recv(100) == b"hello " + name.encode()


def test_nothing_listens_yet(machine):
    machine.start("silent", Container(argv=("sh", "-c", "echo ready; sleep 600"), env={}, log="", listens=8080))
    machine.says("silent", "ready")
    with pytest.raises(ConnectionRefusedError):
        machine.dial("silent")


def test_a_container_that_has_no_port(machine):
    machine.shell("closed", "echo ready; sleep 600")
    machine.says("closed", "ready")
    with pytest.raises(ConnectionRefusedError):
        machine.dial("closed")


def test_a_container_that_has_gone(machine):
    with pytest.raises(FileNotFoundError):
        machine.dial("never")
    machine.start("gone", _python("pass", listens=8080))
    machine.end("gone")
    with pytest.raises(FileNotFoundError):
        machine.dial("gone")


async def test_dialling_without_holding_up_the_loop(machine):
    machine.start("a", _python(ECHO, listens=8080))
    machine.says("a", "listening")
    with await machine.dial.open("a") as sock:
        sock.setblocking(True)
        sock.sendall(b"x")
        assert sock.recv(1) == b"X"


@contextlib.contextmanager
def _api(machine) -> Iterator[None]:
    """An API that answers every request with its own bytes' length, on the Unix socket that containers are led to."""
    path = str(machine.settings.run_dir / "api.sock")
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                head = connection.recv(65536)
                path = head.split(b" ")[1]
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path))

    threading.Thread(target=serve, daemon=True).start()
    yield
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def test_the_api_is_reached_from_inside(confined):
    with _api(confined):
        confined.start("client", _python(FETCH))
        confined.end("client")
    assert confined.output("client") == "/_clary/health"


def test_an_isolated_container_reaches_nothing(confined):
    with _api(confined):
        confined.start("client", _python(FETCH, api=False))
        assert confined.end("client").code == 1
    assert "Connection refused" in confined.output("client")


TRY = """
import socket
try:
    socket.create_connection(("127.0.0.1", {port}), 5)
except OSError as error:
    print(error.strerror)
"""


def test_the_hosts_loopback_is_another(confined):
    with socket.create_server(("127.0.0.1", 0)) as server:
        confined.start("client", _python(TRY.replace("{port}", str(server.getsockname()[1]))))
        confined.end("client")
    assert confined.output("client") == "Connection refused"


SEE = """
import os
print([name for name in os.environ if "proxy" in name.lower() or "CERT" in name or "CA_" in name], flush=True)
print(os.path.exists("/opt/clary/authorities.pem"), flush=True)
"""

PROXY = """
import socket
proxy = socket.create_connection(("127.0.0.1", 3128), 5)
proxy.sendall(b"CONNECT {target} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
print(proxy.recv(1000).split(b"\\r\\n")[0].decode())
"""


_CLOSED = ("127.0.0.1", "localhost", "[::1]", "169.254.169.254", "0.0.0.0", "own", "[::ffff:127.0.0.1]")


@pytest.mark.parametrize("host", _CLOSED)
def test_the_proxy_does_not_lead_to_the_host(confined, host):
    if host == "own":
        host = _own_address()
    with socket.create_server(("0.0.0.0", 0)) as server:
        script = PROXY.replace("{target}", f"{host}:{server.getsockname()[1]}")
        confined.start("client", _python(script))
        confined.end("client")
    assert confined.output("client") == "HTTP/1.1 403 Forbidden"


def _own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this host has no network")
        return probe.getsockname()[0]


def test_an_isolated_container_has_no_proxy_and_trusts_nobody_more(confined):
    confined.start("client", _python(SEE + PROXY, api=False))
    confined.end("client")
    assert confined.lines("client")[:2] == ["[]", "False"]
    assert "Connection refused" in confined.output("client")


def test_a_long_data_folder_is_no_limit(confined, tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    confined.settings.containers_dir.rename(deep / "containers")
    confined.settings.containers_dir.symlink_to(deep / "containers")
    assert confined.run("echo x")[1] == "x"
