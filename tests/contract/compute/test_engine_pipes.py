"""Pipe mode with images of an engine, which have no Python for all we know: fed from outside, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from clary.compute import record
from clary.compute.base import Container, Exited, Feed, Mount
from clary.launcher import engine_feeder
from tests import engine as engines
from tests.contract.compute.conftest import until

pytestmark = pytest.mark.xdist_group("engine")

DATA = b"".join(b"line %06d\n" % number for number in range(40_000))
PIPE = "/opt/ml/input/data/train"


class Piped:
    """What a job with one channel in Pipe mode has laid out."""

    def __init__(self, place: Path) -> None:
        self.input, self.plans = place / "input", place / "pipes"
        folder = self.plans / "train"
        for made in (self.input / "data", folder):
            made.mkdir(parents=True)
            made.chmod(0o777)
        (folder / "0").write_bytes(DATA)
        (folder / "records").write_text(json.dumps([["file", "0", "s3://b/rows.csv"]]) + "\n")
        plan = {"name": "train", "wrapped": False, "gzip": False, "seed": None, "host": 0, "hosts": 1}
        (folder / "plan.json").write_text(json.dumps(plan))

    def reader(self, script: str) -> Container:
        return Container(
            argv=("sh", "-c", script),
            env={},
            log="",
            mounts=(Mount(str(self.input), "/opt/ml/input", writable=True),),
            api=False,
            feed=Feed(str(self.plans), str(self.input / "data")),
        )


@pytest.fixture
def piped(docker) -> Piped:
    return Piped(docker.settings.data_dir / "job")


def _feeder(docker, container_id: str) -> int:
    return int(record.read(str(docker.folder(container_id)), engine_feeder.TOLD)["pid"])


def _has_gone(pid: int) -> bool:
    """A zombie is nobody, where none waits for it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_epoch_after_epoch_is_read_by_whoever_runs_inside(docker, engine, piped):
    """To its end, or less of it."""
    docker.image = engines.image(engine, f"clary-test-nobody-{os.getpid()}", {}, ("USER 4321",))
    script = f"id -u; wc -c < {PIPE}_0; head -n 1 {PIPE}_1; head -c 4 {PIPE}_2; echo; tail -n 1 {PIPE}_3"
    docker.start("read", piped.reader(script))
    assert docker.end("read").code == 0, docker.output("read")
    assert docker.lines("read") == ["4321", str(len(DATA)), "line 000000", "line", "line 039999"]


def test_a_container_that_opens_none_leaves_no_feeder(docker, piped):
    docker.start("idle", piped.reader("echo ready; exec sleep 600"))
    docker.says("idle", "ready")
    feeder = _feeder(docker, "idle")
    assert not _has_gone(feeder)
    docker.backend.remove("idle")
    until(lambda: _has_gone(feeder))
    assert not docker.folder("idle").exists()


def test_killed_keepers_tear_no_stream(docker, piped):
    script = f"""
        exec 3< {PIPE}_0; head -c 100 <&3 > /tmp/a; echo begun
        while [ ! -e /opt/ml/input/go ]; do sleep 0.05; done
        cat <&3 | wc -l; exec 3<&-; wc -l < {PIPE}_1"""
    docker.start("read", piped.reader(script))
    docker.says("read", "begun")
    feeder, before = _feeder(docker, "read"), record.read(str(docker.folder("read")), record.HANDLE)["pid"]
    os.kill(before, signal.SIGKILL)
    until(lambda: record.read(str(docker.folder("read")), record.HANDLE)["pid"] != before)
    (piped.input / "go").touch()
    until(lambda: isinstance(docker.backend.poll("read"), Exited))
    assert docker.backend.poll("read").code == 0, docker.output("read")
    assert int(docker.lines("read")[1]) > 30_000  # `head` has taken some kilobytes more than it has shown
    assert docker.lines("read")[2] == "40000"
    until(lambda: _has_gone(feeder))


def test_what_a_killed_feeder_has_left_is_not_taken_for_the_whole(docker, piped):
    """The program reads an end of file, and ends well as far as it knows."""
    script = f"exec 3< {PIPE}_0; head -c 100 <&3 > /tmp/a; echo begun; cat <&3 > /dev/null; echo done"
    blocked = script.replace("cat", "while [ ! -e /opt/ml/input/go ]; do sleep 0.05; done; cat")
    docker.start("read", piped.reader(blocked))
    docker.says("read", "begun")
    os.kill(_feeder(docker, "read"), signal.SIGKILL)
    (piped.input / "go").touch()
    end = docker.end("read")
    assert (end.code, end.signal) == (137, signal.SIGKILL)
    assert "feeds the pipes has ended" in end.reason


def test_what_is_no_pipe_is_not_opened(docker, piped):
    """The folder is the program's, the feeder the server's user: a link must not lead it to what is the host's."""
    victim = docker.settings.data_dir / "precious"
    victim.write_text("kept")
    script = f"rm {PIPE}_1; ln -s {victim} {PIPE}_1; cat {PIPE}_0 | wc -l; exec sleep 600"
    docker.start("hostile", piped.reader(script))
    end = docker.end("hostile")
    assert "train_1 is no pipe any more" in end.reason
    assert end.signal == signal.SIGKILL
    assert victim.read_text() == "kept"
