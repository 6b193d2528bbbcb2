"""One more program in an engine's container: its streams carried between the engine and whoever has entered."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from typing import Callable, Dict, List, Sequence

from clary.compute.docker_api import Engine, EngineError

_PIECE = 65_536
_HEAD = 8
_CANNOT_RUN = 126
_NOT_THERE = 127
_PAUSE = 0.2


class Visit:
    """A program that somebody runs inside; `on_end(code)` is called from a thread of its own."""

    def __init__(self, engine: Engine, name: str, streams: Sequence[int], on_end: Callable[[int], None]) -> None:
        self._engine = engine
        self._name = name
        self._streams: List[int] = [os.dup(stream) for stream in streams]
        self._on_end = on_end
        self._number = ""
        self._ended = threading.Event()

    def begin(self, argv: Sequence[str], env: Dict[str, str]) -> None:
        """Run it."""
        threading.Thread(target=self._run, args=(list(argv), env), daemon=True).start()

    def leave(self) -> None:
        """Nobody waits for it any more: it is told, as when its terminal goes, as far as this user may tell it; where
        the engine has not begun it yet, when it has. Returns at once."""
        threading.Thread(target=self._hang_up, daemon=True).start()

    def _hang_up(self) -> None:
        while not self._ended.is_set():
            pid = 0
            with contextlib.suppress(OSError, EngineError):
                pid = self._pid()
            if pid > 0:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGHUP)
                return
            self._ended.wait(_PAUSE)

    def _pid(self) -> int:
        """0 where it does not run."""
        found = self._engine.exec_state(self._number) if self._number else {}
        return int(found.get("Pid") or 0) if found.get("Running") else 0

    def _run(self, argv: List[str], env: Dict[str, str]) -> None:
        code = _CANNOT_RUN
        try:
            code = self._carry(argv, env)
        except EngineError as refused:
            code = self._code(str(refused))
        except OSError:
            code = 128 + signal.SIGKILL
        finally:
            self._ended.set()
            for stream in self._streams:
                os.close(stream)
            self._on_end(code)

    def _code(self, refused: str) -> int:
        with contextlib.suppress(OSError, EngineError):
            found = self._engine.container(self._name)
            if found is None or not found["State"]["Running"]:
                return 128 + signal.SIGKILL
        return _NOT_THERE if "not found" in refused or "no such file" in refused else _CANNOT_RUN

    def _carry(self, argv: List[str], env: Dict[str, str]) -> int:
        terminal = os.isatty(self._streams[0])
        wanted = {"Cmd": argv, "Tty": terminal, "Env": [f"{name}={value}" for name, value in env.items()]}
        attached = dict.fromkeys(("AttachStdin", "AttachStdout", "AttachStderr"), True)
        self._number = self._engine.exec_create(self._name, {**wanted, **attached})
        sock, first = self._engine.exec_start(self._number, terminal)
        with sock:
            threading.Thread(target=self._send, args=(sock, os.dup(self._streams[0])), daemon=True).start()
            (self._plain if terminal else self._pieces)(sock, first)
        return int(self._engine.exec_state(self._number)["ExitCode"])

    @staticmethod
    def _send(sock: socket.socket, stream: int) -> None:
        with contextlib.suppress(OSError):
            while True:
                data = os.read(stream, _PIECE)
                if not data:
                    break
                sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        os.close(stream)

    def _plain(self, sock: socket.socket, data: bytes) -> None:
        while True:
            _write(self._streams[1], data)
            data = sock.recv(_PIECE)
            if not data:
                return

    def _pieces(self, sock: socket.socket, held: bytes) -> None:
        while True:
            while len(held) >= _HEAD and len(held) >= _HEAD + int.from_bytes(held[4:_HEAD], "big"):
                end = _HEAD + int.from_bytes(held[4:_HEAD], "big")
                _write(self._streams[2 if held[0] == 2 else 1], held[_HEAD:end])
                held = held[end:]
            data = sock.recv(_PIECE)
            if not data:
                return
            held += data


def _write(stream: int, data: bytes) -> None:
    while data:
        data = data[os.write(stream, data) :]
