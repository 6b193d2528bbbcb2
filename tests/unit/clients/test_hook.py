"""The sitecustomize of `clary env`, in Pythons that are really started with it, and its clock."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from clary.clients.environment import hook_dir
from clary.launcher import customizing

SITE = str(hook_dir())


def python(code: str, *path: str, **variables: str) -> str:
    """What a Python with the hook prints."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env |= {"PYTHONPATH": os.pathsep.join([SITE, *path]), "AWS_EC2_METADATA_DISABLED": "true", **variables}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    return done.stdout.strip()


CLIENT = "import boto3; print(boto3.client('sts', region_name='us-east-1', {}).meta.endpoint_url)"


def test_a_hard_coded_aws_host_is_redirected() -> None:
    code = CLIENT.format("endpoint_url='https://sts.us-east-1.amazonaws.com'")
    assert python(code, AWS_ENDPOINT_URL="http://127.0.0.1:1") == "http://127.0.0.1:1"


def test_an_address_that_is_not_aws_stays() -> None:
    code = CLIENT.format("endpoint_url='http://minio.example:9000'")
    assert python(code, AWS_ENDPOINT_URL="http://127.0.0.1:1") == "http://minio.example:9000"


SENT = (
    "import boto3\n"
    "def shown(request, **_): print(request.url); raise SystemExit\n"
    "client = boto3.client('{}', region_name='us-east-1', aws_access_key_id='a', aws_secret_access_key='b')\n"
    "client.meta.events.register('before-send', shown)\n"
    "client.{}\n"
)


def test_what_operations_put_before_the_host_is_left_out() -> None:
    code = SENT.format("s3control", "get_public_access_block(AccountId='000000000000')")
    sent = python(code, AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert sent == "http://127.0.0.1:1/v20180820/configuration/publicAccessBlock"


def test_without_an_endpoint_nothing_is_changed() -> None:
    code = CLIENT.format("endpoint_url='https://sts.us-east-1.amazonaws.com'")
    assert python(code) == "https://sts.us-east-1.amazonaws.com"


def test_nothing_is_imported_that_the_program_does_not_import() -> None:
    code = "import sys; print('botocore' in sys.modules, 'sagemaker' in sys.modules)"
    assert python(code, AWS_ENDPOINT_URL="http://127.0.0.1:1") == "False False"


def test_the_sitecustomize_that_is_hidden_runs_too(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import builtins; builtins.SEEN = 'yes'")
    assert python("print(SEEN)", str(tmp_path), AWS_ENDPOINT_URL="http://127.0.0.1:1") == "yes"


def test_a_configuration_is_checked_once_until_it_changes(tmp_path: Path) -> None:
    package = tmp_path / "sagemaker" / "config"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "config.py").write_text(
        "seen = []\n"
        "def validate_sagemaker_config(sagemaker_config=None):\n"
        "    seen.append(dict(sagemaker_config))\n"
        "    if 'bad' in sagemaker_config:\n"
        "        raise ValueError('bad')\n"
    )
    code = (
        "from sagemaker.config.config import seen, validate_sagemaker_config as check\n"
        "given = {'a': 1}\n"
        "check(given), check(sagemaker_config=given), check({'a': 1})\n"
        "given['a'] = 2\n"
        "check(given)\n"
        "for _ in range(2):\n"
        "    try:\n"
        "        check({'bad': 1})\n"
        "    except ValueError:\n"
        "        pass\n"
        "print(seen)"
    )
    expected = "[{'a': 1}, {'a': 2}, {'bad': 1}, {'bad': 1}]"
    assert python(code, str(tmp_path), AWS_ENDPOINT_URL="http://127.0.0.1:1") == expected


class Clock:
    """A `time` module whose sleeps take no time of the test's."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    spec = importlib.util.spec_from_file_location("hook", hook_dir() / "sitecustomize.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_poll_loop_waits_a_twentieth_of_what_it_has_waited(hook: types.ModuleType) -> None:
    real = Clock()
    clock = hook.PollClock(real)
    for _ in range(80):
        clock.sleep(10)
    assert real.slept[0] == pytest.approx(0.05)
    assert real.slept[-1] == pytest.approx(sum(real.slept[:-1]) * 0.05, rel=0.1)


def test_its_clock_runs_on_as_if_it_had_slept(hook: types.ModuleType) -> None:
    real = Clock()
    clock = hook.PollClock(real)
    before = clock.time()
    for _ in range(3):
        clock.sleep(10)
    assert clock.time() - before == pytest.approx(30)


def test_a_loop_with_a_time_limit_of_the_users_keeps_the_true_time(hook: types.ModuleType) -> None:
    real = Clock()
    clock = hook.PollClock(real)

    def wait(timeout: float) -> float:
        clock.sleep(10)
        return clock.time()

    assert wait(60) == pytest.approx(1000.05)


def test_a_wait_is_never_longer_than_asked_for(hook: types.ModuleType) -> None:
    real = Clock()
    clock = hook.PollClock(real)
    for _ in range(1000):
        clock.sleep(0.2)
    assert max(real.slept) == pytest.approx(0.2)


def test_a_clock_that_does_not_run_ahead_shows_the_true_time(hook: types.ModuleType) -> None:
    real = Clock()
    clock = hook.PollClock(real, run_ahead=False)
    for _ in range(3):
        clock.sleep(10)
    assert clock.time() == real.now == pytest.approx(1000.15)


@pytest.mark.parametrize("module", ["sagemaker.session", "sagemaker.core.resources"])
def test_only_the_modules_of_the_sdk_see_another_clock(module: str, tmp_path: Path) -> None:
    path = tmp_path.joinpath(*module.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True)
    path.write_text("import time\n")
    code = f"import time, {module} as sdk; print(type(time).__name__, type(sdk.time).__name__, sdk.time is time)"
    assert python(code, str(tmp_path), AWS_ENDPOINT_URL="http://127.0.0.1:1") == "module PollClock False"
    assert python(code, str(tmp_path)) == "module module True"


def test_what_a_warm_parent_has_prepared_changes_nothing_before_it_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(sys.meta_path)
    own = customizing.prepared(str(hook_dir().parents[1]))
    assert own is not None
    assert sys.meta_path == before
    monkeypatch.setattr(sys, "meta_path", list(before))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4599")
    own.begin()
    assert [type(finder).__name__ for finder in sys.meta_path if finder not in before] == ["_PatchingFinder"]
    assert own.__file__ == "/opt/clary/site/sitecustomize.py"
