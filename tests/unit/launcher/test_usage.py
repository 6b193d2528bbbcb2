"""What a sandbox holds is looked up page by page only where that may have changed."""

from __future__ import annotations

import os

import pytest

from clary.launcher import memory, usage

MIB = 2**20
LAUNCH = {"confined": False}


class Kernel:
    """What it says of the container's processes."""

    def __init__(self):
        self.pids, self.computed, self.resident, self.held, self.asked = [1], 0.0, 100 * MIB, 10 * MIB, 0

    def held_bytes(self, _pids, _proc):
        self.asked += 1
        return self.held


@pytest.fixture
def kernel(monkeypatch, tmp_path):
    made = Kernel()
    monkeypatch.setattr(memory, "held_bytes", made.held_bytes)
    monkeypatch.setattr(memory, "resident", lambda _pid, _proc: made.resident)
    monkeypatch.setattr(memory, "in_files", lambda _folders: 0)
    monkeypatch.setattr(usage, "cpu_seconds", lambda _pids, _proc: made.computed)
    (tmp_path / "proc" / "1").mkdir(parents=True)
    made.root = os.open(tmp_path, os.O_PATH)
    made.proc = tmp_path / "proc"
    yield made
    os.close(made.root)


def held(look, kernel):
    return look.told(1, [kernel.root])["memory_bytes"] / MIB


def test_of_an_idle_one_it_is_asked_once(kernel):
    look = usage.Look(LAUNCH, 0.0)
    assert held(look, kernel) == 10
    kernel.computed, kernel.resident = 0.3, 100 * MIB + MIB // 2
    assert held(look, kernel) == 10.5
    assert kernel.asked == 1


@pytest.mark.parametrize("change", [{"computed": 1.0}, {"resident": 150 * MIB}, {"resident": 50 * MIB}])
def test_of_one_that_has_done_something_it_is_asked_again(kernel, change):
    look = usage.Look(LAUNCH, 0.0)
    held(look, kernel)
    vars(kernel).update(change, held=60 * MIB)
    assert held(look, kernel) == 60
    assert kernel.asked == 2


def test_one_that_has_just_ended_is_said_to_have(kernel):
    (kernel.proc / "1").rmdir()
    with pytest.raises(ProcessLookupError):
        usage.Look(LAUNCH, 0.0).told(1, [kernel.root])


def test_ticks_of_a_process_that_has_gone_are_none(tmp_path):
    assert usage.cpu_seconds([1], str(tmp_path)) == 0
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "stat").write_text("2 (a ) b) S 1 2 2 0 -1 0 0 0 0 0 100 50 30 20 20 0 1 0\n")
    assert usage.cpu_seconds([1, 2], str(tmp_path)) == 200 / os.sysconf("SC_CLK_TCK")
