"""Those who ask the shim: connections on its socket, each with one request after another.

`dial` → a socket of the container's network · `network` → the network itself, for another member · `enter`, with three
streams → the exit code of one more program, when it has ended · `freezer` → a line by which all inside is stopped and
goes on · `usage` → what the container has used and holds · `stop`, `kill` → nothing: the container's end is seen
by the connection's.

Whoever asks for something else, as a newer Clary may, is hung up on: to it the container cannot do that.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from typing import Any, Callable, Dict, List, Optional, Protocol, Sequence

from clary.launcher import ending, messages
from clary.launcher.guards import Verdict


class Served(Protocol):
    """What a shim does for them."""

    def watch(self, source: Any, on_ready: Callable[[Any], None]) -> None:  # noqa: ANN401  descriptor or socket
        """Call when readable."""

    def unwatch(self, source: Any) -> None:  # noqa: ANN401
        """No more."""

    def tell(self, message: messages.Message, descriptors: Sequence[int]) -> None:
        """A message to PID 1."""

    def network(self) -> Sequence[int]:
        """Descriptors of the network of which the container is a member."""

    def admit(self, streams: Sequence[int]) -> None:
        """Let the container's users open these anew."""

    def usage(self) -> Optional[messages.Message]:
        """What the container has used and holds; None where nobody knows. Asked in a thread of its own: files are
        counted."""

    def stop(self, grace: float) -> None:
        """SIGTERM now, SIGKILL after `grace` seconds."""

    def end(self, verdict: Verdict) -> None:
        """SIGKILL now."""


class Requests:
    """Takes connections of `listener`. `port` is what dialling leads to; `confined` whether by PID 1's hand."""

    def __init__(self, shim: Served, listener: socket.socket, port: Optional[int], confined: bool) -> None:
        self._shim = shim
        self._port = port
        self._confined = confined
        self._open = False
        self._dialling: List[socket.socket] = []
        self._entered: Dict[int, socket.socket] = {}
        self._numbers = itertools.count()
        self._operations: Dict[str, Callable[[socket.socket, messages.Message, List[int]], None]] = {
            "dial": self._dial,
            "enter": self._enter,
            "freezer": self._freezer,
            "usage": lambda connection, _, __: self._usage(connection),
            "network": lambda connection, _, __: self._answer(connection, {"network": True}, shim.network()),
            "stop": lambda _, message, __: shim.stop(float(message["grace"])),
            "kill": lambda _, message, __: shim.end(_verdict(message)),
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
        for number in [number for number, each in self._entered.items() if each is connection]:
            del self._entered[number]
            self._shim.tell({"leave": number}, [])
        self._shim.unwatch(connection)
        connection.close()

    def _answer(self, connection: socket.socket, message: messages.Message, descriptors: Sequence[int]) -> None:
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
        """The socket that somebody waits for has been made; nothing where the container is not there to be dialled."""
        connected = {"connected": True} if "connected" in message else {}
        answer = {"host": message.get("host", "127.0.0.1"), "port": self._port, **connected}
        self._answer(self._dialling.pop(0), answer if descriptors else {"refused": True}, descriptors)

    def _usage(self, connection: socket.socket) -> None:
        threading.Thread(target=self._tell_usage, args=(connection,), daemon=True).start()

    def _tell_usage(self, connection: socket.socket) -> None:
        told: Optional[messages.Message] = None
        with contextlib.suppress(OSError):  # the container has just ended
            told = self._shim.usage()
        with contextlib.suppress(OSError):  # who has asked is gone
            messages.send(connection, told or {"refused": True})

    def _freezer(self, connection: socket.socket, message: messages.Message, _: List[int]) -> None:
        if not self._confined or not self._open:
            messages.send(connection, {"refused": True})
            return
        inner, outer = socket.socketpair()
        with inner, outer:
            self._shim.tell({"freezer": True}, [inner.fileno()])
            self._answer(connection, {"freezer": True}, [outer.fileno()])

    def _enter(self, connection: socket.socket, message: messages.Message, streams: List[int]) -> None:
        number, argv = next(self._numbers), [str(word) for word in message["argv"]]
        request = {"enter": number, "argv": argv, "env": {"TERM": str(message.get("term", "dumb"))}}
        if not self._open or len(streams) != 3 or not argv or not messages.fits(request):
            messages.send(connection, {"refused": True})
            return
        self._entered[number] = connection
        self._shim.admit(streams)
        self._shim.tell(request, streams)

    def left(self, message: messages.Message, _: List[int]) -> None:
        """A program that was let in has ended."""
        connection = self._entered.pop(message["left"], None)
        if connection is not None:
            self._answer(connection, {"code": ending.shell_code(message["status"])[0]}, [])


def _verdict(message: messages.Message) -> Verdict:
    return Verdict(str(message.get("reason", "")), for_the_disk=bool(message.get("make_room")))
