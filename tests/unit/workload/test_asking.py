"""The children in which users' expressions are matched: kept, killed, replaced."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import threading

import pytest

from clary.telemetry.logfile import LogWriter
from clary.workload import asking
from clary.workload.asking import MOST_IDLE, Asking, TooSlow

LOSS = {"Name": "loss", "Regex": "loss=([0-9.]+)"}
SLOW = {"Name": "slow", "Regex": "(a+)+$"}


@pytest.fixture
def matching():
    made = Asking("clary.workload.metrics")
    yield made
    for child in made._idle:
        child.end()


@pytest.fixture
def log(tmp_path):
    writer = LogWriter(tmp_path / "log")
    writer.feed(b"loss=2.5\n" + b"a" * 60 + b"c\n", 1000)
    writer.close()
    return tmp_path / "log"


def ask(matching, log, definition=LOSS, seconds=20.0):
    return matching.ask({"log": str(log), "definitions": [definition]}, seconds)


def pids(matching):
    return [child._process.pid for child in matching._idle]


def test_a_child_answers_one_question_after_the_other(matching, log):
    first = ask(matching, log)
    assert [each["Value"] for each in first] == [2.5]
    before = pids(matching)
    assert ask(matching, log) == first
    assert pids(matching) == before
    assert 1 <= len(before) <= MOST_IDLE


def test_a_process_with_many_files_open_is_answered_too(matching, log):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    with contextlib.ExitStack() as kept:
        kept.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(1100):
            kept.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        assert ask(matching, log)[0]["Value"] == 2.5


def test_one_that_is_too_slow_is_killed_and_the_next_question_answered(matching, log):
    ask(matching, log)
    [slow] = pids(matching)
    with pytest.raises(TooSlow, match="no result within"):
        ask(matching, log, SLOW, 0.5)
    with pytest.raises(ProcessLookupError):
        os.kill(slow, 0)
    assert ask(matching, log)


def test_one_that_has_no_processor_for_longer_than_it_may_compute_is_waited_for(matching, log):
    first = ask(matching, log)
    [child] = pids(matching)
    os.kill(child, signal.SIGSTOP)
    threading.Timer(0.5, os.kill, (child, signal.SIGCONT)).start()
    assert ask(matching, log, seconds=0.2) == first
    assert pids(matching) == [child]


def test_one_that_does_not_compute_and_does_not_answer_is_killed(matching, log, monkeypatch):
    ask(matching, log)
    monkeypatch.setattr(asking, "IDLE_SECONDS", 0.1)
    os.kill(*pids(matching), signal.SIGSTOP)
    with pytest.raises(TooSlow, match="no result within"):
        ask(matching, log, seconds=0.1)


def test_one_that_has_ended_while_it_waited_is_replaced(matching, log):
    ask(matching, log)
    [child] = matching._idle
    child._process.send_signal(signal.SIGKILL)
    child._process.wait()
    assert ask(matching, log)
    assert matching._idle != [child]


def test_one_that_ends_without_a_result_is_no_hang(matching, log):
    with pytest.raises(TooSlow, match="without a result"):
        matching.ask({"log": str(log)}, 20.0)
