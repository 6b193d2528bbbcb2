"""How long who dials waits for a shim that says nothing, or says it late."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from clary.compute import dial as dialling
from clary.compute import record, shims
from clary.compute.dial import PATIENCE, SandboxDial


@pytest.fixture
def shim(tmp_path) -> Iterator[socket.socket]:
    """Where the shim of the container `c` listens, which does what the test does."""
    (tmp_path / "c").mkdir()
    directory = os.open(tmp_path / "c", os.O_RDONLY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(f"/proc/self/fd/{directory}/{record.SOCKET}")
        listener.listen()
        yield listener
    os.close(directory)


def test_a_shim_that_says_nothing_is_not_ready(tmp_path, shim):
    with pytest.raises(ConnectionRefusedError, match="c is not ready"):
        SandboxDial(tmp_path, 0.01)("c")


def test_a_shim_that_is_slow_is_waited_for(tmp_path, shim, monkeypatch):
    """For longer than the second in which control looks whether it is there."""
    given: list[float] = []
    connect = shims.connect
    monkeypatch.setattr(dialling.shims, "connect", lambda folder, seconds: given.append(seconds) or connect(folder, 60))
    with ThreadPoolExecutor(1) as threads:
        dialled = threads.submit(SandboxDial(tmp_path), "c")
        asking, _ = shim.accept()
        with asking:
            assert asking.recv(1000) == b'{"op": "dial"}'
            assert not dialled.done()
            mine, theirs = socket.socketpair()
            with theirs:
                socket.send_fds(asking, [b'{"connected": true}'], [theirs.fileno()])
            with mine, dialled.result(60) as got:
                got.setblocking(True)
                got.sendall(b"x")
                assert mine.recv(1) == b"x"
    assert given == [PATIENCE]
    assert PATIENCE > 1.0
