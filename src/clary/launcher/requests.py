"""Those who ask the shim: connections on its socket, each with one request after another.

`dial`  → a socket of the container's network · `stop`, `kill` → nothing; the end is seen by the connection's.
"""

from __future__ import annotations

import socket
from typing import Any, Callable, Dict, List, Optional, Protocol

from clary.launcher import messages


class Served(Protocol):
    """What a shim does for them."""

    def watch(self, source: Any, on_ready: Callable[[Any], None]) -> None:  # noqa: ANN401  descriptor or socket
        """Call when readable."""

    def unwatch(self, source: Any) -> None:  # noqa: ANN401
        """No more."""

    def tell(self, message: messages.Message, descriptors: List[int]) -> None:
        """A message to PID 1."""

    def stop(self, grace: float) -> None:
        """SIGTERM now, SIGKILL after `grace` seconds."""

    def end(self, reason: str) -> None:
        """SIGKILL now."""


class Requests:
    """Takes connections of `listener`. `port` is what dialling leads to; `confined` whether by PID 1's hand."""

    def __init__(self, shim: Served, listener: socket.socket, port: Optional[int], confined: bool) -> None:
        self._shim = shim
        self._port = port
        self._confined = confined
        self._open = False
        self._dialling: List[socket.socket] = []
        self._operations: Dict[str, Callable[[socket.socket, messages.Message, List[int]], None]] = {
            "dial": self._dial,
            "stop": lambda _, message, __: shim.stop(float(message["grace"])),
            "kill": lambda _, message, __: shim.end(str(message.get("reason", ""))),
        }
        shim.watch(listener, self._accept)

    def open(self) -> None:
        """The container is ready: it can be dialled from now on."""
        self._open = True

    def _accept(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.setblocking(False)
        self._shim.watch(connection, self._obey)

    def _obey(self, connection: socket.socket) -> None:
        descriptors: List[int] = []
        try:
            message, descriptors = messages.receive(connection)
            self._operations[message["op"]](connection, message, descriptors)
        except (EOFError, OSError, ValueError, KeyError, TypeError):
            self._forget(connection)
        finally:
            messages.close_all(descriptors)

    def _forget(self, connection: socket.socket) -> None:
        self._shim.unwatch(connection)
        connection.close()

    def _answer(self, connection: socket.socket, message: messages.Message, descriptors: List[int]) -> None:
        try:
            messages.send(connection, message, descriptors)
        except OSError:
            if connection.fileno() >= 0:
                self._forget(connection)

    def _dial(self, connection: socket.socket, message: messages.Message, _: List[int]) -> None:
        if self._port is None or not self._open:
            messages.send(connection, {"refused": True})
        elif self._confined:
            self._dialling.append(connection)
            self._shim.tell({"socket": True}, [])
        else:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as fresh:
                messages.send(connection, {"port": self._port}, [fresh.fileno()])

    def hand_out(self, message: messages.Message, descriptors: List[int]) -> None:
        """PID 1 has made the socket that somebody waits for."""
        self._answer(self._dialling.pop(0), {"port": self._port}, descriptors)
