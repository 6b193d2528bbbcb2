"""What runs beside a container's program: companions, and people who are let in."""

from __future__ import annotations

import contextlib
import os
import pty
import threading

import pytest

from clary.compute import shims
from clary.compute.base import Container, Limits, Running
from tests.contract.compute.conftest import SECONDS, until


def _enter(machine, container_id: str, *argv: str) -> tuple[int, str]:
    """Exit code and output of one more program."""
    reading, writing = os.pipe()
    nowhere = os.open(os.devnull, os.O_RDONLY)
    try:
        code = machine.backend.enter(container_id, argv, (nowhere, writing, writing))
    finally:
        os.close(writing)
        os.close(nowhere)
    with os.fdopen(reading) as file:
        return code, file.read()


def test_companions_share_environment_mounts_and_log(sandbox):
    script = "echo $WORD from a companion; touch $PWD/there; exec sleep 600"
    container = Container(
        argv=("sh", "-c", "while [ ! -e $PWD/there ]; do sleep 0.01; done; echo the program"),
        env={"WORD": "hello"},
        log="",
        workdir="/opt/ml",
        companions=(("sh", "-c", script),),
    )
    sandbox.start("both", container)
    assert sandbox.end("both").code == 0
    assert sandbox.lines("both") == ["hello from a companion", "the program"]


def test_a_companion_that_fails_is_told_and_ends_nothing(sandbox):
    container = Container(
        argv=("sh", "-c", "sleep 600"),
        env={},
        log="",
        workdir="/opt/ml",
        companions=(("sh", "-c", "exit 7"), ("/no/such/feeder",), ("sh", "-c", "kill -9 $$"), ("true",)),
    )
    sandbox.start("failing", container)
    until(lambda: sum("Clary: " in line for line in sandbox.lines("failing")) == 3)
    sandbox.backend.stop("failing", 60)
    sandbox.end("failing")
    said = sandbox.output("failing")
    assert "Clary: sh ended with 7." in said
    assert "/no/such/feeder" in said
    assert "Clary: /no/such/feeder ended with 127." in said
    assert "Clary: sh was ended by signal 9." in said
    assert "true" not in said


def test_one_more_program_has_the_containers_eyes_and_rights(machine):
    machine.shell("host", "touch $PWD/mark; echo ready; sleep 600", workdir="/opt/ml", limits=Limits(open_files=321))
    machine.says("host", "ready")
    assert _enter(machine, "host", "sh", "-c", "exit 41")[0] == 41
    code, output = _enter(machine, "host", "sh", "-c", "ls $PWD/mark; ulimit -n; id -u; hostname")
    assert code == 0
    assert output.split()[1] == "321"
    code, output = _enter(machine, "host", "/no/such/program")
    assert (code, "/no/such/program" in output) == (127, True)


def test_words_too_long_to_be_passed_in_end_nobody(machine):
    machine.shell("host", "echo ready; sleep 600")
    machine.says("host", "ready")
    assert _enter(machine, "host", "true", "x" * 60_000)[0] == 0
    for size in range(65_400, 65_540, 7):
        with contextlib.suppress(FileNotFoundError):
            _enter(machine, "host", "true", "x" * size)
    assert isinstance(machine.backend.poll("host"), Running)


def test_where_no_process_can_begin_the_first_one_goes_on(machine):
    """A crowd of children leaves no place for one more: that is told, and ends nothing."""
    script = """
import contextlib, os, time
with contextlib.suppress(OSError):
    while os.fork():
        pass
    time.sleep(600)
print("full", flush=True)
time.sleep(600)
"""
    machine.start("crowd", Container(argv=("python3", "-c", script), env={}, log="", limits=Limits(processes=40)))
    machine.says("crowd", "full")
    assert _enter(machine, "crowd", "true")[0] in (0, 125, 126)  # 125 is an engine's word for it
    assert isinstance(machine.backend.poll("crowd"), Running)


def test_one_more_program_gains_no_right(confined):
    confined.shell("host", "grep -E 'Cap|NoNew|Seccomp:' /proc/self/status; echo ready; sleep 600")
    confined.says("host", "ready")
    seen = confined.lines("host")[:-1]
    _, output = _enter(confined, "host", "grep", "-E", "Cap|NoNew|Seccomp:", "/proc/self/status")
    assert output.splitlines() == seen
    _, output = _enter(confined, "host", "sh", "-c", "ls /proc | grep -c '^[0-9]*$'; ls /proc/self/fd | wc -l")
    assert int(output.split()[0]) <= 7
    assert int(output.split()[1]) == 4


def test_one_more_program_has_a_terminal(machine):
    machine.shell("host", "echo ready; sleep 600")
    machine.says("host", "ready")
    leader, follower = pty.openpty()
    script = "[ -t 0 ] && echo typed > /dev/tty && stty size && echo $TERM"
    code = machine.backend.enter("host", ("sh", "-c", script), (follower, follower, follower))
    os.close(follower)
    assert code == 0
    assert b"typed" in os.read(leader, 4096)
    os.close(leader)


def test_one_more_program_ends_with_the_container(machine):
    machine.shell("host", "echo ready; sleep 600", workdir="/opt/ml")
    machine.says("host", "ready")
    codes: list[int] = []
    script = "touch $PWD/here; exec sleep 600"
    inside = threading.Thread(target=lambda: codes.append(_enter(machine, "host", "sh", "-c", script)[0]))
    inside.start()
    until(lambda: _enter(machine, "host", "sh", "-c", "[ -e $PWD/here ]")[0] == 0)
    machine.backend.stop("host", 0)
    inside.join(SECONDS)
    assert codes == [137]
    machine.end("host")


def test_whoever_goes_takes_the_program_along(machine):
    machine.shell("host", "echo ready; sleep 600", workdir="/opt/ml")
    machine.says("host", "ready")
    script = "trap 'touch $PWD/gone; exit' HUP; touch $PWD/here; while :; do sleep 0.02; done"
    nowhere = os.open(os.devnull, os.O_RDWR)
    with shims.connect(machine.folder("host"), 60) as shim:
        shims.ask(shim, {"op": "enter", "argv": ["sh", "-c", script]}, (nowhere, nowhere, nowhere))
        until(lambda: _enter(machine, "host", "sh", "-c", "[ -e $PWD/here ]")[0] == 0)
    until(lambda: _enter(machine, "host", "sh", "-c", "[ -e $PWD/gone ]")[0] == 0)
    os.close(nowhere)


def test_nobody_enters_what_does_not_run(machine):
    with pytest.raises(FileNotFoundError):
        _enter(machine, "never", "true")
    machine.run("true")
    with pytest.raises(FileNotFoundError):
        _enter(machine, "run-0", "true")
