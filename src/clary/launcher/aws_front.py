"""AWS's hosts, as a container's proxy answers them: TLS ends here, and what is inside goes to the API of Clary. What
anybody may read and is not in a bucket of Clary's is read from AWS, where that can be reached.

`Host`, path and headers stay as they are: signatures cover them. Certificate and key are read when they are first
wanted, by a process beside the container; nothing of them is ever inside.
"""

# ruff: noqa: PTH118, PTH123
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from typing import Callable, FrozenSet, Optional

from clary.compute.launch import BUNDLE, CERTIFICATE, KEY, NAMES
from clary.launcher import open_reads, relay
from clary.launcher.heads import Refused, last_form, read_head

Reach = Callable[[], socket.socket]
"""A connection to AWS's own host. Raises OSError, Refused."""

_HANDSHAKE_SECONDS = 20.0
_ASK_SECONDS = 20.0
_HTTP, _HTTPS = 80, 443


def covers(names: FrozenSet[str], host: str) -> bool:
    """Whether a certificate for `names` is one for `host`: a `*` stands for its whole first label (RFC 6125, 6.4.3)."""
    host = host.lower().rstrip(".")
    return host in names or "*." + host.partition(".")[2] in names


class AwsFront:
    """For the containers of one certificate, in `folder`; `api` is the path of the API's Unix socket. `trusted`: the
    authorities by which AWS's own hosts are known, if not those in the folder."""

    def __init__(self, folder: str, api: str, trusted: Optional[str] = None) -> None:
        self._folder = folder
        self._trusted = trusted or os.path.join(folder, BUNDLE)
        self._api = relay.Upstream(api)
        self._lock = threading.Lock()
        self._names: Optional[FrozenSet[str]] = None
        self._context: Optional[ssl.SSLContext] = None

    def answers(self, host: str, port: int, tunnel: bool) -> bool:
        """Whether a request to the proxy is for one of AWS's hosts, at the port of its protocol. Raises OSError."""
        return port == (_HTTPS if tunnel else _HTTP) and covers(self._known(), host)

    def serve_tunnel(self, client: socket.socket, host: str, reach: Reach) -> None:
        """A client that goes on with TLS. Raises OSError where it does not, or trusts somebody else, and Refused."""
        client.settimeout(_HANDSHAKE_SECONDS)
        if client.family == socket.AF_INET:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # parts of a handshake wait 40 ms otherwise
        with self._ready().wrap_socket(client, server_side=True) as inside:
            inside.settimeout(None)
            head, rest = read_head(inside)
            aws = self._at_aws(host, head, reach)
            with aws or self._api.connect() as server:
                server.sendall((last_form(head) if aws else head) + b"\r\n\r\n" + rest)
                relay.carry(Terminated(inside), Terminated(aws) if aws else server)

    def serve_plain(self, client: socket.socket, request: bytes) -> None:
        """A client whose request has begun with these bytes. Raises OSError."""
        with self._api.connect() as server:
            server.sendall(request)
            relay.carry(client, server)

    def is_elsewhere(self, host: str, head: bytes) -> bool:
        """Whether anybody may read what is asked for, and Clary has no such bucket. Raises OSError."""
        bucket = open_reads.bucket_of(host.lower(), head)
        if bucket is None:
            return False
        with self._api.connect() as server:
            server.settimeout(_ASK_SECONDS)
            return open_reads.is_missing(server, bucket)

    def _at_aws(self, host: str, head: bytes, reach: Reach) -> Optional[ssl.SSLSocket]:
        """AWS's own host, verified as this machine would; None where it is not wanted, or cannot be reached."""
        if not self.is_elsewhere(host, head):
            return None
        try:
            server = reach()
            try:
                trusted = ssl.create_default_context(cafile=self._trusted)
                return trusted.wrap_socket(server, server_hostname=host)
            except BaseException:
                server.close()
                raise
        except (OSError, Refused):
            return None

    def _known(self) -> FrozenSet[str]:
        with self._lock:
            if self._names is None:
                with open(os.path.join(self._folder, NAMES), encoding="ascii") as file:
                    self._names = frozenset(file.read().split())
            return self._names

    def _ready(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.minimum_version = ssl.TLSVersion.TLSv1_2
                context.set_alpn_protocols(["http/1.1"])
                context.load_cert_chain(os.path.join(self._folder, CERTIFICATE), os.path.join(self._folder, KEY))
                self._context = context
            return self._context


class Terminated:
    """One end of a TLS connection that `relay.carry` takes for a plain one.

    One `recv` takes a whole record at most, and all of it: what is left to read is always left in the kernel, where a
    selector sees it.
    """

    def __init__(self, inside: ssl.SSLSocket) -> None:
        self._inside = inside

    def fileno(self) -> int:
        """As a socket's."""
        return self._inside.fileno()

    def setblocking(self, flag: bool) -> None:
        """As a socket's."""
        self._inside.setblocking(flag)

    def recv(self, size: int) -> bytes:
        """Raises BlockingIOError where no record is whole yet."""
        try:
            return self._inside.recv(size)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as early:
            raise BlockingIOError from early

    def send(self, data: memoryview, _flags: int = 0) -> int:
        """Raises BlockingIOError where the client takes no more for now; the same `data` must come again then."""
        try:
            return self._inside.send(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as early:
            raise BlockingIOError from early

    def shutdown(self, how: int) -> None:
        """The end of what is said here, in TLS (RFC 8446, 6.1) and below it; what the client still says is heard.

        Raises BlockingIOError where the client takes no more for now: without its last word TLS is cut, not ended.
        """
        try:
            self._inside.unwrap()
        except ssl.SSLWantWriteError as early:
            raise BlockingIOError from early
        except OSError:
            pass  # it may have gone; and it has not said its own last word yet
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._inside, how)
