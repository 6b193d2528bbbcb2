"""PID 1 of a container: begins the program, reaps what it leaves behind, hands out sockets of its network, tells how it
ended; and when PID 1 ends, the kernel ends everything else inside."""

from __future__ import annotations

import os
import select
import signal
import socket
from typing import Callable, List

from clary.compute.launch import API_PORT, PROXY_PORT, Launch
from clary.launcher import messages, process, syscalls

Begin = Callable[[Launch, int, socket.socket], None]
"""Becomes the program: `(launch, output descriptor, channel)`. Returns only by raising."""


def run(channel: socket.socket, launch: Launch, output: int, begin: Begin) -> None:
    """Never returns, except as the program's own process by what `begin` raises."""
    inside = _open_ways_out() if launch["confined"] and launch["api"] else []
    messages.send(channel, {"ready": True}, [sock.fileno() for sock in inside])
    for sock in inside:
        sock.close()
    wake = _wake_on_children()
    pid = os.fork()
    if pid == 0:
        process.default_signals()
        begin(launch, output, channel)
        os._exit(127)
    syscalls.set_dumpable(False)
    process.keep_only([channel.fileno(), *wake])
    _attend(channel, wake[0], pid, confined=launch["confined"])


def _open_ways_out() -> List[socket.socket]:
    """Listening sockets keep the network namespace they were made in: the shim accepts on them from outside."""
    return [_listen(API_PORT), _listen(PROXY_PORT)]


def _listen(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(512)
    return sock


def _wake_on_children() -> List[int]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return [reading, writing]


def _attend(channel: socket.socket, wake: int, pid: int, confined: bool) -> None:
    poll = select.poll()
    poll.register(channel, select.POLLIN)
    poll.register(wake, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == wake:
                _drain(wake)
                _reap(channel, pid, confined)
            else:
                _obey(channel, pid, confined)


def _drain(wake: int) -> None:
    try:
        os.read(wake, 4096)
    except BlockingIOError:
        return


def _reap(channel: socket.socket, pid: int, confined: bool) -> None:
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if ended == 0:
            return
        if ended == pid:
            _leave(channel, status, confined)


def _leave(channel: socket.socket, status: int, confined: bool) -> None:
    if not confined:
        process.kill_descendants(os.getpid())
    try:
        messages.send(channel, {"exit": status})
    finally:
        os._exit(0)


def _obey(channel: socket.socket, pid: int, confined: bool) -> None:
    try:
        message, _ = messages.receive(channel)
    except EOFError:
        if not confined:
            process.kill_descendants(os.getpid())
        os._exit(1)
    if "signal" in message:
        os.kill(pid, message["signal"])  # not reaped yet: the number is still its own
    elif "socket" in message:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as fresh:
            messages.send(channel, {"socket": True}, [fresh.fileno()])
