"""Several hosts of one job in a container engine: they reach one another, nobody else does, and nothing is left."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import replace

import pytest

from clary.compute import record
from clary.compute.base import Exited, Network
from clary.compute.docker_api import Engine
from clary.errors import ClaryError
from clary.launcher import engine_networks
from tests import engine as engines
from tests.contract.compute.conftest import until
from tests.contract.compute.hosts import CALL, HOSTS, SERVE, TRY, enter, host

pytestmark = pytest.mark.xdist_group("engine")

EXCHANGE = """
import fcntl, socket, struct, sys
mine, theirs, number = sys.argv[1:]
with socket.socket() as sock:
    found = fcntl.ioctl(sock, 0x8915, struct.pack("256s", b"eth0"))
    assert socket.inet_ntoa(found[20:24]) == socket.gethostbyname(mine)  # the interface that resourceconfig.json names
with socket.create_server(("0.0.0.0", 2222)) as server:
    while True:
        try:
            asked = socket.create_connection((theirs, 2222), 1)
            break
        except OSError:
            pass
    asked.sendall(number.encode())
    asked.shutdown(socket.SHUT_WR)
    given, (peer, _) = server.accept()
    print(given.recv(100).decode(), "of", theirs, peer == socket.gethostbyname(theirs), len(socket.if_nameindex()))
"""


def _addresses(docker, container_id: str) -> dict[str, str]:
    """Of a container that runs, by network."""
    found = docker.engine.container(engine_networks.name_of(str(docker.folder(container_id))))
    return {name: each["IPAddress"] for name, each in found["NetworkSettings"]["Networks"].items()}


def _network(docker, container_id: str) -> str:
    [own] = _addresses(docker, container_id).keys() - {engine_networks.SHARED}
    return own


@pytest.mark.parametrize("api", [True, False], ids=["with the API", "isolated"])
def test_two_hosts_exchange_a_number_and_end_well(docker, api):
    docker.start("one", host("algo-1", EXCHANGE, "algo-1", "algo-2", "17", api=api))
    docker.start("two", host("algo-2", EXCHANGE, "algo-2", "algo-1", "42", api=api))
    assert docker.end("one").code == 0, docker.output("one")
    assert docker.end("two").code == 0, docker.output("two")
    interfaces = 3 if api else 2  # the loopback among them
    assert docker.lines("one") == [f"42 of algo-2 True {interfaces}"]
    assert docker.lines("two") == [f"17 of algo-1 True {interfaces}"]


def test_nobody_else_reaches_them(docker):
    """Neither by name nor by any address that they have: another job's host, and one of no job."""
    docker.start("one", host("algo-1", SERVE))
    docker.says("one", "listening")
    places = ("algo-1", *_addresses(docker, "one").values())
    assert len(places) == 3
    alike = Network("another", HOSTS)
    strangers = {
        "another": host("algo-2", TRY, *places[1:], network=alike),
        "alone": host("else", TRY, *places, network=None),
    }
    for name, container in strangers.items():
        docker.start(name, container)
        assert docker.end(name).code == 0, docker.output(name)
        assert "reached" not in docker.output(name)
    assert enter(docker, "one", CALL, "algo-1") == (0, f"algo-1 heard hello from {_own(docker, 'one')}\n")


def _own(docker, container_id: str) -> str:
    return _addresses(docker, container_id)[_network(docker, container_id)]


def test_a_host_that_comes_again_finds_the_others(docker):
    for name, container in (("one", host("algo-1", "pass")), ("two", host("algo-2", SERVE))):
        docker.start(name, container)
    docker.says("two", "listening")
    docker.end("one")
    docker.start("again", host("algo-1", CALL, "algo-2"))
    assert docker.end("again").code == 0, docker.output("again")
    assert re.fullmatch(r"algo-2 heard hello from 10\.77\.\d+\.2", docker.output("again"))


def _keeper(docker, container_id: str) -> int:
    return int(record.read(str(docker.folder(container_id)), record.HANDLE)["pid"])


def test_nothing_is_left_of_a_network_whose_keepers_were_killed(docker):
    for name, hostname in (("one", "algo-1"), ("two", "algo-2")):
        docker.start(name, host(hostname, SERVE))
        docker.says(name, "listening")
    network = _network(docker, "one")
    assert network == _network(docker, "two")
    for name in ("one", "two"):
        killed = _keeper(docker, name)
        os.kill(killed, signal.SIGKILL)
        until(lambda name=name, killed=killed: _keeper(docker, name) != killed)
    docker.backend.stop("one", 0)
    until(lambda: isinstance(docker.backend.poll("one"), Exited))
    assert docker.engine.network(network) is not None  # the other is still in it
    docker.backend.remove("two")
    assert docker.engine.network(network) is None
    assert engines.containers(docker.engine, docker.settings.data_dir) == []


def test_addresses_that_another_network_has_are_left_to_it(docker: object, engine: Engine) -> None:
    """The first that would be tried is taken."""
    docker.start("probe", host("algo-1", SERVE))
    docker.says("probe", "listening")
    network, taken = _network(docker, "probe"), _own(docker, "probe").rpartition(".")[0]
    docker.backend.remove("probe")
    other = f"{network}-other"
    config = {"Subnet": f"{taken}.0/24", "Gateway": f"{taken}.1"}
    engine.make_network({"Name": other, "Driver": "bridge", "Internal": True, "IPAM": {"Config": [config]}})
    try:
        docker.start("one", host("algo-1", SERVE))
        docker.says("one", "listening")
        assert _own(docker, "one").rpartition(".")[0] != taken
    finally:
        docker.backend.remove("one")
        engine.remove_network(other)


def test_more_hosts_than_a_network_has_addresses_are_refused(docker):
    many = Network("many", tuple(f"algo-{number}" for number in range(1, 300)))
    with pytest.raises(ClaryError, match="too many"):
        docker.start("one", replace(host("algo-1", SERVE), network=many))
