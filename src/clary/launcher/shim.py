"""The shim: one process per container, outside of it, that outlives the server.

It holds the log's pipe, the container's lock and sockets, obeys whoever connects to `sock`, and writes how it ended.
It has one thread for all of that (PID 1 dies with that thread); only relayed connections have threads of their own.
"""

# ruff: noqa: PTH110, PTH112, PTH118, PTH123
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, List, NoReturn, Optional, Union

from clary.compute import record
from clary.compute.launch import Launch
from clary.launcher import cgroup, confine, init, memory, messages, process, proxy, relay, syscalls
from clary.telemetry.logfile import LogWriter

Source = Union[int, socket.socket]

_LOG_PIECE = 262_144
_MEMORY_SECONDS = 0.25
_HOME_SECONDS = 5.0
_TERM_GRACE = 10.0  # when the machine itself tells the shim to end
_KILL_SECONDS = 2.0  # an unconfined container is asked to kill itself; after that PID 1 is killed
_CANNOT_BEGIN = 126


class Begin(BaseException):
    """Raised in the program's own process by a warm parent's `begin`: unwinds to where the program is run."""

    def __init__(self, launch: Launch) -> None:
        super().__init__()
        self.launch = launch


def run(folder: str, lock: int, listener: socket.socket, api_socket: str, begin: init.Begin) -> NoReturn:
    """The whole life of one container, in a process forked for it. Raises only Begin, in the program's own process."""
    try:
        _leave_the_launcher(folder, [lock, listener.fileno()])
        raw: Any = record.read(folder, record.LAUNCH)
        Shim(folder, raw, listener, api_socket).live(begin)
    except Begin:
        raise
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _leave_the_launcher(folder: str, kept: List[int]) -> None:
    os.setsid()
    os.umask(0o022)
    process.default_signals()
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    own_log = os.open(os.path.join(folder, record.SHIM_LOG), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.dup2(own_log, 2)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    process.keep_only(kept)
    syscalls.adopt_orphans()


class Shim:
    """One container seen from outside."""

    def __init__(self, folder: str, launch: Launch, listener: socket.socket, api_socket: str) -> None:
        self._folder = folder
        self._launch = launch
        self._api_socket = api_socket
        self._since = time.time()
        self._selector = selectors.DefaultSelector()
        self._watch(listener, self._accept)
        self._channel: socket.socket
        self._output = -1
        self._child = -1
        self._init: Optional[int] = None
        self._group = cgroup.Cgroup({})
        self._ready = False
        self._stopping = False
        self._asked_to_kill = False
        self._deadline: Optional[float] = None
        self._next_look = 0.0
        self._next_home = time.monotonic() + _HOME_SECONDS
        self._dialling: List[socket.socket] = []
        self._status: Optional[int] = None
        self._reason = ""
        self._out_of_memory = False
        self._over = False

    def live(self, begin: init.Begin) -> None:
        """From the handle to the exit record."""
        self._write_handle()
        self._log = LogWriter(Path(self._launch["log"]))
        try:
            self._start(begin)
        except OSError as error:
            self._reason, self._over = str(error), True
        signal.signal(signal.SIGTERM, lambda *_: self._stop(_TERM_GRACE))
        while not self._over:
            self._turn()
        self._finish()

    def _write_handle(self) -> None:
        handle = {
            "protocol": record.PROTOCOL,
            "id": self._launch["id"],
            "pid": os.getpid(),
            "start": _start_ticks(),
            "boot": _boot_id(),
            "since": self._since,
        }
        record.write(self._folder, record.HANDLE, handle, durable=False)

    # -- its beginning

    def _start(self, begin: init.Begin) -> None:
        self._group = cgroup.create(self._folder, self._launch)
        self._channel, theirs = messages.pair()
        self._output, writing = os.pipe()
        self._open_to_all(writing)
        self._child = os.fork()
        if self._child == 0:
            self._become_container(theirs, writing, begin)
        theirs.close()
        os.close(writing)
        self._group.add(self._child)  # takes the kernel some 8 ms, in which the child does its own work
        os.set_blocking(self._output, False)
        self._watch(self._channel, self._hear)
        self._watch(self._output, self._write_log)

    def _open_to_all(self, pipe: int) -> None:
        """User code opens /dev/stdout anew, as whichever inner user it has become."""
        os.fchmod(pipe, 0o666)
        if self._launch["identity"]["count"] > 1:
            os.fchown(pipe, self._launch["identity"]["base"], self._launch["identity"]["base"])

    def _become_container(self, channel: socket.socket, output: int, begin: init.Begin) -> NoReturn:
        try:
            process.keep_only([channel.fileno(), output])
            if self._launch["confined"]:
                confine.become_init(channel, self._launch)
            else:
                _become_subreaper(channel)
            init.run(channel, self._launch, output, begin)
        except Begin:
            raise
        except OSError as error:
            messages.send(channel, {"failed": str(error)})
        except BaseException as error:
            traceback.print_exc()
            messages.send(channel, {"failed": repr(error)})
        os._exit(_CANNOT_BEGIN)

    # -- its loop

    def _watch(self, source: Source, on_ready: Callable[[Any], None]) -> None:
        self._selector.register(source, selectors.EVENT_READ, on_ready)

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._patience()):
            if key.fileobj in self._selector.get_map():
                key.data(key.fileobj)
        now = time.monotonic()
        if self._deadline is not None and now >= self._deadline:
            self._kill()
        if self._watches_memory() and now >= self._next_look:
            self._look_at_memory(now)
        if now >= self._next_home:
            self._look_at_home(now)

    def _look_at_home(self, now: float) -> None:
        """A container whose folder was deleted is nobody's any more: it must not run for ever."""
        self._next_home = now + _HOME_SECONDS
        if not os.path.exists(os.path.join(self._folder, record.HANDLE)):
            self._kill()

    def _patience(self) -> float:
        times = [self._next_home] if self._deadline is None else [self._next_home, self._deadline]
        if self._watches_memory():
            times.append(self._next_look)
        return max(0.0, min(times) - time.monotonic())

    def _watches_memory(self) -> bool:
        return self._launch["limits"]["memory_bytes"] is not None and not self._group.holds_memory

    def _look_at_memory(self, now: float) -> None:
        self._next_look = now + _MEMORY_SECONDS
        limit = self._launch["limits"]["memory_bytes"]
        if limit is not None and self._init is not None and memory.roughly_above(self._init, limit):
            self._out_of_memory = True
            self._kill()

    def _write_log(self, output: int) -> None:
        try:
            data = os.read(output, _LOG_PIECE)
        except BlockingIOError:
            return
        if data:
            self._log.feed(data)
        else:
            self._selector.unregister(output)

    def _hear(self, channel: socket.socket) -> None:
        try:
            message, descriptors = messages.receive(channel)
        except EOFError:
            self._over = True
            return
        for name, answer in self._answers().items():
            if name in message:
                answer(message, descriptors)
                return
        messages.close_all(descriptors)

    def _answers(self) -> Dict[str, Callable[[messages.Message, List[int]], None]]:
        return {
            "waiting": self._let_go_on,
            "init": self._know_init,
            "ready": self._open_ways,
            "socket": self._hand_out,
            "failed": self._note_failure,
            "exit": self._note_exit,
        }

    def _let_go_on(self, message: messages.Message, _: List[int]) -> None:
        if self._launch["identity"]["count"] > 1:
            confine.write_range(self._child, self._launch["identity"])
        self._tell({"go": True})

    def _know_init(self, message: messages.Message, _: List[int]) -> None:
        self._init = message["init"]
        os.waitpid(self._child, 0)
        self._tell({"adopted": True})

    def _open_ways(self, message: messages.Message, descriptors: List[int]) -> None:
        self._init = self._child if self._init is None else self._init
        listeners = [socket.socket(fileno=descriptor) for descriptor in descriptors]
        if listeners:
            relay.Acceptor(listeners[0], relay.to_unix(self._api_socket))
            relay.Acceptor(listeners[1], proxy.proxy(os.environ))
        self._ready = True
        if self._stopping:
            self._tell({"signal": signal.SIGTERM})

    def _note_failure(self, message: messages.Message, _: List[int]) -> None:
        self._reason = message["failed"]

    def _note_exit(self, message: messages.Message, _: List[int]) -> None:
        self._status = message["exit"]

    def _tell(self, message: messages.Message) -> None:
        with contextlib.suppress(OSError):  # it has just ended: the loop will hear of it
            messages.send(self._channel, message)

    # -- those who ask

    def _accept(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.setblocking(False)
        self._watch(connection, self._obey)

    def _obey(self, connection: socket.socket) -> None:
        try:
            message, descriptors = messages.receive(connection)
            messages.close_all(descriptors)
            self._carry_out(connection, message)
        except (EOFError, OSError, ValueError, KeyError):
            self._forget(connection)

    def _carry_out(self, connection: socket.socket, message: messages.Message) -> None:
        if message["op"] == "dial":
            self._dial(connection)
        elif message["op"] == "stop":
            self._stop(float(message["grace"]))
        elif message["op"] == "kill":
            self._stopping = True
            self._kill()

    def _forget(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        connection.close()

    def _dial(self, connection: socket.socket) -> None:
        if self._launch["port"] is None or not self._ready:
            messages.send(connection, {"refused": True})
        elif self._launch["confined"]:
            self._dialling.append(connection)
            self._tell({"socket": True})
        else:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as fresh:
                messages.send(connection, {"port": self._launch["port"]}, [fresh.fileno()])

    def _hand_out(self, message: messages.Message, descriptors: List[int]) -> None:
        connection = self._dialling.pop(0)
        try:
            messages.send(connection, {"port": self._launch["port"]}, descriptors)
        except OSError:
            if connection.fileno() >= 0:
                self._forget(connection)
        finally:
            messages.close_all(descriptors)

    def _stop(self, grace: float) -> None:
        deadline = time.monotonic() + max(0.0, grace)
        self._deadline = deadline if self._deadline is None else min(self._deadline, deadline)
        if not self._stopping and self._ready:
            self._tell({"signal": signal.SIGTERM})
        self._stopping = True

    def _kill(self) -> None:
        """SIGKILL for everything inside: by PID 1's death, or, without namespaces, by PID 1's own hand."""
        if self._launch["confined"] or self._asked_to_kill:
            self._deadline = None
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child if self._init is None else self._init, signal.SIGKILL)
        else:
            self._asked_to_kill = True
            self._tell({"signal": signal.SIGKILL})
            self._deadline = time.monotonic() + _KILL_SECONDS

    # -- its end

    def _finish(self) -> None:
        self._reap()
        self._drain_log()
        self._log.close()
        self._out_of_memory = self._out_of_memory or self._group.killed_for_memory()
        self._group.remove()
        if os.path.isdir(self._folder):
            record.write(self._folder, record.EXIT, self._exit_record())

    def _reap(self) -> None:
        """Returns when nothing is left inside: the kernel lets PID 1 go only after all others."""
        with contextlib.suppress(ChildProcessError):
            if self._child > 0:
                os.waitpid(self._init or self._child, 0)

    def _drain_log(self) -> None:
        while self._output >= 0 and self._output in self._selector.get_map():
            try:
                data = os.read(self._output, _LOG_PIECE)
            except BlockingIOError:
                return
            if not data:
                return
            self._log.feed(data)

    def _exit_record(self) -> Dict[str, Any]:
        code, by = _shell_code(self._status, self._reason)
        return {
            "protocol": record.PROTOCOL,
            "code": code,
            "signal": by,
            "oom": self._out_of_memory,
            "reason": self._reason,
            "at": time.time(),
            "since": self._since,
        }


def _shell_code(status: Optional[int], reason: str) -> tuple[int, Optional[int]]:
    """Exit code and signal from a wait status; without one PID 1 was killed, or never came to begin."""
    if status is None:
        return (_CANNOT_BEGIN, None) if reason else (128 + signal.SIGKILL, int(signal.SIGKILL))
    if os.WIFSIGNALED(status):
        return 128 + os.WTERMSIG(status), os.WTERMSIG(status)
    return os.WEXITSTATUS(status), None


def _become_subreaper(channel: socket.socket) -> None:
    confine.prefer_for_oom()
    os.setsid()
    syscalls.adopt_orphans()
    syscalls.die_with_parent(signal.SIGKILL)
    confine.wait_for_shim(channel)


def _start_ticks() -> int:
    with open("/proc/self/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[19])


def _boot_id() -> str:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()
