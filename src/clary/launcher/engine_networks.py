"""The networks of an engine's container: which it is in, who makes them, and who takes them away.

`clary` is for all containers that are not isolated. Its gateway, this host, has the address 169.254.170.2: SDKs ask a
container's credentials without TLS at their own loopback and there, as on Amazon ECS
(https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html), and nowhere else. The hosts of one
job have a network of their own besides, without a way out; an isolated container has no other than its own.
"""

# ruff: noqa: PTH119, PTH120, PTH123, PTH208
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import os
import socket
import struct
import zlib
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

from clary.compute import record
from clary.compute.docker_api import Engine, EngineError
from clary.compute.launch import EngineNetwork, EnginePart, Launch

SHARED = "clary"
GATEWAY = "169.254.170.2"
_SUBNET = "169.254.170.0/24"

LABEL = "clary"
MEMBER_LABEL = "clary.network"
"""On containers: the network of their job's hosts."""

_NONE = "none"
_OF_HOSTS = ipaddress.IPv4Network("10.77.0.0/16")
_BITS = 24
_FIRST_HOST = 2
"""The network's own address and this host's come first."""

_TAKEN = ("overlap", "already used", "already in use")
"""What engines say of addresses that another network has."""

_SIOCGIFADDR = 0x8915


class Seat(NamedTuple):
    """Where a container sits in its first network, which is its `eth0`."""

    network: str
    address: str = ""
    """Chosen for it; empty: the engine's choice."""
    hosts: Tuple[str, ...] = ()
    """`NAME:ADDRESS` of all hosts of its job."""


def name_of(folder: str) -> str:
    """What a container is called in the engine, and the network that it alone is in."""
    return record.prefix(os.path.dirname(folder)) + os.path.basename(folder)


class Networks:
    """Those of the container in `folder`. All methods raise EngineError and OSError, and may be called again."""

    def __init__(self, engine: Engine, launch: Launch, part: EnginePart, folder: str) -> None:
        self._engine = engine
        self._hosts = part.get("network")
        self._host = launch["hostname"]
        self._folder = folder
        self.names = _names(launch, self._hosts, folder)
        """In the order of its interfaces: the first is `eth0`."""
        self.reached_by = SHARED if launch["api"] else self.names[0]
        """By which this host and the container reach one another."""

    @contextlib.contextmanager
    def seat(self) -> Iterator[Seat]:
        """Its first network is there and is not taken away before the end of the context, nor afterwards if the
        container has been created by then."""
        with _alone(os.path.dirname(self._folder)) if self._hosts is not None else contextlib.nullcontext():
            self._make(self.names[0])
            yield Seat(self.names[0]) if self._hosts is None else self._among(self._hosts)

    def join(self, name: str) -> None:
        """The container of this name, which does not run yet, is in all of its networks."""
        for network in self.names[1:]:
            self._make(network)
            self._engine.connect(network, name)

    def leave(self) -> None:
        """The container has been removed: what is no one else's goes too."""
        own = self.names[0]
        if own in (SHARED, _NONE):
            return
        remove_unused(self._engine, own, os.path.dirname(self._folder))

    def _make(self, name: str) -> None:
        if name == _NONE or self._engine.network(name) is not None:
            return
        if name == SHARED:
            self._engine.make_network(_shared())
        elif self._hosts is None:
            self._engine.make_network(_internal(name))
        else:
            self._make_for_hosts(name)

    def _make_for_hosts(self, name: str) -> None:
        """With the first addresses that neither the machine nor another network has."""
        refused = EngineError(500, f"Of {_OF_HOSTS} no network of /{_BITS} is free for the hosts of a job.")
        for subnet in _free_subnets(name):
            try:
                self._engine.make_network({**_internal(name), "IPAM": {"Config": [_addresses(subnet)]}})
            except EngineError as error:
                if not any(word in str(error) for word in _TAKEN):
                    raise
                refused = error
            else:
                return
        raise refused

    def _among(self, hosts: EngineNetwork) -> Seat:
        """By addresses that each host of the job can tell of all."""
        found = self._engine.network(hosts["name"]) or {}
        subnet = ipaddress.IPv4Network(found["IPAM"]["Config"][0]["Subnet"])
        addresses = {host: str(subnet[_FIRST_HOST + number]) for number, host in enumerate(hosts["hosts"])}
        known = tuple(f"{host}:{address}" for host, address in addresses.items())
        return Seat(hosts["name"], addresses[self._host], known)


def remove_unused(engine: Engine, name: str, containers: str) -> None:
    """Take a network away that no container of `containers` is a member of."""
    with _alone(containers):
        if not engine.labelled(f"{MEMBER_LABEL}={name}"):
            engine.remove_network(name)


@contextlib.contextmanager
def _alone(containers: str) -> Iterator[None]:
    """Hosts of one job come and go at any time: no network is taken away under one that is being made."""
    descriptor = os.open(containers, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _names(launch: Launch, hosts: Any, folder: str) -> List[str]:  # noqa: ANN401  EngineNetwork or nothing
    if hosts is not None:
        return [hosts["name"], SHARED] if launch["api"] else [hosts["name"]]
    if launch["api"]:
        return [SHARED]
    return [_NONE if launch["port"] is None else name_of(folder)]


def _shared() -> Dict[str, Any]:
    """Containers that have nothing to do with one another do not meet there, where the engine knows that option."""
    return {
        "Name": SHARED,
        "Driver": "bridge",
        "CheckDuplicate": True,
        "IPAM": {"Config": [{"Subnet": _SUBNET, "Gateway": GATEWAY}]},
        "Options": {"com.docker.network.bridge.enable_icc": "false"},
        "Labels": {LABEL: SHARED},
    }


def _internal(name: str) -> Dict[str, Any]:
    return {"Name": name, "Driver": "bridge", "CheckDuplicate": True, "Internal": True, "Labels": {LABEL: name}}


def _addresses(subnet: ipaddress.IPv4Network) -> Dict[str, str]:
    return {"Subnet": str(subnet), "Gateway": str(subnet[1])}


def _free_subnets(name: str) -> Iterator[ipaddress.IPv4Network]:
    """Each network begins to look elsewhere: several Clarys may use one engine."""
    known = list(_OF_HOSTS.subnets(new_prefix=_BITS))
    first = zlib.crc32(name.encode()) % len(known)
    routes = _routes()
    for subnet in known[first:] + known[:first]:
        if not any(subnet.overlaps(route) for route in routes):
            yield subnet


def _routes() -> List[ipaddress.IPv4Network]:
    """Where this machine knows a way to, but for the way to everywhere."""
    with open("/proc/net/route", encoding="ascii") as file:
        rows = [line.split() for line in file.readlines()[1:]]
    found = (ipaddress.IPv4Network((_word(row[1]), bin(int(row[7], 16)).count("1")), False) for row in rows)
    return [route for route in found if route.prefixlen]


def _word(digits: str) -> bytes:
    """Four bytes as the kernel prints them: as a number of this machine's byte order."""
    return struct.pack("=I", int(digits, 16))


def seclude() -> None:
    """Containers of the network `clary` reach this host and not one another: Docker knows an option for that; of
    Podman's bridge, root sets it at each port."""
    for port in _ports_of_the_shared():
        with contextlib.suppress(OSError), open(f"{port}/isolated", "w", encoding="ascii") as file:
            file.write("1")  # where it is ours to set, and the container has not gone


def _ports_of_the_shared() -> Iterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _, name in socket.if_nameindex():
            ports = f"/sys/class/net/{name}/brif"
            if os.path.isdir(ports) and _address_of(sock, name) == GATEWAY:  # noqa: PTH112
                yield from (f"{ports}/{port}" for port in os.listdir(ports))


def _address_of(sock: socket.socket, interface: str) -> str:
    """Its first; empty where it has none."""
    try:
        found = fcntl.ioctl(sock, _SIOCGIFADDR, struct.pack("256s", interface.encode()))
    except OSError:
        return ""
    return socket.inet_ntoa(found[20:24])
