"""Programs for the hosts of one job: one that answers, one that asks by name, one that tries addresses."""

from __future__ import annotations

import os

from clary.compute.base import Container, Network

HOSTS = ("algo-1", "algo-2")
JOB = Network("training-job/αβ/one", HOSTS)

SERVE = """
import socket
server = socket.create_server(("0.0.0.0", 2222))
print("listening", flush=True)
while True:
    connection, (peer, _) = server.accept()
    data = connection.recv(65536)
    connection.sendall(socket.gethostname().encode() + b" heard " + data + b" from " + peer.encode())
    connection.close()
"""

CALL = """
import socket, sys, time
deadline = time.monotonic() + 50
for host in sys.argv[1:]:
    while True:
        try:
            connection = socket.create_connection((host, 2222), 2)
            break
        except OSError as error:
            if time.monotonic() > deadline:
                print(host, type(error).__name__, flush=True)
                sys.exit(1)
            time.sleep(0.02)
    connection.sendall(b"hello")
    print(connection.recv(1000).decode(), flush=True)
"""


def host(name: str, script: str, *args: str, network: Network | None = JOB, api: bool = True) -> Container:
    """The host of this name, which runs a script."""
    return Container(("python3", "-c", script, *args), {}, "", hostname=name, network=network, api=api)


TRY = """
import socket, sys
for address in sys.argv[1:]:
    try:
        socket.create_connection((address, 2222), 0.3)
        print("reached", address)
    except OSError:
        pass
print(sorted(name for _, name in socket.if_nameindex()))
"""


def enter(machine, container_id: str, script: str, *args: str) -> tuple[int, str]:
    """Exit code and output of one more script on a host that runs."""
    reading, writing = os.pipe()
    nowhere = os.open(os.devnull, os.O_RDONLY)
    code = machine.backend.enter(container_id, ("python3", "-c", script, *args), (nowhere, writing, writing))
    os.close(writing)
    os.close(nowhere)
    with os.fdopen(reading) as file:
        return code, file.read()
