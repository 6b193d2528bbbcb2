"""A start waits for a launcher that is slow, or being started; a backend that is closed waits no longer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from clary.compute import local
from clary.compute.sandbox import SandboxBackend
from clary.settings import Settings

START = {"op": "start", "id": "c1"}


@pytest.fixture
def settings(tmp_path) -> Settings:
    made = Settings(data_dir=tmp_path)
    made.containers_dir.mkdir(parents=True)
    return made


@pytest.fixture
def backend(settings) -> Iterator[SandboxBackend]:
    made = SandboxBackend(settings)
    yield made
    made.close()


@pytest.fixture
def launcher(settings) -> Iterator[socket.socket]:
    """Where a launcher listens."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(settings.run_dir / "launcher.sock"))
        listener.listen()
        yield listener


def test_a_launcher_that_does_not_answer_in_time_is_asked_again(backend, launcher, monkeypatch):
    monkeypatch.setattr(local, "_ANSWER_SECONDS", 0.05)
    asked: list[bytes] = []

    def answer_all_but_the_first() -> None:
        with suppress(OSError):
            unanswered, _ = launcher.accept()
            asked.append(unanswered.recv(1000))
            while True:
                connection, _ = launcher.accept()
                monkeypatch.setattr(local, "_ANSWER_SECONDS", 60.0)
                with connection, suppress(BrokenPipeError):
                    asked.append(connection.recv(1000))
                    connection.sendall(b"{}\n")

    answering = threading.Thread(target=answer_all_but_the_first)
    answering.start()
    backend._ask_launcher(START)
    launcher.shutdown(socket.SHUT_RDWR)
    answering.join(60)
    assert len(asked) > 1
    assert set(asked) == {b'{"op": "start", "id": "c1"}\n'}


def test_a_backend_that_is_closed_waits_for_no_launcher(backend):
    backend.close()
    with pytest.raises(FileNotFoundError):
        backend._ask_launcher(START)
