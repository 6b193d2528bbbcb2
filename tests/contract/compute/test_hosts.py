"""Several hosts of one job: a network that they alone have."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from clary.compute import record
from clary.compute.base import Container, Exited, Mount, Network
from clary.errors import ClaryError
from tests.contract.compute.conftest import SECONDS, until, warm
from tests.contract.compute.hosts import CALL, HOSTS, JOB, SERVE, TRY, enter, host
from tests.slowness import slowness


def test_two_hosts_talk_by_name_on_one_port(confined):
    confined.start("one", host("algo-1", SERVE))
    confined.start("two", host("algo-2", SERVE))
    confined.says("one", "listening")
    confined.says("two", "listening")
    code, output = enter(confined, "one", CALL, "algo-2", "algo-1")
    assert code == 0
    assert output.splitlines() == ["algo-2 heard hello from 10.77.0.1", "algo-1 heard hello from 10.77.0.1"]
    assert enter(confined, "two", CALL, "algo-1")[1].strip() == "algo-1 heard hello from 10.77.0.2"


def test_nobody_else_reaches_them(confined):
    """A container of another job, one of none, and the host."""
    confined.start("one", host("algo-1", SERVE))
    confined.says("one", "listening")
    other = Network("another", HOSTS)
    for name, network in (("of another", other), ("of none", None)):
        confined.start(name, host("algo-2", TRY, "10.77.0.1", "10.77.0.2", network=network))
        assert confined.end(name).code == 0
    assert confined.output("of another") == "['eth0', 'lo']"
    assert confined.output("of none") == "['lo']"


def test_the_hosts_loopback_and_bridge_are_not_reached(confined):
    confined.start("one", host("algo-1", SERVE))
    confined.says("one", "listening")
    confined.start("two", host("algo-2", TRY, "10.77.0.0", "10.77.0.3", "10.77.255.254", "127.0.0.1"))
    confined.end("two")
    assert confined.output("two") == "['eth0', 'lo']"
    assert not (Path("/sys/class/net") / "bridge").exists()


def test_a_host_cannot_change_the_network(confined):
    script = "ip link add d0 type dummy || ip addr add 10.77.0.1/16 dev eth0 || ip link set eth0 down || echo refused"
    container = Container(argv=("sh", "-c", script), env={}, log="", hostname="algo-2", network=JOB)
    confined.start("two", container)
    confined.end("two")
    assert confined.lines("two")[-1] == "refused"


def test_a_host_that_dies_leaves_the_network_to_the_others(confined):
    """The first, by kill -9 of its shim; its successor takes its place."""
    confined.start("one", host("algo-1", SERVE))
    confined.start("two", host("algo-2", SERVE))
    confined.says("two", "listening")
    confined.says("one", "listening")
    os.kill(record.read(str(confined.folder("one")), record.HANDLE)["pid"], signal.SIGKILL)
    confined.end("one")
    confined.start("again", host("algo-1", CALL, "algo-2"))
    assert confined.end("again").code == 0, confined.output("again")
    assert confined.output("again") == "algo-2 heard hello from 10.77.0.1"


def test_a_launcher_started_anew_finds_the_network(confined):
    confined.start("one", host("algo-1", SERVE))
    confined.says("one", "listening")
    confined.launcher.kill()
    confined.launcher.wait()
    confined.start_launcher()
    confined.start("two", host("algo-2", CALL, "algo-1"))
    assert confined.end("two").code == 0, confined.output("two")


def test_members_that_start_at_once_have_one_network(confined):
    network = Network("many", tuple(f"algo-{n}" for n in range(1, 7)))
    for name in network.hosts[1:]:
        confined.start(name, host(name, CALL, "algo-1", network=network))
    confined.start("algo-1", host("algo-1", SERVE, network=network))
    for name in network.hosts[1:]:
        assert confined.end(name, 2 * SECONDS).code == 0, confined.output(name)


def test_forks_of_a_warm_parent_have_one_too(confined, tmp_path):
    (tmp_path / "serve.py").write_text(SERVE)
    (tmp_path / "call.py").write_text(CALL)
    for name, module, args in (("algo-1", "serve", ()), ("algo-2", "call", ("algo-1",))):
        container = warm(module, *args, preload=("json",), env={"PYTHONPATH": "/opt/code"})
        mounts = (Mount(str(tmp_path), "/opt/code"),)
        confined.start(name, replace(container, mounts=mounts, hostname=name, network=JOB))
    assert confined.end("algo-2").code == 0
    assert confined.output("algo-2") == "algo-1 heard hello from 10.77.0.2"


def test_nothing_is_left_of_a_network(confined):
    confined.start("one", host("algo-1", "print('done')"))
    confined.end("one")
    networks = confined.settings.run_dir / "networks"
    assert list(networks.iterdir()) == []
    confined.start("two", host("algo-2", SERVE))
    confined.says("two", "listening")
    os.kill(record.read(str(confined.folder("two")), record.HANDLE)["pid"], signal.SIGKILL)
    confined.end("two")
    until(lambda: list(networks.iterdir()) == [])


SEND = """
import socket, time
deadline = time.monotonic() + 50
while True:
    try:
        sock = socket.create_connection(("algo-1", 2222), 2)
        break
    except OSError:
        assert time.monotonic() < deadline
piece, begun = bytes(2**20), time.monotonic()
for _ in range(400):
    sock.sendall(piece)
sock.shutdown(socket.SHUT_WR)
sock.recv(1)
print(int(400 / (time.monotonic() - begun)), flush=True)
"""

DRAIN = """
import socket
connection, _ = socket.create_server(("0.0.0.0", 2222)).accept()
while connection.recv(2**20):
    pass
"""


def test_hosts_exchange_data_fast(confined):
    slow = slowness()
    confined.start("one", host("algo-1", DRAIN))
    confined.start("two", host("algo-2", SEND))
    assert confined.end("two").code == 0, confined.output("two")
    assert int(confined.output("two")) * max(slow, slowness()) > 100  # MB/s


def test_where_there_is_no_network_for_them_several_hosts_are_refused(machine):
    if machine.settings.unconfined:
        with pytest.raises(ClaryError, match="network of their own"):
            machine.start("one", host("algo-1", "pass"))
    else:
        machine.start("one", host("algo-1", "pass"))
        assert isinstance(machine.end("one"), Exited)
