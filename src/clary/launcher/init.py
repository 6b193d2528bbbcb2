"""PID 1 of a container: begins the program and its companions, reaps what they leave behind, hands out sockets of its
network, lets people in, tells how it ended; and when PID 1 ends, the kernel ends everything else inside."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from typing import Callable, Dict, List

from clary.compute.launch import API_PORT, PROXY_PORT, Launch
from clary.launcher import execute, freezer, messages, process, syscalls

Begin = Callable[[Launch, int, socket.socket], None]
"""Becomes the program: `(launch, output descriptor, channel)`. Returns only by raising."""

_CANNOT_ENTER = 126 << 8
"""The wait status of a program that could not be begun."""

_BACKLOG = 4096
"""Connections that wait to be accepted, as many as Linux takes by default: one that finds no room tries again after
seconds only."""

_IN_MEMORY = ("/", "/dev/shm")  # noqa: S108  file systems of the container's own


def run(channel: socket.socket, launch: Launch, output: int, begin: Begin) -> None:
    """Never returns, except as the program's own process by what `begin` raises."""
    syscalls.set_dumpable(False)  # nor may one child trace another while that still holds the channel
    _show_memory(channel, launch)
    inside = _open_ways_out() if launch["confined"] and launch["api"] else []
    messages.send(channel, {"ready": True}, [sock.fileno() for sock in inside])
    for sock in inside:
        sock.close()
    wake = _wake_on_children()
    companions = {_begin_companion(launch, argv, output): argv[0] for argv in launch["companions"]}
    pid = os.fork()
    if pid == 0:
        process.default_signals()
        begin(launch, output, channel)
        os._exit(127)
    process.keep_only([channel.fileno(), *wake])
    _Attendant(channel, launch, pid, companions).attend(wake[0])


def _show_memory(channel: socket.socket, launch: Launch) -> None:
    """Files in memory are nobody's resident pages: who watches over memory asks the file systems."""
    if launch["confined"] and launch["limits"]["memory_bytes"] is not None:
        folders = [os.open(path, os.O_PATH | os.O_CLOEXEC) for path in _IN_MEMORY]
        messages.send(channel, {"memory": True}, folders)
        messages.close_all(folders)


def _open_ways_out() -> List[socket.socket]:
    """Listening sockets keep the network namespace they were made in: the shim accepts on them from outside."""
    return [_listen(API_PORT), _listen(PROXY_PORT)]


def _listen(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(_BACKLOG)
    return sock


def _wake_on_children() -> List[int]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return [reading, writing]


def _begin_companion(launch: Launch, argv: List[str], output: int) -> int:
    pid = os.fork()
    if pid == 0:
        nowhere = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        execute.beside(launch, argv, [nowhere, output, output], {})
    return pid


class _Attendant:
    """PID 1 at its work: `pid` is the program, whose end is the container's."""

    def __init__(self, channel: socket.socket, launch: Launch, pid: int, companions: Dict[int, str]) -> None:
        self._channel = channel
        self._launch = launch
        self._pid = pid
        self._companions = companions
        self._entered: Dict[int, int] = {}
        self._poll = select.poll()
        self._freezers: Dict[int, socket.socket] = {}

    def attend(self, wake: int) -> None:
        """Never returns."""
        self._poll.register(self._channel, select.POLLIN)
        self._poll.register(wake, select.POLLIN)
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor in self._freezers:
                    self._freeze(descriptor)
                elif descriptor == wake:
                    with contextlib.suppress(BlockingIOError):
                        os.read(wake, 4096)
                    self._reap()
                else:
                    self._obey()

    def _reap(self) -> None:
        while True:
            try:
                ended, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if ended == 0:
                return
            self._note(ended, status)

    def _note(self, ended: int, status: int) -> None:
        if ended == self._pid:
            self._leave(status)
        elif ended in self._companions:
            name = self._companions.pop(ended)
            if status:
                messages.send(self._channel, {"note": "Clary: {} {}.".format(name, _said(status))})
        elif ended in self._entered:
            messages.send(self._channel, {"left": self._entered.pop(ended), "status": status})

    def _leave(self, status: int) -> None:
        if not self._launch["confined"]:
            process.kill_descendants()
        try:
            messages.send(self._channel, {"exit": status})
        finally:
            os._exit(0)

    def _obey(self) -> None:
        try:
            message, descriptors = messages.receive(self._channel)
        except EOFError:
            if not self._launch["confined"]:
                process.kill_descendants()
            os._exit(1)
        if "signal" in message:
            os.kill(self._pid, message["signal"])  # not reaped yet: the number is still its own
        elif "socket" in message:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as fresh:
                messages.send(self._channel, {"socket": True}, [fresh.fileno()])
        elif "enter" in message:
            self._let_in(message, descriptors)
        elif "leave" in message:
            self._send_away(message["leave"])
        elif "freezer" in message:
            line = socket.socket(fileno=descriptors.pop())
            self._freezers[line.fileno()] = line
            self._poll.register(line, select.POLLIN)
        messages.close_all(descriptors)

    def _freeze(self, descriptor: int) -> None:
        if not freezer.obey(self._freezers[descriptor], freezer.to_all_others):
            self._poll.unregister(descriptor)
            self._freezers.pop(descriptor).close()

    def _let_in(self, message: messages.Message, streams: List[int]) -> None:
        try:
            pid = os.fork()
        except OSError:  # the program has left no room for one more
            messages.send(self._channel, {"left": message["enter"], "status": _CANNOT_ENTER})
            return
        if pid == 0:
            execute.beside(self._launch, message["argv"], streams, message["env"])
        self._entered[pid] = message["enter"]

    def _send_away(self, number: int) -> None:
        for pid, each in self._entered.items():
            if each == number:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGHUP)


def _said(status: int) -> str:
    if os.WIFSIGNALED(status):
        return "was ended by signal {}".format(os.WTERMSIG(status))
    return "ended with {}".format(os.WEXITSTATUS(status))
