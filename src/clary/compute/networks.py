"""Addresses of the containers of one network: each host's place in the list of names says them."""

from __future__ import annotations

import ipaddress

from clary.compute.base import Container, Network
from clary.compute.launch import NetworkPlace

_NETWORK = ipaddress.ip_network("10.77.0.0/16")
"""Private (RFC 1918), and seen by nobody but the members: equal for all networks."""


def place(container: Container) -> NetworkPlace | None:
    """Where the container stands in its network. Raises ValueError where its host name is none of the network's."""
    if container.network is None:
        return None
    return NetworkPlace(name=container.network.name, address=_address(container.network, container.hostname))


def _address(network: Network, host: str) -> str:
    return f"{_NETWORK[network.hosts.index(host) + 1]}/{_NETWORK.prefixlen}"


def members(container: Container) -> list[str]:
    """Names and addresses of all members of its network."""
    if container.network is None:
        return []
    addresses = [_address(container.network, host).partition("/")[0] for host in container.network.hosts]
    return [*container.network.hosts, *addresses]


def hosts_file(container: Container) -> str:
    """/etc/hosts: every member by its name; alone, a host is at its own loopback."""
    if container.network is None:
        return f"127.0.0.1 {' '.join(dict.fromkeys(['localhost', container.hostname]))}\n::1 localhost\n"
    members = [f"{_address(container.network, host).partition('/')[0]} {host}" for host in container.network.hosts]
    return "\n".join(["127.0.0.1 localhost", "::1 localhost", *members, ""])
