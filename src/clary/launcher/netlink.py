"""Interfaces of network namespaces, by the kernel's own messages (rtnetlink(7)): so nothing has to be installed.

Numbers are those of linux/rtnetlink.h, linux/if_link.h and linux/veth.h.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import struct

_NETLINK_ROUTE = 0
_NLMSG_ERROR = 2
_RTM_NEWLINK = 16
_RTM_NEWADDR = 20
_REQUEST_ACK = 0x1 | 0x4
_CREATE = 0x400 | 0x200  # and not one that exists
_IFF_UP = 0x1
_IFLA_IFNAME = 3
_IFLA_MASTER = 10
_IFLA_LINKINFO = 18
_IFLA_NET_NS_FD = 28
_IFLA_INFO_KIND = 1
_IFLA_INFO_DATA = 2
_VETH_INFO_PEER = 1
_IFA_ADDRESS = 1
_IFA_LOCAL = 2
_IFA_BROADCAST = 4

BRIDGE = 1000
"""The bridge's number in a network's own namespace."""


def connect() -> socket.socket:
    """A socket that speaks for this network namespace, and keeps it, with the rights of whoever opens it."""
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_ROUTE)


def make_bridge(sock: socket.socket) -> None:
    """The network's one bridge. Raises OSError where the kernel has none or forbids it."""
    link = _link(BRIDGE, up=True) + _text(_IFLA_IFNAME, "bridge") + _kind("bridge")
    _ask(sock, _RTM_NEWLINK, _CREATE, link, "bridge")


def plug_in(sock: socket.socket, name: str, namespace: int) -> None:
    """A cable: one end, `name`, in the bridge, the other as eth0 in the network namespace of this descriptor."""
    peer = _link(0, up=False) + _text(_IFLA_IFNAME, "eth0") + _number(_IFLA_NET_NS_FD, namespace)
    kind = _kind("veth", _attribute(_VETH_INFO_PEER, peer))
    link = _link(0, up=True) + _text(_IFLA_IFNAME, name) + _number(_IFLA_MASTER, BRIDGE) + kind
    _ask(sock, _RTM_NEWLINK, _CREATE, link, "veth")


def give_address(sock: socket.socket, interface: str, address: str) -> None:
    """Address (`10.77.0.1/16`) of an interface of this process's namespace, which is raised."""
    index, given = socket.if_nametoindex(interface), ipaddress.ip_interface(address)
    head = struct.pack("=BBBBI", socket.AF_INET, given.network.prefixlen, 0, 0, index)
    parts = ((_IFA_LOCAL, given.ip), (_IFA_ADDRESS, given.ip), (_IFA_BROADCAST, given.network.broadcast_address))
    addresses = b"".join(_attribute(kind, part.packed) for kind, part in parts)
    _ask(sock, _RTM_NEWADDR, _CREATE, head + addresses, "address {}".format(address))
    _ask(sock, _RTM_NEWLINK, 0, _link(index, up=True), "{} up".format(interface))


def _link(index: int, up: bool) -> bytes:
    flag = _IFF_UP if up else 0
    return struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, flag, flag)


def _kind(name: str, data: bytes = b"") -> bytes:
    info = _text(_IFLA_INFO_KIND, name) + (_attribute(_IFLA_INFO_DATA, data) if data else b"")
    return _attribute(_IFLA_LINKINFO, info)


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _text(kind: int, value: str) -> bytes:
    return _attribute(kind, value.encode() + b"\0")


def _number(kind: int, value: int) -> bytes:
    return _attribute(kind, struct.pack("=I", value))


def _ask(sock: socket.socket, kind: int, flags: int, body: bytes, what: str) -> None:
    sock.send(struct.pack("=IHHII", 16 + len(body), kind, _REQUEST_ACK | flags, 1, 0) + body)
    answer = sock.recv(65_536)
    length, answered = struct.unpack_from("=IH", answer)
    code = -struct.unpack_from("=i", answer, 16)[0] if answered == _NLMSG_ERROR and length >= 20 else errno.EPROTO
    if code:
        raise OSError(code, "{}: {}".format(what, os.strerror(code)))
