"""Keepers that cannot do their work: the container has an end that says why, and nothing is left."""

from __future__ import annotations

import json
import os
import signal

import pytest

from clary.compute import record, tries
from clary.compute.base import Exited, Network
from clary.launcher.engine_networks import LABEL
from tests import engine as engines
from tests.contract.compute.conftest import until
from tests.contract.compute.hosts import SERVE, host

pytestmark = pytest.mark.xdist_group("engine")


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who starts keepers need not rest between them; all else is as it is."""
    monkeypatch.setattr(tries, "_LONGEST_PAUSE", 0.05)


def _kill_keeper(docker, container_id: str) -> None:
    os.kill(record.read(str(docker.folder(container_id)), record.HANDLE)["pid"], signal.SIGKILL)


def _ended(docker, container_id: str) -> Exited:
    until(lambda: isinstance(docker.backend.poll(container_id), Exited))
    return docker.backend.poll(container_id)


def test_keepers_that_fail_again_and_again_give_the_container_an_end(docker):
    docker.shell("failing", "echo ready; exec sleep 600")
    docker.says("failing", "ready")
    until(lambda: tries.count(str(docker.folder("failing"))) == 0)  # the first does its work
    path = docker.folder("failing") / record.LAUNCH
    launch = json.loads(path.read_text())
    del launch["engine"]["runtime_api"]
    path.write_text(json.dumps(launch))
    _kill_keeper(docker, "failing")
    end = _ended(docker, "failing")
    assert end.reason == "The process beside the container has failed 8 times: KeyError: 'runtime_api'. Start it again."
    assert (end.code, end.signal) == (126, None)
    assert engines.containers(docker.engine, docker.settings.data_dir) == []


def test_what_nobody_could_clear_is_cleared_by_the_next(docker):
    """The launcher refuses to start a keeper; the network of the job's hosts is left too."""
    docker.start("refused", host("algo-1", SERVE, network=Network("refused", ("algo-1", "algo-2"))))
    docker.says("refused", "listening")
    (docker.folder("refused") / record.LAUNCH).unlink()
    _kill_keeper(docker, "refused")
    assert "has no launch.json" in _ended(docker, "refused").reason
    prefix = record.prefix(str(docker.settings.containers_dir))
    assert len(engines.containers(docker.engine, docker.settings.data_dir)) == 1
    assert [name for name in docker.engine.networks(LABEL) if name.startswith(prefix)]
    docker.backend.remove("refused")
    docker.shell("next", "exec sleep 600")
    until(lambda: [name[-4:] for name in engines.containers(docker.engine, docker.settings.data_dir)] == ["next"])
    until(lambda: not [name for name in docker.engine.networks(LABEL) if name.startswith(prefix)])


def test_an_image_that_has_gone_is_the_reason(docker):
    docker.image = "localhost/clary-test-gone:1"
    docker.shell("never", "true")
    end = docker.end("never")
    assert end.reason.startswith(f"The container engine has no image {docker.image}. Build or pull it")
