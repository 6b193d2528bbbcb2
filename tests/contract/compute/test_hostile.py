"""Containers that mean harm: machine, launcher and neighbours do not notice, and a reason says what happened.

What they print is in test_backend_contract.py; what they cannot see or do in test_confinement.py and test_network.py.
"""

from __future__ import annotations

import signal
import uuid
from pathlib import Path

import pytest

from clary.compute.base import Container, Exited, Limits, Mount, Running
from clary.launcher import disk
from tests.contract.compute.conftest import until

FILL = "while :; do head -c 20000000 /dev/urandom >> {path}/$((i=i+1)) || sleep 1; done"


def _free(machine) -> int:
    return disk.free_bytes(str(machine.settings.data_dir))


def _neighbour(machine) -> None:
    machine.shell("neighbour", "head -c 1000000 /dev/zero > /tmp/mine; echo ready; sleep 600")
    machine.says("neighbour", "ready")


def test_who_fills_the_disk_is_ended_and_no_other(confined):
    _neighbour(confined)
    confined.launcher.kill()
    confined.launcher.wait()
    confined.start_launcher("--keep-free", str(_free(confined) - 300_000_000))
    confined.shell("hog", FILL.format(path="/tmp"))
    state = confined.end("hog", 60)
    assert isinstance(state, Exited)
    assert (state.code, state.signal) == (137, signal.SIGKILL)
    assert "No space left on device" in state.reason
    assert not (confined.folder("hog") / "tmp").exists(), "what it wrote has gone with it"
    assert isinstance(confined.backend.poll("neighbour"), Running)
    assert (confined.folder("neighbour") / "tmp" / "mine").stat().st_size == 1_000_000


@pytest.mark.parametrize("path", ["/tmp", "/opt/ml/model", "/root/a/b/c", "/opt/ml/input/data/train"])
def test_who_writes_more_than_it_may_is_ended(confined, tmp_path, path):
    for name in ("model", "train"):
        (tmp_path / name).mkdir()
    mounts = (
        Mount(str(tmp_path / "model"), "/opt/ml/model", writable=True),
        Mount(str(tmp_path / "train"), "/opt/ml/input/data/train", copy_on_write=True),
    )
    script = f"mkdir -p {path}; echo why > /opt/ml/model/failure; {FILL.format(path=path)}"
    confined.shell("hog", script, mounts=mounts, limits=Limits(disk_bytes=100_000_000))
    state = confined.end("hog", 60)
    assert "may write 95 MB" in state.reason
    assert disk.used_bytes([str(tmp_path), str(confined.folder("hog"))]) < 10_000_000
    assert (tmp_path / "model" / "failure").read_text() == "why\n"


HIDE = """
import os, time
os.chdir("/tmp")
for depth in range(400):
    os.mkdir("d"); os.chdir("d")
with open("hidden", "wb") as file:
    for _ in range(3000):
        file.write(os.urandom(100_000)); file.flush()
time.sleep(600)
"""


def test_what_is_hidden_in_closed_and_deep_folders_is_counted(confined):
    closed = "mkdir /tmp/x; cd /tmp/x; chmod 0 /tmp; chmod 300 .; " + FILL.format(path=".")
    confined.shell("closed", closed, limits=Limits(disk_bytes=100_000_000))
    confined.start(
        "deep", Container(argv=("python3", "-c", HIDE), env={}, log="", limits=Limits(disk_bytes=100_000_000))
    )
    for name in ("closed", "deep"):
        assert "No space left on device" in confined.end(name, 60).reason


def test_links_out_of_its_folders_are_not_followed(confined, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_bytes(bytes(1_000_000))
    (tmp_path / "model").mkdir()
    mounts = (Mount(str(tmp_path / "model"), "/opt/ml/model", writable=True),)
    links = f"for d in /tmp /root /opt/ml/model; do ln -s {tmp_path}/precious $d/link; ln -s / $d/root; done; "
    confined.shell("hog", links + FILL.format(path="/tmp"), mounts=mounts, limits=Limits(disk_bytes=50_000_000))
    assert "No space left" in confined.end("hog", 60).reason
    assert (tmp_path / "precious" / "file").stat().st_size == 1_000_000


def test_a_thousand_sockets_and_children_that_ignore_everything(confined):
    script = """
import os, signal, socket, time
kept = [socket.create_connection(("127.0.0.1", 4599)) for _ in range(1000)]
for _ in range(50):
    if os.fork() == 0:
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        os.setsid()
        time.sleep(4722)
print("ready", flush=True)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(4722)
"""
    mark = uuid.uuid4().hex  # /proc shows other tests' crowds too
    confined.start("crowd", Container(argv=("python3", "-c", script, mark), env={}, log=""))
    confined.says("crowd", "ready")
    assert confined.run("echo calm")[1] == "calm"
    confined.backend.stop("crowd", 0.1)
    assert confined.end("crowd").signal == signal.SIGKILL
    until(lambda: not [path for path in Path("/proc").glob("[0-9]*/comm") if _is_marked(path, mark)])


def _is_marked(comm: Path, mark: str) -> bool:
    try:
        return mark.encode() in (comm.parent / "cmdline").read_bytes()
    except OSError:
        return False


SPY = """
import glob, os
found = set()
for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/maps") + glob.glob("/proc/[0-9]*/mem"):
    try:
        data = open(path, "rb").read(100_000)
    except OSError:
        continue
    if b"SECRET_OF_THE_SERVER" in data:
        found.add(path)
for path in glob.glob("/proc/[0-9]*/root/*") + glob.glob("/proc/[0-9]*/cwd/*") + glob.glob("/proc/[0-9]*/fd/*"):
    try:
        os.stat(path)
        target = os.readlink(path) if os.path.islink(path) else path
    except OSError:
        continue
    if "clary-test" in target or "launch.json" in target or target.endswith("/lock"):
        found.add(target)
print(sorted(found))
"""


def test_nothing_of_the_server_is_read_from_proc(confined, monkeypatch):
    """PID 1 is a fork of the server's launcher: its memory, environment and descriptors are closed to the inside."""
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "SECRET_OF_THE_SERVER")
    confined.launcher.kill()
    confined.launcher.wait()
    confined.start_launcher()
    confined.start("spy", Container(argv=("python3", "-c", SPY), env={}, log=""))
    assert confined.end("spy").code == 0
    assert confined.output("spy") == "[]"


def test_the_channel_to_the_shim_is_not_the_programs(confined):
    """Whoever held it could tell the shim what he likes."""
    assert confined.run("exec ls /proc/self/fd")[1].split() == ["0", "1", "2", "3"]  # the last is the listing itself


def test_a_container_that_stops_its_first_process_is_ended_all_the_same(confined):
    confined.shell("stopper", "echo ready; kill -STOP 1; kill -STOP -1; sleep 600")
    confined.says("stopper", "ready")
    confined.backend.stop("stopper", 0.2)
    assert confined.end("stopper").signal in (signal.SIGTERM, signal.SIGKILL)


def test_a_log_of_control_characters_and_broken_text_is_kept(confined):
    state, output = confined.run(r"printf 'a\033[2Jb\0c\377d\re\n'")
    assert state.code == 0
    assert output.startswith("a\x1b[2Jb\0c")


def test_a_log_that_takes_no_more_costs_lines_only(machine):
    machine.settings.logs_dir.mkdir(parents=True, exist_ok=True)
    (machine.settings.logs_dir / "full").symlink_to("/dev/full")
    machine.shell("full", "echo one; sleep 0.1; echo two; printf three; exit 3")
    assert machine.end("full").code == 3


def test_memory_is_held_for_a_tree_of_processes(confined):
    """By a cgroup, which takes the largest, or by the shim, which ends them all."""
    script = """
import os, time
children = []
for _ in range(8):
    children.append(os.fork())
    if children[-1] == 0:
        kept = bytearray(os.urandom(20_000_000))
        time.sleep(600)
if any(os.wait()[1] for _ in children):  # whichever is taken is the first to end
    os.kill(os.getpid(), 9)
"""
    container = Container(argv=("python3", "-c", script), env={}, log="", limits=Limits(memory_bytes=100_000_000))
    confined.start("tree", container)
    state = confined.end("tree")
    assert (state.code, state.out_of_memory) == (137, True)
