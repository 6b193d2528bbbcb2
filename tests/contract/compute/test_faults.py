"""kill -9 at every process: what lives on, what is told of what does not."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import threading
from pathlib import Path

import pytest

from clary.compute import record, shims
from clary.compute.base import Absent, Container, Exited, Lost, Running
from clary.errors import ClaryError
from tests.contract.compute.conftest import until


def _pid_of_shim(machine, container_id) -> int:
    return record.read(str(machine.folder(container_id)), record.HANDLE)["pid"]


def test_containers_outlive_launcher_and_backend(machine):
    machine.shell("alive", "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done")
    machine.says("alive", "ready")
    machine.launcher.kill()
    machine.launcher.wait()
    machine.backend.close()
    machine.backend = machine.new_backend()
    assert isinstance(machine.backend.poll("alive"), Running)
    machine.start_launcher()
    assert machine.run("echo another")[1] == "another"
    machine.backend.stop("alive", 60)
    assert machine.end("alive").code == 7
    assert machine.lines("alive") == ["ready", "bye"]


def test_a_start_waits_for_the_launcher_to_be_back(machine):
    assert machine.run("echo one")[1] == "one"
    machine.launcher.kill()
    machine.launcher.wait()
    back = threading.Timer(0.3, machine.start_launcher)
    back.start()
    assert machine.run("echo two")[1] == "two"


def test_shim_killed_takes_its_container_along_and_is_lost(confined):
    seconds = _own_seconds()
    confined.shell("lost", f"echo $$ ready; (setsid sleep {seconds} &); sleep {seconds}")
    until(lambda: any("ready" in line for line in confined.lines("lost")))
    os.kill(_pid_of_shim(confined, "lost"), signal.SIGKILL)
    assert confined.end("lost") == Lost()
    until(lambda: not [pid for pid in _all_pids() if f"sleep\0{seconds}".encode() in _command(pid)])
    confined.shell("lost", "echo again")  # it was started before: it is not started again
    assert confined.backend.poll("lost") == Lost()


def _all_pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _own_seconds() -> int:
    """Other tests' programs, which /proc shows too, sleep differently long."""
    return 4000 + secrets.randbelow(10**9)


def _asleep(machine, container_id: str) -> int:
    """Start a container that sleeps; its program's pid as the host sees it."""
    seconds = _own_seconds()
    command = f"sleep\0{seconds}\0".encode()
    machine.shell(container_id, f"exec sleep {seconds}")
    found: list[int] = []
    until(lambda: found.extend(pid for pid in _all_pids() if _command(pid) == command) or found)
    [pid] = found
    return pid


def test_a_start_that_was_never_heard_is_absent_and_can_be_done_again(machine):
    folder = machine.folder("unheard")
    folder.mkdir()
    record.write(str(folder), record.LAUNCH, {"half": "written"})
    os.close(record.take_lock(str(folder)))  # a launcher that was killed right after it had taken the lock
    assert machine.backend.poll("unheard") == Absent()
    machine.shell("unheard", "echo heard")
    assert isinstance(machine.end("unheard"), Exited)
    assert machine.lines("unheard") == ["heard"]


def test_the_program_killed_from_outside_is_told(machine):
    pid = _asleep(machine, "victim")
    os.kill(pid, signal.SIGKILL)
    state = machine.end("victim")
    assert (state.code, state.signal) == (137, signal.SIGKILL)


def test_strangers_at_the_sockets_do_no_harm(machine):
    machine.shell("calm", "echo ready; sleep 600")
    machine.says("calm", "ready")
    for junk in (b"", b"{", b"[]", b'{"op": 1}', b'{"op": "stop"}', b"[" * 60_000, b"x" * 60_000):
        with shims.connect(machine.folder("calm"), 60) as sock:
            sock.send(junk)
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(machine.settings.run_dir / "launcher.sock"))
            sock.sendall(junk + b"\n")
            assert len(junk) == 60_000 or b"error" in sock.recv(1000)
    assert isinstance(machine.backend.poll("calm"), Running)
    assert machine.run("echo still here")[1] == "still here"


def test_an_id_that_climbs_is_refused(machine):
    with pytest.raises(ClaryError):
        machine.backend._ask_launcher({"op": "start", "id": "../x"})


def test_a_shim_that_is_told_to_end_stops_its_container(machine):
    machine.start(
        "ending",
        Container(argv=("sh", "-c", "trap 'exit 4' TERM; echo ready; while :; do sleep 0.05; done"), env={}, log=""),
    )
    machine.says("ending", "ready")
    os.kill(_pid_of_shim(machine, "ending"), signal.SIGTERM)
    assert machine.end("ending").code == 4


def test_a_container_whose_folder_was_deleted_ends(machine):
    pid = _asleep(machine, "homeless")
    folder = machine.folder("homeless")
    until(lambda: shutil.rmtree(folder, ignore_errors=True) or not folder.exists())  # its keeper may be writing there
    until(lambda: not _command(pid))


def test_a_parent_that_goes_slowly_takes_no_container_with_it(confined):
    """The process that makes the namespaces goes before PID 1 asks to die with its parent: one start in sixty died."""
    for number in range(100):
        confined.shell(f"brief-{number}", "true")
        assert confined.end(f"brief-{number}").code == 0
        confined.backend.remove(f"brief-{number}")
