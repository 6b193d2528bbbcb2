"""The line between the supervisor and each process it runs: up it goes word that the process is ready or cannot be;
and when either end dies, the other sees it close."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """What a process says of its start: ready, or why it can never be."""

    ready: bool
    failure: str = ""


class Tether:
    """The process's end."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.set_inheritable(False)

    def fileno(self) -> int:
        """Readable means: the supervisor is gone."""
        return self._socket.fileno()

    def ready(self) -> None:
        """This process answers from now on."""
        self._say({"ready": True})

    def failed(self, message: str) -> None:
        """This process cannot start, and trying again would not help."""
        self._say({"failure": message})

    def _say(self, word: dict[str, object]) -> None:
        try:
            self._socket.sendall(json.dumps(word).encode() + b"\n")
        except OSError:
            return  # the supervisor is gone: whoever watches `fileno` acts on it


class Held:
    """The supervisor's end."""

    def __init__(self, ours: socket.socket) -> None:
        self._socket = ours
        self._socket.setblocking(False)
        self._pending = b""
        self.open = True
        """Whether there may be more to hear; the process may outlive its end of the line."""

    def words(self) -> list[Word]:
        """What was said since; never waits."""
        self._pending += self._receive()
        *lines, self._pending = self._pending.split(b"\n")
        return [_word(line) for line in lines]

    def fileno(self) -> int:
        """For a selector."""
        return self._socket.fileno()

    def close(self) -> None:
        """Let go: the process takes it as the supervisor's end."""
        self._socket.close()

    def _receive(self) -> bytes:
        try:
            received = self._socket.recv(65_536)
        except BlockingIOError:
            return b""
        except ConnectionResetError:
            received = b""
        self.open = self.open and bool(received)
        return received


def pair() -> tuple[Held, socket.socket]:
    """A new line: the supervisor's end, and the end that the process inherits."""
    ours, theirs = socket.socketpair()
    return Held(ours), theirs


def _word(line: bytes) -> Word:
    said = json.loads(line)
    return Word(ready=bool(said.get("ready")), failure=str(said.get("failure", "")))
