"""The wheel of `make wheel`, with its edge compiled: does what its source does.

For `make soak`: the compiler takes some minutes where the sources have changed.
"""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests import wheel
from tests.running import RunningClary

pytestmark = pytest.mark.timeout(3600)  # the first waits for the compiler: minutes of a core, which may be busy

SUITES = ("compiled", "edge", "gateway", "iam", "policy", "queues", "s3", "serving", "services", "wire")
"""Of the unit tests: those of what is compiled, and of what comes by it."""
MODULES = tomllib.loads((wheel.ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
    "hooks"
]["custom"]["modules"]

WHERE = """\
import importlib, json
names = [module.removesuffix(".py").replace("/", ".") for module in json.load(open(0))]
print(json.dumps({name: importlib.import_module(name).__file__ for name in names}))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an environment where the wheel is installed."""
    return wheel.installed(tmp_path_factory.mktemp("compiled") / "environment")


def test_every_declared_module_is_compiled(python):
    command = [python, "-c", WHERE]
    done = subprocess.run(
        command, cwd=python.parent, input=json.dumps(MODULES), stdout=subprocess.PIPE, text=True, check=True
    )
    files = json.loads(done.stdout)
    assert len(files) == len(MODULES)
    assert not [name for name, file in files.items() if not file.endswith(".so")]


def test_it_says_so(python):
    said = subprocess.run([python.with_name("clary"), "--version"], capture_output=True, text=True, check=True).stdout
    assert said.rstrip().endswith(", its edge compiled")


def test_it_passes_the_same_tests(python):
    folders = [f"tests/unit/{suite}" for suite in SUITES]
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *folders]
    done = subprocess.run(command, cwd=wheel.ROOT, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stdout[-20_000:]


def test_it_serves(python, tmp_path):
    with RunningClary(tmp_path / "data", program=python.with_name("clary")) as clary:
        s3 = clary.client("s3")
        s3.create_bucket(Bucket="compiled")
        s3.put_object(Bucket="compiled", Key="one", Body=b"1")
        assert s3.get_object(Bucket="compiled", Key="one")["Body"].read() == b"1"
        endpoints = clary.client("sagemaker").list_endpoints()["Endpoints"]
    assert not endpoints
