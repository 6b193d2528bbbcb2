"""The supervisor with small programs in place of Clary's own."""

import errno
import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from clary.errors import ClaryError
from clary.settings import Settings
from clary.supervisor import child as children
from clary.supervisor import lock
from clary.supervisor.child import Child
from clary.supervisor.programs import Program, server_environment
from clary.supervisor.sockets import bind_names, bind_tcp, bind_unix
from clary.supervisor.supervisor import Supervisor
from clary.supervisor.tether import Tether, pair

PRELUDE = """
import json, os, pathlib, signal, socket, sys, time
place = pathlib.Path(sys.argv[1])
tether = socket.socket(fileno=int(sys.argv[sys.argv.index("--tether-fd") + 1]))
def say(**word): tether.sendall(json.dumps(word).encode() + b"\\n")
def note(what):
    with place.open("a") as file: file.write(what + "\\n")
"""

HARNESS = """
import os, sys
from clary.errors import ClaryError
from clary.supervisor import child
from clary.supervisor.child import Child
from clary.supervisor.programs import Program
from clary.supervisor.supervisor import Supervisor
place, slow, *scripts = sys.argv[1:]
child.SLOW = float(slow)
programs = [Program(f"p{i}", [sys.executable, "-c", s, place], [], os.environ) for i, s in enumerate(scripts)]
def say(text): print(text, flush=True)
try:
    Supervisor([Child(p, 2) for p in programs], lambda: say("READY"), say, place).run()
except ClaryError as error:
    say(f"FAILED {error}")
"""


class Supervised:
    """A supervisor in a process of its own."""

    def __init__(self, place: Path, slow: float, *scripts: str) -> None:
        self.place = place
        written = [PRELUDE + textwrap.dedent(script) for script in scripts]
        self.process = subprocess.Popen(
            [sys.executable, "-c", HARNESS, str(place), str(slow), *written], stdout=subprocess.PIPE, text=True
        )

    def line(self) -> str:
        return self.process.stdout.readline().strip()

    def notes(self) -> list[str]:
        return self.place.read_text().split() if self.place.exists() else []

    def eventually(self, count: int) -> list[str]:
        """The notes once there are so many; what there is after a minute."""
        clock = threading.Event()
        for _ in range(3000):
            if len(self.notes()) >= count or clock.wait(0.02):
                break
        return self.notes()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(60)
        self.process.stdout.close()


@pytest.fixture
def supervise(tmp_path):
    started = []

    def start(*scripts: str, slow: float = children.SLOW) -> Supervised:
        started.append(Supervised(tmp_path / "notes", slow, *scripts))
        return started[-1]

    yield start
    for each in started:
        each.end()


SOUND = """
note(str(os.getpid()))
say(ready=True)
signal.pause()
"""


def test_it_is_ready_when_all_processes_are(supervise):
    clary = supervise(SOUND, SOUND)
    assert clary.line() == "READY"
    assert len(clary.notes()) == 2


def test_a_killed_process_is_started_again(supervise):
    clary = supervise(SOUND)
    assert clary.line() == "READY"
    first = clary.notes()[0]
    os.kill(int(first), signal.SIGKILL)
    assert clary.line() == "p0 ended (signal 9); it is started again"
    assert len(set(clary.eventually(2))) == 2


def test_a_process_that_never_starts_is_given_up_with_its_ending(supervise):
    clary = supervise("sys.exit(7)")
    lines = clary.process.stdout.read().splitlines()
    assert lines[-1] == f"FAILED The process 'p0' does not start (exit code 7). Its last words stand in {clary.place}."


def without_room(monkeypatch, tmp_path, times):
    """A supervisor, what it says, and a machine that cannot start a process so many times."""
    said, lacking, popen = (
        [],
        [BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")] * times,
        subprocess.Popen,
    )

    def start(*arguments, **options):
        if lacking:
            raise lacking.pop()
        return popen(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", start)
    child = Child(Program("p", [sys.executable, "-c", ""], [], os.environ), 2)
    return Supervisor([child], lambda: None, said.append, tmp_path / "log"), child, said


def test_a_process_for_which_there_is_no_room_is_tried_again(monkeypatch, tmp_path):
    supervisor, child, said = without_room(monkeypatch, tmp_path, 1)
    supervisor._start_due()
    assert said == ["p could not be started (Resource temporarily unavailable); it is tried again"]
    assert not child.alive
    assert not child.watched()
    child.due = 0.0
    supervisor._start_due()
    assert child.alive
    child.end(60)


def test_a_clary_for_which_there_is_never_room_says_so(monkeypatch, tmp_path):
    supervisor, child, _ = without_room(monkeypatch, tmp_path, 3)
    with pytest.raises(ClaryError, match="'p' does not start: Resource temporarily"):
        for _ in range(3):
            child.due = 0.0
            supervisor._start_due()


def test_a_process_that_says_why_it_cannot_start_is_not_tried_again(supervise):
    clary = supervise('say(failure="no namespaces here"); sys.exit(1)', SOUND)
    assert clary.line() == "FAILED no namespaces here"
    clary.process.wait(60)
    assert clary.process.returncode == 0


def test_a_process_that_is_long_in_starting_is_mentioned_once_and_waited_for(supervise):
    go = supervise(
        """
        while not place.with_suffix(".go").exists(): time.sleep(0.01)
        say(ready=True)
        signal.pause()
    """,
        slow=0.0,
    )
    assert go.line() == f"p0 is not ready after 40 s; {go.place} says where it is"
    go.place.with_suffix(".go").touch()
    assert go.line() == "READY"


def test_sigterm_lets_processes_finish(supervise):
    clary = supervise("""
        signal.signal(signal.SIGTERM, lambda *_: (note("finished"), sys.exit(0)))
        say(ready=True)
        while True: time.sleep(0.05)  # a signal that comes just before a pause is heard after it
    """)
    assert clary.line() == "READY"
    clary.process.terminate()
    clary.process.wait(60)
    assert clary.notes() == ["finished"]


def test_a_killed_supervisor_is_seen_by_its_processes(supervise):
    clary = supervise("""
        say(ready=True)
        tether.recv(1)
        note("left-alone")
    """)
    assert clary.line() == "READY"
    clary.process.kill()
    clary.process.wait(60)
    assert clary.eventually(1) == ["left-alone"]


def test_a_process_without_a_line_ends_with_its_supervisor(tmp_path):
    script = """
import os, signal, sys
from clary.supervisor.child import Child
from clary.supervisor.programs import Program
program = Program("p", [sys.executable, "-c", "import signal; signal.pause()"], [], os.environ, tethered=False)
child = Child(program, 2)
child.start(0.0)
print(child.pid, child.ready, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False).stdout.split()
    assert said[1] == "True"
    descriptor = opened(int(said[0]))
    assert descriptor is None or select.select([descriptor], [], [], 60)[0]


def opened(pid):
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def test_a_process_may_let_go_of_its_line_and_live(supervise):
    clary = supervise("""
        note(str(os.getpid()))
        say(ready=True)
        tether.close()
        signal.pause()
    """)
    assert clary.line() == "READY"
    ticks = os.sysconf("SC_CLK_TCK")
    spent = Path(f"/proc/{clary.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11]
    assert int(spent) / ticks < 2


@pytest.mark.parametrize(("fails", "seconds"), [(1, 0.0), (2, 0.1), (3, 0.2), (50, 10.0), (10_000, 10.0)])
def test_pauses_grow_and_are_bounded(fails, seconds):
    assert children.pause(fails) == seconds


def test_a_long_life_makes_the_next_end_the_first_again():
    child = Child(Program("p", [sys.executable, "-c", ""], [], os.environ), 2, fails=5)
    child.start(now=0.0)
    while child.reap(now=children.STEADY + 1) is None:
        os.sched_yield()
    assert (child.fails, child.due) == (1, children.STEADY + 1)


def test_words_arrive_whole_however_they_are_cut():
    held, theirs = pair()
    descriptor = theirs.detach()
    tether = Tether(descriptor)
    assert held.words() == []
    tether.ready()
    tether.failed("ä" * 100)
    assert [(word.ready, word.failure) for word in held.words()] == [(True, ""), (False, "ä" * 100)]
    held.close()
    tether.ready()  # nobody hears it, and nothing breaks


def test_one_clary_per_data_folder(tmp_path):
    settings = Settings(data_dir=tmp_path / "data")
    descriptor = lock.take(settings)
    assert lock.held(settings)
    with pytest.raises(ClaryError, match="in use by a running Clary"):
        lock.take(settings)
    os.close(descriptor)
    assert not lock.held(settings)
    os.close(lock.take(settings))


def test_somebody_who_looks_whether_a_clary_runs_keeps_none_from_starting(tmp_path):
    settings, taken = Settings(data_dir=tmp_path), []
    os.close(lock.take(settings))
    with (tmp_path / "lock").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        starting = threading.Thread(target=lambda: taken.append(lock.take(settings)))
        starting.start()
        starting.join(0.02)
        assert taken == []
    starting.join(60)
    os.close(taken.pop())


def test_a_taken_port_is_one_clear_line():
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(ClaryError) as raised:
        bind_tcp("127.0.0.1", other.getsockname()[1])
    assert str(raised.value).startswith("Port ")
    assert "clary up --port" in str(raised.value)


def test_without_setup_there_is_no_place_for_the_registrys_names(tmp_path):
    assert bind_names(Settings(data_dir=tmp_path), 0) is None


def test_a_taken_place_of_the_registrys_names_is_one_clear_line(tmp_path):
    settings = Settings(data_dir=tmp_path)
    settings.tls_dir.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as other:
        (settings.tls_dir / "address").write_text(f"127.0.0.1:{other.getsockname()[1]}\n")
        with pytest.raises(ClaryError, match="clary images setup --undo"):
            bind_names(settings, 0)


def test_a_port_that_is_let_go_in_time_is_taken():
    other = socket.create_server(("127.0.0.1", 0))
    port = other.getsockname()[1]
    letting_go = threading.Timer(0.2, other.close)
    letting_go.start()
    with bind_tcp("127.0.0.1", port, patience=60) as bound:
        assert bound.getsockname()[1] == port
    letting_go.join()


def test_unix_sockets_work_below_long_paths(tmp_path):
    folder = tmp_path / ("d" * 100) / ("e" * 100)
    folder.mkdir(parents=True)
    with bind_unix(folder / "control.sock") as listening:
        assert listening.getsockname()
        assert (folder / "control.sock").is_socket()
    with bind_unix(folder / "control.sock"):
        pass  # in place of the one left behind


def test_the_server_takes_no_client_settings():
    inherited = {"AWS_ENDPOINT_URL": "x", "SM_HOSTS": "[]", "PATH": "/bin", "HOME": "/h"}
    assert server_environment(inherited) == {"PATH": "/bin", "HOME": "/h"}
