"""From a container to its list of mounts: pure, but for what lies on this host."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from clary.compute import detect, host, plan
from clary.compute.base import Container, Limits, Mount, Network, Warm
from clary.compute.launch import BUNDLE, TRUST
from clary.errors import ClaryError
from clary.launcher import shares
from clary.settings import Settings

PLAIN = Container(argv=("true",), env={}, log="/log")


def _targets(document) -> list[str]:
    return [entry["target"] for entry in document["mounts"]]


def test_outer_mounts_come_first(tmp_path):
    mounts = (
        Mount(str(tmp_path), "/opt/ml/model/code"),
        Mount(str(tmp_path), "/opt/ml"),
        Mount(str(tmp_path), "/opt/ml/model"),
    )
    targets = _targets(plan.launch(tmp_path, replace(PLAIN, mounts=mounts), plan.alone()))
    assert [target for target in targets if target.startswith("/opt/ml")] == [
        "/opt/ml",
        "/opt/ml/model",
        "/opt/ml/model/code",
    ]


def test_a_containers_own_mount_replaces_ours(tmp_path):
    mount = Mount(str(tmp_path), "/opt/clary/clary/toolkit")
    document = plan.launch(tmp_path, replace(PLAIN, mounts=(mount,)), plan.alone())
    assert _targets(document).count(mount.target) == 1
    assert [entry["source"] for entry in document["mounts"] if entry["target"] == mount.target] == [str(tmp_path)]


def test_nothing_of_the_server_is_mounted(tmp_path):
    document = plan.launch(tmp_path / "c", PLAIN, plan.alone())
    inside = {Path(target).name for target in _targets(document) if target.startswith("/opt/clary")}
    assert inside <= {"__init__.py", "toolkit", "formats", "algorithms", "telemetry"}
    assert not [
        target
        for target in _targets(document)
        if target in ("/etc", "/home", "/var", "/", "/etc/shadow", "/etc/passwd")
    ]


def test_a_mount_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="/no/such"):
        plan.launch(tmp_path, replace(PLAIN, mounts=(Mount("/no/such", "/x"),)), plan.alone())


def test_an_environment_is_mounted_with_every_python_it_leads_to(tmp_path):
    (tmp_path / "real-3.11.7" / "bin").mkdir(parents=True)
    (tmp_path / "real-3.11.7" / "bin" / "python3.11").touch()
    (tmp_path / "real-3.11").symlink_to("real-3.11.7")
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").symlink_to("python3")
    (tmp_path / "venv" / "bin" / "python3").symlink_to(tmp_path / "real-3.11" / "bin" / "python3.11")
    found = host.python_folders(str(tmp_path / "venv" / "bin" / "python"))
    assert set(found) == {str(tmp_path / name) for name in ("venv", "real-3.11", "real-3.11.7")}
    assert host.python_folders("/usr/bin/python3") == ()


def test_ids_that_others_were_given_are_left_to_them(tmp_path):
    (tmp_path / "subuid").write_text("ada:100000:65536\nbob:165536:65536\nodd line\n")
    assert host.id_range(str(tmp_path / "subuid")) == 231_072
    assert host.id_range(str(tmp_path / "none")) == 200_000


def test_start_up_variables_name_the_warm_parent():
    warm = Warm(python="/v/bin/python", preload=("numpy",), module="m")
    one, other = plan.program(warm, {"SM_MODEL_DIR": "/a"}), plan.program(warm, {"SM_MODEL_DIR": "/b"})
    assert one["key"] == other["key"]
    assert plan.program(warm, {"OMP_NUM_THREADS": "1"})["key"] != one["key"]
    assert plan.program(warm, {"OMP_NUM_THREADS": "1"})["startup"]["OMP_NUM_THREADS"] == "1"


def test_hosts_of_one_job_reach_each_other_past_the_proxy():
    """gRPC sends by HTTPS_PROXY whatever NO_PROXY does not name: two hosts of TensorFlow's waited for each other."""
    made = replace(PLAIN, network=Network("job", ("algo-1", "algo-2")))
    direct = plan.environment(made)["NO_PROXY"].split(",")
    assert {"algo-1", "algo-2", "127.0.0.1"} < set(direct)
    assert len(direct) == 8


def test_isolated_containers_are_told_of_no_proxy():
    assert "HTTPS_PROXY" in plan.environment(PLAIN)
    assert not [name for name in plan.environment(replace(PLAIN, api=False)) if "proxy" in name.lower()]


def test_authorities_are_shown_to_those_that_the_proxy_answers(tmp_path):
    (tmp_path / BUNDLE).touch()
    shown = plan.launch(tmp_path, PLAIN, plan.alone(), tmp_path)
    assert shown["aws_names"] == str(tmp_path)
    assert [entry["source"] for entry in shown["mounts"] if entry["target"] == TRUST] == [str(tmp_path / BUNDLE)]
    assert shown["env"]["SSL_CERT_FILE"] == TRUST
    hidden = plan.launch(tmp_path, PLAIN, plan.alone())
    assert (hidden["aws_names"], TRUST in _targets(hidden), "SSL_CERT_FILE" in hidden["env"]) == (None, False, False)


def test_the_containers_word_is_the_last():
    found = plan.environment(replace(PLAIN, env={"PATH": "/x", "HOME": "/y", "PYTHONPATH": "/z"}))
    assert (found["PATH"], found["HOME"], found["PYTHONPATH"]) == ("/x", "/y", "/z:/opt/clary")


def test_limits_are_passed_on(tmp_path):
    limits = Limits(
        memory_bytes=1, cpus=2, processes=3, open_files=4, file_bytes=5, shared_memory_bytes=6, disk_bytes=7
    )
    document = plan.launch(tmp_path, replace(PLAIN, limits=limits), plan.alone())
    passed_on = {"memory_bytes": 1, "cpus": 2, "processes": 3, "open_files": 4, "file_bytes": 5}
    assert document["limits"] == {**passed_on, "disk_bytes": 7, "gpus": 0}
    [data] = [entry["data"] for entry in document["mounts"] if entry["target"] == "/dev/shm"]
    assert data.endswith("size=6")


def test_accelerators_are_shown_to_those_who_ask(tmp_path, monkeypatch):
    devices = ("/dev/nvidia0", "/dev/nvidia1", "/dev/nvidiactl")
    monkeypatch.setattr(host, "accelerators", lambda: devices)
    monkeypatch.setattr(plan.Path, "exists", lambda _: True)
    assert not [each for each in _targets(plan.launch(tmp_path, PLAIN, plan.alone())) if "nvidia" in each]
    asked = plan.launch(tmp_path, replace(PLAIN, limits=Limits(gpus=1)), plan.alone())
    assert [each for each in _targets(asked) if "nvidia" in each] == list(devices)
    assert asked["env"]["CUDA_VISIBLE_DEVICES"] == "0"
    shares.without_others(asked, [1])
    assert [each for each in _targets(asked) if "nvidia" in each] == ["/dev/nvidia1", "/dev/nvidiactl"]


def test_the_least_used_are_taken():
    assert shares.least_used([0, 1, 2, 3], [], 2) == [0, 1]
    assert shares.least_used([0, 1, 2, 3], [[0, 1], [0]], 2) == [2, 3]
    assert shares.least_used([0, 1], [[0, 1], [0]], 1) == [1]
    assert shares.least_used([0, 1], [[0], [1]], 3) == [0, 1]


def test_hosts_of_a_network_have_names_and_addresses(tmp_path):
    network = Network("job", ("algo-1", "algo-2"))
    document = plan.launch(tmp_path, replace(PLAIN, hostname="algo-2", network=network), plan.alone())
    assert document["network"] == {"name": "job", "address": "10.77.0.2/16"}
    assert document["files"]["/etc/hosts"].splitlines()[2:] == ["10.77.0.1 algo-1", "10.77.0.2 algo-2"]
    with pytest.raises(ValueError, match="tuple"):
        plan.launch(tmp_path, replace(PLAIN, hostname="algo-3", network=network), plan.alone())


def test_where_containers_cannot_be_had_there_is_one_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(detect, "_LAUNCHER", tmp_path / "missing.py")
    with pytest.raises(ClaryError) as caught:
        detect.check(Settings(data_dir=tmp_path / "data"))
    assert "cannot be run here" in caught.value.message
    assert "--unconfined" in caught.value.remedy
    assert not list((tmp_path / "data").iterdir())


def test_unconfined_asks_nothing_of_the_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(detect, "_LAUNCHER", tmp_path / "missing.py")
    assert detect.check(Settings(data_dir=tmp_path, unconfined=True))["count"] == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LD_PRELOAD", "/data/run/containers/1/tmp/evil.so"),
        ("LD_LIBRARY_PATH", "/tmp"),
        ("OMP_TOOL_LIBRARIES", "/tmp/evil.so"),
        ("OMP_NUM_THREADS", "1\nOMP_WAIT_POLICY=ACTIVE"),
        ("PYTHONWARNINGS", "error::evil.Warning"),
        ("PYTHONHASHSEED", "7\n"),
        ("LC_ALL", "../../tmp/evil"),
        ("TORCH_SHOW_CPP_STACKTRACES", "1"),
    ],
)
def test_a_request_puts_nothing_into_a_warm_parent_that_could_load_code_outside(name, value):
    assert plan.program(Warm("/usr/bin/python3", (), "m"), {name: value}) is None


def test_a_machine_that_is_too_busy_is_no_machine_without_containers(tmp_path, monkeypatch):
    tried = []

    def never_ends(command, timeout, **_):
        tried.append(command)
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", never_ends)
    with pytest.raises(ClaryError, match="Try again when this machine has less to do"):
        detect.check(Settings(data_dir=tmp_path))
    assert len(tried) == 1


def test_what_a_killed_probe_has_left_goes_with_a_later_one(tmp_path, monkeypatch):
    old, fresh = tmp_path / "probe-old", tmp_path / "probe-fresh"
    for each in (old, fresh):
        each.mkdir()
        (each / "launch.json").touch()
    os.utime(old, (0, 0))
    monkeypatch.setattr(detect, "_LAUNCHER", tmp_path / "missing.py")
    with pytest.raises(ClaryError):
        detect.check(Settings(data_dir=tmp_path))
    assert not old.exists()
    assert fresh.exists()
