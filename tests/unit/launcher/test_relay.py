"""Bytes both ways, whatever the pace of the two ends."""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import socket
import threading
from collections.abc import Callable

import pytest

from clary.launcher import relay
from tests.running import wait_until


@pytest.fixture
def ends():
    """Two ends, with a relay between them in a thread."""
    near, near_inner = socket.socketpair()
    far, far_inner = socket.socketpair()
    failures: list[Exception] = []

    def run() -> None:
        try:
            relay.carry(near_inner, far_inner)
        except OSError as error:
            failures.append(error)
        near_inner.close()
        far_inner.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield near, far
    near.close()
    far.close()
    thread.join(60)
    assert not thread.is_alive()


def test_much_data_in_both_directions_at_once(ends):
    near, far = ends
    data = os.urandom(8_000_000)
    digests = {}

    def read(name: str, sock: socket.socket) -> None:
        digest = hashlib.sha256()
        while piece := sock.recv(65536):
            digest.update(piece)
        digests[name] = digest.hexdigest()

    def write(sock: socket.socket) -> None:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)

    work = [(read, ("near", near)), (read, ("far", far)), (write, (near,)), (write, (far,))]
    threads = [threading.Thread(target=target, args=args) for target, args in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert digests == dict.fromkeys(("near", "far"), hashlib.sha256(data).hexdigest())


def test_a_half_closed_connection_still_answers(ends):
    near, far = ends
    near.sendall(b"question")
    near.shutdown(socket.SHUT_WR)
    assert far.recv(100) == b"question"
    assert far.recv(100) == b""
    far.sendall(b"answer")
    far.close()
    assert near.recv(100) == b"answer"
    assert near.recv(100) == b""


def test_an_end_that_goes_ends_the_other(ends):
    near, far = ends
    far.close()
    near.sendall(b"x")
    assert near.recv(100) == b""


class Hesitant:
    """An end whose last word has no room at first."""

    def __init__(self, below: socket.socket) -> None:
        self._below = below
        self.asked = 0

    def shutdown(self, how: int) -> None:
        self.asked += 1
        if self.asked < 3:
            raise BlockingIOError
        self._below.shutdown(how)

    def __getattr__(self, name: str) -> object:
        return getattr(self._below, name)


def test_a_last_word_that_has_no_room_is_said_later():
    near, near_inner = socket.socketpair()
    far, far_inner = socket.socketpair()
    with near, near_inner, far, far_inner:
        far.sendall(b"all")
        far.shutdown(socket.SHUT_WR)
        near.shutdown(socket.SHUT_WR)
        end = Hesitant(near_inner)
        relay.carry(end, far_inner)
        assert end.asked == 3
        assert near.recv(100) == b"all"
        assert near.recv(100) == b""


@pytest.fixture
def through():
    """A connection served by the Unix socket at a path."""
    opened: list[socket.socket] = []

    def connect(path: str) -> socket.socket:
        near, inner = socket.socketpair()
        opened.append(near)

        def run() -> None:
            with inner, contextlib.suppress(OSError):
                relay.to_unix(path)(inner)

        threading.Thread(target=run, daemon=True).start()
        near.settimeout(60)
        return near

    yield connect
    for each in opened:
        each.close()


@pytest.mark.parametrize("left", ["no socket", "the socket of one that was killed"])
def test_a_server_that_is_started_anew_is_waited_for(left, through, tmp_path):
    path = str(tmp_path / "api")
    if left != "no socket":
        with socket.socket(socket.AF_UNIX) as killed:
            killed.bind(path)
    near = through(path)
    near.sendall(b"asked while nobody listened")
    (tmp_path / "api").unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        server.settimeout(60)
        with server.accept()[0] as connection:
            connection.settimeout(60)
            assert connection.recv(100) == b"asked while nobody listened"
            connection.sendall(b"answer")
            assert near.recv(100) == b"answer"


def test_a_server_that_stays_away_is_a_broken_connection(through, tmp_path, monkeypatch):
    monkeypatch.setattr(relay, "_AWAY_SECONDS", 0.1)
    assert through(str(tmp_path / "api")).recv(100) == b""


class Loop:
    """A loop's list of what it watches."""

    def __init__(self) -> None:
        self.watched: dict[socket.socket, Callable[[socket.socket], None]] = {}

    def watch(self, source: socket.socket, on_ready: Callable[[socket.socket], None]) -> None:
        self.watched[source] = on_ready

    def unwatch(self, source: socket.socket) -> None:
        del self.watched[source]


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def _come(listener: socket.socket, loop: Loop) -> socket.socket:
    client = socket.create_connection(listener.getsockname(), 60)
    select.select([listener], [], [], 60)
    loop.watched[listener](listener)
    return client


def test_a_door_is_shut_while_all_places_are_taken_and_opens_when_one_leaves(listener, monkeypatch):
    monkeypatch.setattr(relay, "_PARALLEL", 2)
    loop = Loop()
    relay.Door(listener, lambda connection: connection.sendall(connection.recv(1)), loop)
    first = _come(listener, loop)
    assert listener in loop.watched
    with _come(listener, loop) as second:
        assert listener not in loop.watched
        first.sendall(b"x")
        assert first.recv(1) == b"x"
        first.close()
        wait_until(lambda: listener in loop.watched, 60, "the door is open")
        second.sendall(b"y")
        assert second.recv(1) == b"y"


def test_a_door_waits_for_nobody_who_has_gone_again(listener):
    loop = Loop()
    relay.Door(listener, lambda _connection: None, loop)
    loop.watched[listener](listener)
    assert listener in loop.watched


def test_a_door_turns_away_whom_no_thread_can_be_started_for(listener, monkeypatch):
    def full(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    loop = Loop()
    relay.Door(listener, lambda _connection: None, loop)
    monkeypatch.setattr(threading.Thread, "start", full)
    with _come(listener, loop) as client:
        assert client.recv(1) == b""
    assert listener in loop.watched
