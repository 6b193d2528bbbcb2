"""Bytes both ways, whatever the pace of the two ends."""

from __future__ import annotations

import hashlib
import os
import socket
import threading

import pytest

from clary.launcher import relay


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
    thread.join(10)
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
        thread.join(30)
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
