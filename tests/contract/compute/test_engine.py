"""What only containers of an engine have: keepers that may be killed, an engine that may be restarted, its limits."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clary.compute import record
from clary.compute.base import Absent, Container, Exited, Limits, Mount, Running
from clary.compute.docker_api import Engine
from clary.launcher import engine_networks, relay
from tests import engine as engines
from tests.contract.compute.conftest import until

pytestmark = pytest.mark.xdist_group("engine")

COUNT = 'i=0; while [ $i -lt 60 ]; do echo "line $i"; echo "error $i" >&2; i=$((i+1)); sleep 0.02; done'


def _kill_keeper(docker, container_id: str) -> None:
    os.kill(record.read(str(docker.folder(container_id)), record.HANDLE)["pid"], signal.SIGKILL)


def _name(docker, container_id: str) -> str:
    return engine_networks.name_of(str(docker.folder(container_id)))


def _lines(docker, container_id: str, word: str) -> list[str]:
    return [line for line in docker.lines(container_id) if line.startswith(word)]


def test_killed_keepers_lose_no_line_and_repeat_none(docker):
    docker.shell("written", COUNT)
    for number in (5, 20, 35):
        docker.says("written", f"line {number}")
        _kill_keeper(docker, "written")
        assert isinstance(docker.backend.poll("written"), Running)
    until(lambda: isinstance(docker.backend.poll("written"), Exited))
    assert _lines(docker, "written", "line") == [f"line {number}" for number in range(60)]
    assert _lines(docker, "written", "error") == [f"error {number}" for number in range(60)]


def test_what_it_printed_while_nobody_read_is_read_later(docker):
    docker.shell("alone", COUNT)
    docker.says("alone", "line 5")
    docker.launcher.kill()
    docker.launcher.wait()
    docker.backend.close()
    _kill_keeper(docker, "alone")
    name = _name(docker, "alone")
    until(lambda: not docker.engine.container(name)["State"]["Running"])
    docker.start_launcher()
    docker.backend = docker.new_backend()
    until(lambda: isinstance(docker.backend.poll("alone"), Exited))
    assert _lines(docker, "alone", "line") == [f"line {number}" for number in range(60)]


def test_the_grace_is_kept_by_the_next_keeper(docker):
    docker.shell("stubborn", "trap '' TERM; echo ready; while :; do sleep 0.05; done")
    docker.says("stubborn", "ready")
    begun = time.monotonic()
    docker.backend.stop("stubborn", 2)
    until((docker.folder("stubborn") / "stop.json").exists)
    _kill_keeper(docker, "stubborn")
    until(lambda: isinstance(docker.backend.poll("stubborn"), Exited))
    assert docker.backend.poll("stubborn").signal == signal.SIGKILL
    assert time.monotonic() - begun >= 2


def test_a_stop_without_a_keeper_reaches_the_container(docker):
    docker.shell("polite", "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done")
    docker.says("polite", "ready")
    docker.backend.close()
    _kill_keeper(docker, "polite")
    until(lambda: not record.is_locked(str(docker.folder("polite"))))
    docker.backend.stop("polite", 60)
    until(lambda: isinstance(docker.backend.poll("polite"), Exited))
    assert docker.backend.poll("polite").code == 3
    assert docker.lines("polite") == ["ready", "bye"]


def test_an_engine_restarted_is_asked_again(docker):
    if not engines.is_own(docker.engine):
        pytest.skip("only an engine of the tests' own is killed")
    docker.shell("through", COUNT)
    docker.says("through", "line 5")
    engines.stop_service(Path(docker.engine.path).parent)
    assert isinstance(docker.backend.poll("through"), Running)
    engines.start_service(Path(docker.engine.path).parent)
    assert docker.end("through").code == 0
    assert _lines(docker, "through", "line") == [f"line {number}" for number in range(60)]


def test_a_container_that_somebody_removed_has_an_end(docker):
    docker.shell("removed", "echo ready; exec sleep 600")
    docker.says("removed", "ready")
    docker.engine.remove(_name(docker, "removed"))
    state = docker.end("removed")
    assert isinstance(state, Exited)
    assert "lost the container" in state.reason or state.code == 137


def test_a_name_that_is_anothers_is_not_touched(docker):
    name = _name(docker, "taken")
    docker.engine.create(name, {"Image": docker.image, "Cmd": ["true"]})
    try:
        docker.shell("taken", "true")
        assert "another's" in docker.end("taken").reason
    finally:
        docker.engine.remove(name)


def test_nothing_is_left_in_the_engine(docker):
    docker.run("true")
    docker.shell("running", "sleep 600")
    docker.backend.remove("running")
    docker.start("isolated", Container(("sleep", "60"), {}, "", api=False, listens=8080))
    own = _name(docker, "isolated")
    until(lambda: docker.engine.network(own))
    docker.backend.remove("isolated")
    assert docker.backend.poll("isolated") == Absent()
    assert engines.containers(docker.engine, docker.settings.data_dir) == []
    assert docker.engine.network(own) is None


def test_memory_has_an_end(docker):
    """Whether it was the memory is the engine's word: Podman 4.3 overlooks it where the first process is ended."""
    script = "python3 -c 'b = bytearray(200_000_000)'"
    state, _ = docker.run(f"exec {script}", limits=Limits(memory_bytes=60_000_000))
    assert (state.code, state.signal) == (137, signal.SIGKILL)


def test_shared_memory_is_as_large_as_asked_for(docker):
    _, output = docker.run(
        "df -B1 /dev/shm | tail -1 | tr -s ' ' | cut -d' ' -f2", limits=Limits(shared_memory_bytes=2**20)
    )
    assert output == str(2**20)


def test_an_entry_point_takes_the_place_of_the_images_own(docker):
    docker.start("entered", Container(argv=("one", "two"), env={}, log="", entrypoint=("sh", "-c", "echo $0 $1")))
    docker.end("entered")
    assert docker.lines("entered") == ["one two"]


def test_files_that_it_wrote_are_removed(docker):
    source = docker.settings.data_dir / "out"
    source.mkdir(mode=0o777)
    mount = Mount(str(source), "/opt/ml/model", writable=True)
    docker.run("umask 077; mkdir -p /opt/ml/model/a/b; touch /opt/ml/model/a/b/c", mounts=(mount,))
    assert (source / "a" / "b" / "c").exists()
    [known] = docker.backend.list()
    docker.backend.remove(known)
    assert not docker.folder(known).exists()


@contextlib.contextmanager
def _api(docker) -> Iterator[None]:
    """A server at the API's socket that greets whoever connects."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(docker.settings.run_dir / "api.sock"))
        listener.listen()

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1000)
                    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello")

        threading.Thread(target=serve, daemon=True).start()
        yield
        listener.shutdown(socket.SHUT_RDWR)


FETCH = (
    "import os; from urllib.request import urlopen;"
    "print(urlopen(os.environ['API'], timeout=60).read().decode(), flush=True)"
)


def test_the_api_is_reached_by_its_own_container_and_nobody_else(docker):
    with _api(docker):
        script = f"{FETCH}; print(os.environ['API'], flush=True); import time; time.sleep(600)"
        docker.start("asking", Container(("python3", "-c", script), {"API": "http://127.0.0.1:4599"}, ""))
        until(lambda: len(docker.lines("asking")) == 2)
        greeting, url = docker.lines("asking")
        assert greeting == "hello"
        address, _, port = url.removeprefix("http://").partition(":")
        assert address == "169.254.170.2"
        with socket.create_connection((address, int(port)), 5) as stranger:
            stranger.sendall(b"GET / HTTP/1.0\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                assert stranger.recv(100) == b""
        state, output = docker.run(f'python3 -c "{FETCH}"', api=False)
        assert state.code != 0, output


@contextlib.contextmanager
def _slow_engine(docker) -> Iterator[str]:
    """Whose first answer after a start takes three seconds, as on a machine that has much else to do: its socket."""
    path, serve = str(docker.settings.data_dir / "slow.sock"), relay.to_unix(docker.engine.path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        requests: list[bytes] = []

        def late(connection: socket.socket) -> None:
            requests.append(connection.recv(1000, socket.MSG_PEEK))
            if len(requests) > 1 and b"/start " in requests[-2]:
                time.sleep(3)
            serve(connection)

        relay.Acceptor(listener, late)
        yield path
        docker.close()
        listener.shutdown(socket.SHUT_RDWR)


def test_who_asks_the_api_before_the_engine_has_said_who_it_is_waits(docker):
    with _api(docker), _slow_engine(docker) as path:
        docker.backend.close()
        docker.engine = Engine(path)
        docker.backend = docker.new_backend()
        docker.start("asking", Container(("python3", "-c", FETCH), {"API": "http://127.0.0.1:4599"}, ""))
        assert docker.end("asking").code == 0, docker.output("asking")
        assert docker.lines("asking") == ["hello"]
