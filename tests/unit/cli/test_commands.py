"""The command line, without a running Clary."""

import importlib
import json
import os
import subprocess

import pytest
from typer.testing import CliRunner

from clary.cli import options
from clary.cli.down import down
from clary.cli.logs import Source, Tail
from clary.cli.main import COMMANDS, program
from clary.errors import ClaryError
from clary.settings import Capacity, Settings
from clary.supervisor import lock
from clary.supervisor.voice import banner

RUNNER = CliRunner()


def said(*arguments: str) -> str:
    result = RUNNER.invoke(program(arguments), list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


GROUPS = {"hooks": ("add", "list", "show", "run", "rm"), "images": ("build", "push", "setup", "add", "list", "rm")}


@pytest.mark.parametrize(
    "words", [(name, *sub) for name in COMMANDS for sub in [(each,) for each in GROUPS.get(name, ())] or [()]]
)
def test_every_command_shows_an_example_and_takes_a_data_folder(words):
    shown = said(*words, "--help")
    assert "Example" in shown
    assert f"clary {' '.join(words)}" in shown
    assert "--data-dir" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_a_function_of_its_own_file(name):
    assert callable(getattr(importlib.import_module(f"clary.cli.{name}"), name))


def test_without_arguments_all_commands_are_shown():
    shown = RUNNER.invoke(program([]), []).output
    assert all(name in shown for name in COMMANDS)


def test_coverage_of_one_service_tells_what_is_not_offered():
    assert "not offered" in said("coverage", "sqs")
    found = json.loads(said("coverage", "sqs", "--json"))
    assert found["sqs"]["SendMessage"] == "executes"
    assert found["sqs"]["StartMessageMoveTask"] == "not offered"


def test_a_service_that_does_not_exist_is_said():
    with pytest.raises(ClaryError, match="no service 'sss'"):
        RUNNER.invoke(program(["coverage"]), ["coverage", "sss"], catch_exceptions=False)


def test_known_settings_are_those_of_the_clary_that_ran_last(tmp_path):
    settings = Settings(data_dir=tmp_path, port=1234, account_id="111122223333")
    assert options.known_settings(tmp_path) == Settings(data_dir=tmp_path)
    settings.run_dir.mkdir()
    lock.write_handle(settings, lock.Handle(pid=1, version="0", started=0.0, settings=settings))
    assert options.known_settings(tmp_path) == settings


def test_a_handle_without_its_lock_is_of_a_clary_that_was_killed(tmp_path):
    settings = Settings(data_dir=tmp_path)
    settings.run_dir.mkdir()
    mine = lock.Handle(pid=os.getpid(), version="0", started=0.0, settings=settings)
    lock.write_handle(settings, mine)
    with pytest.raises(ClaryError, match="No Clary runs"):
        options.required(tmp_path)
    descriptor = lock.take(settings)
    assert options.required(tmp_path) == mine
    os.close(descriptor)


@pytest.mark.parametrize(
    "said", [None, "", "1: FLOCK ADVISORY WRITE 0 fe:00:{inode} 0 EOF\n", "1: POSIX ADVISORY READ 7\n"]
)
def test_where_the_kernel_does_not_say_who_has_the_lock_the_handle_counts(tmp_path, monkeypatch, said):
    """Of a Clary in another PID namespace, or without /proc/locks."""
    settings = Settings(data_dir=tmp_path)
    settings.run_dir.mkdir()
    handle = lock.Handle(pid=1, version="0", started=0.0, settings=settings)
    lock.write_handle(settings, handle)
    descriptor = lock.take(settings)
    if said is not None:
        (tmp_path / "locks").write_text(said.format(inode=(tmp_path / "lock").stat().st_ino))
    monkeypatch.setattr(lock, "_LOCKS", tmp_path / "locks")
    assert options.required(tmp_path) == handle
    os.close(descriptor)


def test_whoever_has_a_killed_clarys_process_id_by_now_is_not_ended(tmp_path):
    """The next Clary has the lock, and has not yet said where it answers."""
    settings = Settings(data_dir=tmp_path)
    settings.run_dir.mkdir()
    with subprocess.Popen(["sleep", "60"]) as somebody:
        lock.write_handle(settings, lock.Handle(pid=somebody.pid, version="0", started=0.0, settings=settings))
        descriptor = lock.take(settings)
        with pytest.raises(ClaryError, match="still starting"):
            down(tmp_path)
        assert somebody.poll() is None
        os.close(descriptor)
        somebody.kill()


def test_half_a_handle_is_no_handle(tmp_path):
    settings = Settings(data_dir=tmp_path)
    settings.run_dir.mkdir()
    (settings.run_dir / "clary.json").write_text('{"pid": 1')
    assert lock.read_handle(settings) is None


def test_the_banner_quotes_a_folder_for_the_shell(tmp_path):
    shown = banner(Settings(data_dir=tmp_path / "my data"), 1.25)
    assert f"clary env --data-dir '{tmp_path}/my data'" in shown
    assert "--data-dir" not in banner(Settings(data_dir=tmp_path / ".clary"), 1.25)


class TwoStreams:
    """Logs of two replicas, in pages of one line."""

    def __init__(self):
        self.lines = {"a/1": ["one", "two"], "a/2": ["three"]}

    def get_paginator(self, _):
        return self

    def paginate(self, **wanted):
        assert wanted["logGroupName"] == "group"
        return [{"logStreams": [{"logStreamName": name}]} for name in self.lines]

    def get_log_events(self, *, logStreamName, nextToken="0", **_):
        at = int(nextToken)
        events = [{"message": line} for line in self.lines[logStreamName][at : at + 1]]
        return {"events": events, "nextForwardToken": str(min(at + 1, len(self.lines[logStreamName])))}


def test_a_tail_gives_each_line_once():
    streams = TwoStreams()
    tail = Tail(streams, Source(lambda: True, "group", "a/"))
    assert list(tail.fresh()) == ["a/1 one", "a/1 two", "a/2 three"]
    assert list(tail.fresh()) == []
    streams.lines["a/2"].append("four")
    assert list(tail.fresh()) == ["a/2 four"]


def test_a_tunings_log_is_that_of_its_jobs_alone_each_line_with_its_job():
    tail = Tail(TwoStreams(), Source(lambda: True, "group", "a/", "a/2", labelled=True))
    assert list(tail.fresh()) == ["a/2 three"]


def test_a_log_of_one_stream_has_no_labels():
    tail = Tail(TwoStreams(), Source(lambda: True, "group", "a/", r"a/2\Z"))
    assert list(tail.fresh()) == ["three"]


def test_settings_are_the_same_in_another_process(tmp_path):
    settings = Settings(data_dir=tmp_path, capacity=Capacity(cores=6, memory_bytes=2**34, overcommit=1.5))
    assert Settings.loads(settings.dumps()) == settings
