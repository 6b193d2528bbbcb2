"""What a container uses, told by the process beside it: `compute.base.Backend.usage`."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading

import pytest

from clary.compute import record, shims
from clary.compute.base import Container, Limits, Mount, Running, Usage
from tests.contract.compute.conftest import SECONDS, until

MIB = 2**20
MEMORY = Limits(memory_bytes=1024 * MIB)
WAIT = "while :; do sleep 0.05; done"


def _shell(machine, name, script):
    """With a limit of memory, as all containers of jobs and endpoints have one."""
    machine.shell(name, script, limits=MEMORY)
    return name


def _usage(machine, name) -> Usage:
    found = machine.backend.usage(name)
    assert found is not None
    return found


def test_one_that_burns_a_core_uses_as_many_seconds_of_it_as_it_is_given(machine):
    name = _shell(machine, "burns", "echo begun; while :; do :; done")
    machine.says(name, "begun")
    first = _usage(machine, name)
    until(lambda: _usage(machine, name).cpu_seconds > first.cpu_seconds + 0.2)
    last = _usage(machine, name)
    assert last.cpu_seconds - first.cpu_seconds < 1.5 * (last.seconds - first.seconds)


def test_one_that_sleeps_uses_none(machine):
    name = _shell(machine, "sleeps", "echo begun; exec sleep 600")
    machine.says(name, "begun")
    first = _usage(machine, name)
    until(lambda: _usage(machine, name).seconds > first.seconds + 0.5)
    assert _usage(machine, name).cpu_seconds - first.cpu_seconds < 0.1


def test_processes_that_have_ended_count(machine):
    burner = "i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done"
    name = _shell(machine, "ended", f"sh -c '{burner}'; echo over; exec sleep 600")
    machine.says(name, "over")
    assert _usage(machine, name).cpu_seconds > 0.1


def test_memory_that_it_holds_and_no_other(machine):
    hold = "(head -c 209715200 /dev/zero; echo held >&2; exec sleep 600) | tail -c 209715200"
    for name, script in (("holds", hold), ("none", f"echo held; {WAIT}")):
        _shell(machine, name, script)
        machine.says(name, "held")
    until(lambda: 199 * MIB < _usage(machine, "holds").memory_bytes < 300 * MIB)
    assert _usage(machine, "none").memory_bytes < 20 * MIB


def test_files_on_the_disk_are_counted_and_are_not_memory(machine, tmp_path):
    mount = Mount(str(tmp_path), "/opt/ml/output", writable=True)
    script = "head -c 20000000 /dev/zero > $PWD/file; echo written; exec sleep 600"
    what = Container(("sh", "-c", script), {}, "", mounts=(mount,), workdir="/opt/ml/output", limits=MEMORY)
    machine.start("writes", what)
    machine.says("writes", "written")
    if machine.settings.unconfined:
        assert _usage(machine, "writes").disk_bytes is None
    else:
        until(lambda: 20_000_000 <= _usage(machine, "writes").disk_bytes < 30_000_000)
    assert _usage(machine, "writes").memory_bytes < 20 * MIB


def test_files_in_shared_memory_are_memory(confined):
    _shell(confined, "shm", "head -c 50000000 /dev/zero > /dev/shm/file; echo written; exec sleep 600")
    confined.says("shm", "written")
    assert 50_000_000 <= _usage(confined, "shm").memory_bytes < 80_000_000


def test_without_a_limit_of_memory_it_is_told_too(sandbox):
    sandbox.shell("free", f"echo begun; {WAIT}")
    sandbox.says("free", "begun")
    assert 0 < _usage(sandbox, "free").memory_bytes < 20 * MIB


def test_one_that_has_ended_and_one_that_never_was_use_nothing(machine):
    machine.run("true")
    [ended] = machine.backend.list()
    assert machine.backend.usage(ended) is None
    assert machine.backend.usage("never") is None
    machine.backend.remove(ended)
    assert machine.backend.usage(ended) is None


def test_whose_shim_was_killed_uses_nothing(sandbox):
    sandbox.says(sandbox.shell("lost", "echo ready; exec sleep 600"), "ready")
    os.kill(record.read(str(sandbox.folder("lost")), record.HANDLE)["pid"], signal.SIGKILL)
    sandbox.end("lost")
    assert sandbox.backend.usage("lost") is None


def test_a_request_that_it_does_not_know_is_hung_up_on_and_it_runs_on(machine):
    name = _shell(machine, "old", f"echo begun; {WAIT}")
    machine.says(name, "begun")
    with shims.connect(machine.folder(name), SECONDS) as shim:
        shims.ask(shim, {"op": "from-the-future"})
        with pytest.raises(FileNotFoundError):
            shims.answer(shim)
    assert isinstance(machine.backend.poll(name), Running)
    assert _usage(machine, name).seconds > 0


def test_a_shim_of_before_an_upgrade_that_hangs_up_has_no_usage(confined):
    folder = confined.folder("old")
    folder.mkdir()
    directory = os.open(folder, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(f"/proc/self/fd/{directory}/{record.SOCKET}")
        listener.listen()
        asked = []

        def hang_up():
            connection, _ = listener.accept()
            asked.append(json.loads(connection.recv(1000)))
            connection.close()

        shim = threading.Thread(target=hang_up)
        shim.start()
        assert confined.backend.usage("old") is None
        shim.join()
    os.close(directory)
    assert asked == [{"op": "usage"}]
