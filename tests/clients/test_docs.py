"""Every command and every program that README and the guide show is run here as it stands there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uv

from tests.clients.conftest import ROOT, RunAnew
from tests.environments import python_of
from tests.running import free_port

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]

TRAIN = """\
import joblib, os
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))

if __name__ == "__main__":
    table = pd.read_csv(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "heart_failure.csv")).dropna()
    model = RandomForestClassifier(n_estimators=10, random_state=0).fit(table.iloc[:, :-1].values, table.iloc[:, -1])
    joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
"""


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page, in order."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def commands(page: str) -> list[str]:
    """What stands behind the prompts of a page, without comments."""
    lines = "".join(blocks(page, "console")).splitlines()
    return [line[2:].split("  #")[0].strip() for line in lines if line.startswith("$ ")]


def test_the_program_of_the_readme(anew: RunAnew, tmp_path: Path) -> None:
    [program] = blocks("README.md", "python")
    (tmp_path / "my_sagemaker_script.py").write_text(program)
    (tmp_path / "train.py").write_text(TRAIN)
    shutil.copy(ROOT / "src" / "clary" / "demo" / "heart_failure.csv", tmp_path)
    output = anew("sdk2", tmp_path / "my_sagemaker_script.py")
    assert re.search(r"\[\s*[01]\.?\s*\]$", output.strip()), "one patient, one answer"


@dataclass
class Terminal:
    """A newcomer's terminal: an empty home, a Python of their own, the project's folder."""

    home: Path
    venv: Path
    port: int

    def type(self, *lines: str) -> str:
        """Run lines in one shell; what they print. Fails as soon as one fails."""
        path = [python_of("sdk2").parent, python_of("cli").parent, self.venv / "bin"]
        foreign = ("AWS_", "CLARY_", "PYTHON")
        env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | {
            "HOME": str(self.home),
            "PATH": os.pathsep.join([*map(str, path), os.environ["PATH"]]),
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
        }
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],
            env=env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, f"{lines}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def as_here(self, line: str) -> str:
        """The line with what only this test changes: a port that is free, uv in pip's place, a log that ends."""
        line = line.replace("clary up", f"clary up --port {self.port}") if "--port" not in line else line
        line = line.replace("--port 4600", f"--port {self.port}").replace("127.0.0.1:4600", f"127.0.0.1:{self.port}")
        line = line.replace("/tmp/clary-tests", str(self.home / "tests-data"))
        return line.replace("pip install .", f"{uv.find_uv_bin()} pip install -q --python {self.venv}/bin/python .")


@pytest.fixture(scope="module")
def installed() -> Iterator[Path]:
    """A Python of one's own after the guide's first line, for every terminal. It is on the disk: in what containers see
    at its own path, /dev/shm is theirs."""
    with tempfile.TemporaryDirectory(prefix="clary-test-") as folder:
        home = Path(folder)
        subprocess.run([uv.find_uv_bin(), "venv", "-q", "--python", sys.executable, str(home / "venv")], check=True)
        opened = Terminal(home, home / "venv", free_port())
        opened.type(opened.as_here(commands("docs/getting-started.md")[0]))
        yield opened.venv


@pytest.fixture
def terminal(installed: Path, tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path, installed, free_port())
    yield opened
    for data in (".clary", "tests-data"):
        opened.type(f"clary down --all --data-dir {tmp_path / data} || true")


def test_the_guide_from_installing_to_a_prediction(terminal: Terminal) -> None:
    guide = commands("docs/getting-started.md")
    assert guide == [
        "pip install .",
        "clary up --detach",
        "clary status",
        'eval "$(clary env)"',
        "aws sts get-caller-identity",
        "python examples/boston_housing/low_level.py",
        "clary status",
        "clary logs NAME -f",
        "clary up --detach --port 4600 --data-dir /tmp/clary-tests --allow-reset",
        "curl -X POST http://127.0.0.1:4600/_clary/reset",
    ]
    _, up, status, env, identity, example, _, logs, tests_up, reset = map(terminal.as_here, guide)
    assert "is ready at" in terminal.type(up)
    assert "ready" in terminal.type(status)
    assert ":assumed-role/ClaryExecutionRole/" in json.loads(terminal.type(env, identity))["Arn"]
    assert "root mean square error" in terminal.type(env, example)
    [job] = re.findall(r'"TrainingJobName": "(.*?)"', terminal.type(env, "aws sagemaker list-training-jobs"))
    assert "train-rmse" in terminal.type(logs.replace("NAME -f", job))
    terminal.type("clary down")
    terminal.type(tests_up, reset)


def test_the_demo(terminal: Terminal) -> None:
    said = terminal.type("clary demo")
    for part in ("test-auc", "predicted", "one prediction through the SDK", "Where to go next"):
        assert part in said
    assert "No Clary runs" in terminal.type("clary status 2>&1 || true")
