"""What every way to run a container must do: `compute.base.Backend`."""

from __future__ import annotations

import signal
import threading
import time
import uuid
from pathlib import Path

from clary.compute.base import Absent, Container, Exited, Limits, Mount, Running
from clary.compute.reach import SandboxReach


def test_a_program_that_ends_well(machine):
    state, output = machine.run("echo out; echo err >&2")
    assert state.code == 0
    assert state.signal is None
    assert not state.reason
    assert state.since <= state.at <= time.time()
    assert sorted(output.splitlines()) == ["err", "out"]


def test_exit_code_and_signal_are_told_as_a_shell_tells_them(machine):
    assert machine.run("exit 41")[0].code == 41
    script = "kill -SEGV $$"
    killed, _ = machine.run(f"sh -c '{script}'; exit $?" if machine.engine else script)  # the kernel spares a PID 1
    assert (killed.code, killed.signal) == (139, signal.SIGSEGV)


def test_a_program_that_does_not_exist_has_a_reason(machine):
    machine.start("none", Container(argv=("/no/such/program",), env={}, log=""))
    state = machine.end("none")
    assert isinstance(state, Exited)
    assert state.code == 127
    assert "/no/such/program" in state.reason


def test_a_mount_that_is_not_there_has_a_reason(machine):
    machine.backend.start("none", _mounting(machine, "/no/such/source"))
    state = machine.backend.poll("none")
    assert isinstance(state, Exited)
    assert "/no/such/source" in state.reason


def _mounting(machine, source):
    mount = Mount(source, "/opt/ml/model")
    return Container(argv=("true",), env={}, log=str(machine.settings.logs_dir / "x"), mounts=(mount,))


def test_starting_twice_is_starting_once(machine):
    for _ in range(3):
        machine.shell("once", "echo begun; exec sleep 600")
    machine.says("once", "begun")
    assert isinstance(machine.backend.poll("once"), Running)
    machine.backend.stop("once", 0)
    machine.end("once")
    machine.shell("once", "echo begun")
    assert machine.lines("once") == ["begun"]


def test_many_starters_of_one_container_start_it_once(machine):
    machine.backend.start("warm-up", Container(argv=("true",), env={}, log=str(machine.settings.logs_dir / "w")))
    threads = [threading.Thread(target=machine.shell, args=("once", "echo begun")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    machine.end("once")
    assert machine.lines("once") == ["begun"]


def test_unknown_and_removed_containers_are_absent(machine):
    assert machine.backend.poll("never") == Absent()
    machine.backend.stop("never", 1)
    machine.backend.remove("never")
    machine.run("true")
    [known] = machine.backend.list()
    machine.backend.remove(known)
    assert machine.backend.poll(known) == Absent()
    assert list(machine.backend.list()) == []


def test_stop_is_sigterm_first(machine):
    machine.shell("polite", "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done")
    machine.says("polite", "ready")
    machine.backend.stop("polite", 60)
    assert machine.end("polite").code == 3
    assert machine.lines("polite") == ["ready", "bye"]


def test_sigterm_ignored_is_sigkill_after_the_grace(machine):
    machine.shell("stubborn", "trap '' TERM; echo ready; while :; do sleep 0.05; done")
    machine.says("stubborn", "ready")
    begun = time.monotonic()
    machine.backend.stop("stubborn", 0.3)
    machine.backend.stop("stubborn", 60)  # a longer grace later does not lengthen it
    state = machine.end("stubborn")
    assert (state.code, state.signal) == (137, signal.SIGKILL)
    assert time.monotonic() - begun >= 0.3


def test_one_that_is_about_to_end_is_given_its_time_and_no_other(machine):
    reach = SandboxReach(machine.settings.containers_dir)
    for name, script in (("ends", "echo begun; sleep 0.5; exit 3"), ("stays", "echo begun; sleep 600")):
        machine.shell(name, script)
        machine.says(name, "begun")
    reach.kill("ends", 60)
    assert reach.ending("ends").code == 3
    reach.kill("stays", 0.1)
    assert reach.ending("stays").code == 128 + signal.SIGKILL


def test_a_stop_right_after_the_start_is_not_lost(machine):
    machine.shell("early", "sleep 600")
    machine.backend.stop("early", 0.2)
    assert machine.end("early").signal in (signal.SIGTERM, signal.SIGKILL)


def test_grandchildren_in_sessions_of_their_own_end_with_the_program(machine):
    sleep = _own_sleep()
    machine.run(f"(setsid sh -c 'setsid {sleep}' >/dev/null 2>&1 &) ; sleep 0.2")
    assert not _processes(sleep)


def test_remove_ends_what_runs(machine):
    sleep = _own_sleep()
    machine.shell("running", f"(setsid {sleep} &); trap '' TERM; echo ready; {sleep}")
    machine.says("running", "ready")
    machine.backend.remove("running")
    assert machine.backend.poll("running") == Absent()
    assert not _processes(sleep)
    assert machine.lines("running") == ["ready"]


def _own_sleep() -> str:
    """A command that no other test on this machine has: /proc shows theirs too."""
    return f"sleep 4711.{uuid.uuid4().int}"


def _processes(command: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip())
        except OSError:
            continue
    return [line for line in found if line == command]


def test_a_line_of_fifty_megabytes_arrives_whole(machine):
    machine.run("head -c 50000000 /dev/zero | tr '\\0' x; echo; echo after")
    lines = machine.lines("run-0")
    assert sum(len(line) for line in lines[:-1]) == 50_000_000
    assert lines[-1] == "after"


def test_big_output_loses_no_line(machine):
    state, _ = machine.run("seq 1 300000")
    assert state.code == 0
    assert machine.lines("run-0") == [str(n) for n in range(1, 300_001)]


def test_closing_standard_output_is_not_the_end(machine):
    state, output = machine.run("echo first; exec >&- 2>&-; sleep 0.2; exit 5")
    assert state.code == 5
    assert output == "first"


def test_standard_output_can_be_opened_anew(machine):
    state, output = machine.run("echo one; echo two > /dev/stdout; echo three > /dev/stderr; echo four")
    assert state.code == 0, state
    lines = output.splitlines()
    if machine.engine:  # which has a pipe for each of the two
        lines.sort(key=["one", "two", "three", "four"].index)
    assert lines == ["one", "two", "three", "four"]


def test_standard_input_is_empty(machine):
    assert machine.run("cat; echo end")[1] == "end"


def test_the_environment_is_the_containers_own(machine, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "x")
    machine.start("env", Container(argv=("env",), env={"SM_CHANNELS": '["train"]'}, log=""))
    machine.end("env")
    names = {line.split("=")[0] for line in machine.lines("env")}
    assert 'SM_CHANNELS=["train"]' in machine.lines("env")
    assert {"PATH", "HOME", "LANG"} <= names
    assert not names & {"SECRET_OF_THE_SERVER", "VIRTUAL_ENV", "PYTEST_CURRENT_TEST"}


def test_limit_of_file_size(machine):
    state, _ = machine.run("head -c 2000000 /dev/zero > $PWD/tmp/big || exit 9", limits=Limits(file_bytes=1_000_000))
    assert state.code == 9
