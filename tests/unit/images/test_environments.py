"""Environments are built once, whole or not at all, and without a network where the packages lie at hand."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile

import pytest

from clary.errors import ClaryError
from clary.images.base import Environment
from clary.images.environments import Environments
from clary.images.pythons import Pythons

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """A folder with one wheel, and nothing else to be had."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    put(folder, "tiny", "answer = 42\n")
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return folder


def put(folder, name, content):
    """A wheel with one module."""
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        files = (f"{name}.py", *(f"{info}/{each}" for each in ("METADATA", "WHEEL", "RECORD")))
        wheel.writestr(f"{info}/RECORD", "".join(f"{file},,\n" for file in files))


def wanted(*requirements, python=PYTHON, beside=()):
    return Environment(key="test-1", python=python, requirements=requirements, beside=beside)


def test_a_built_environment_is_ready_with_compiled_bytecode(tmp_path, wheels):
    environments = Environments(tmp_path / "cache")
    assert environments.ready(wanted("tiny")) is None
    lines = []
    python = environments.build(wanted("tiny"), lines.append)
    assert python == environments.ready(wanted("tiny"))
    assert list((tmp_path / "cache").glob("**/site-packages/__pycache__/tiny.*.pyc"))
    assert any("tiny" in line for line in lines)


def test_what_can_be_had_and_imported_comes_with_it_and_nothing_else(tmp_path, wheels):
    put(wheels, "fits", "")
    put(wheels, "foreign", "raise RuntimeError('operator foreign::nms does not exist')\n")
    lines = []
    asked = wanted("tiny", beside=("fits", "foreign", "not_here_1"))
    python = Environments(tmp_path / "cache").build(asked, lines.append)
    modules = {path.stem for path in python.parents[1].glob("lib/python*/site-packages/*.py")}
    assert {"tiny", "fits"} <= modules
    assert not {"foreign"} & modules
    assert [line.split()[0] for line in lines if "not part of this environment" in line] == ["foreign", "not_here_1"]


def test_building_again_does_nothing(tmp_path, wheels):
    environments = Environments(tmp_path / "cache")
    environments.build(wanted("tiny"), lambda line: None)
    lines = []
    environments.build(wanted("tiny"), lines.append)
    assert lines == []


def test_two_builders_at_once_build_once(tmp_path, wheels):
    lines = []
    threads = [
        threading.Thread(target=Environments(tmp_path / "cache").build, args=(wanted("tiny"), lines.append))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(line.startswith("Building environment") for line in lines) == 1


def test_an_environment_whose_builder_died_is_built_anew(tmp_path, wheels):
    environments = Environments(tmp_path / "cache")
    half = tmp_path / "cache" / "environments" / "test-1"
    (half / "bin").mkdir(parents=True)
    (half / "bin" / "python").symlink_to(sys.executable)
    assert environments.ready(wanted("tiny")) is None
    environments.build(wanted("tiny"), lambda line: None)
    assert environments.ready(wanted("tiny")) is not None


_BUILDER = """
import sys
from pathlib import Path
from clary.images import environments
from clary.images.base import Environment
environments.find_uv_bin = lambda: sys.argv[2]
found = environments.Environments(Path(sys.argv[1]))
found.build(Environment("e", "%d.%d" % sys.version_info[:2], ()), print)
"""


def test_nobody_builds_where_the_child_of_a_killed_builder_still_does(tmp_path):
    begun = tmp_path / "begun"
    (tmp_path / "uv").write_text(f"#!/bin/sh\necho $$ >{begun}.new; mv {begun}.new {begun}; exec sleep 60")
    (tmp_path / "uv").chmod(0o755)
    builder = subprocess.Popen([sys.executable, "-c", _BUILDER, str(tmp_path), str(tmp_path / "uv")])
    while not begun.exists():
        assert builder.poll() is None
        time.sleep(0.01)
    builder.kill()
    builder.wait()
    with (tmp_path / "environments" / ".e.lock").open("w") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.kill(int(begun.read_text()), signal.SIGKILL)
        fcntl.flock(lock, fcntl.LOCK_EX)


def test_an_environment_whose_python_was_removed_is_not_ready(tmp_path, wheels):
    environments = Environments(tmp_path / "cache")
    python = environments.build(wanted("tiny"), lambda line: None)
    python.unlink()
    python.symlink_to("/nonexistent/python")
    assert environments.ready(wanted("tiny")) is None


def test_a_missing_package_is_named(tmp_path, wheels):
    with pytest.raises(ClaryError, match="no-such-thing") as failed:
        Environments(tmp_path / "cache").build(wanted("no-such-thing"), lambda line: None)
    assert "could not be built" in failed.value.message
    assert Environments(tmp_path / "cache").ready(wanted("no-such-thing")) is None


def test_an_unreachable_index_comes_with_the_remedy(tmp_path, wheels, monkeypatch):
    monkeypatch.delenv("UV_NO_INDEX")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(ClaryError) as failed:
        Environments(tmp_path / "cache").build(wanted("absent"), lambda line: None)
    assert "UV_FIND_LINKS" in failed.value.remedy


def test_a_missing_python_is_named_with_the_remedy(tmp_path, wheels):
    with pytest.raises(ClaryError, match=r"needs Python 3\.7") as failed:
        Environments(tmp_path / "cache", Pythons(folders=[tmp_path])).build(
            wanted("tiny", python="3.7"), lambda line: None
        )
    assert "uv python install 3.7" in failed.value.remedy


def test_a_python_that_is_not_what_its_name_says_is_passed_over(tmp_path):
    (tmp_path / "python3.7").symlink_to(sys.executable)
    broken = tmp_path / "python3.6"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    pythons = Pythons(folders=[tmp_path])
    assert pythons.versions() == ("3.6", "3.7")
    assert pythons.find("3.7") is None
    assert pythons.find("3.6") is None


def test_the_python_that_runs_clary_is_found():
    assert Pythons().find(PYTHON) is not None
