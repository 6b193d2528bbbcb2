"""The program of docs/compile.md, by the SageMaker Python SDK 2, and its commands."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT, RunScript
from tests.running import RunningClary

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]

PAGE = ROOT / "docs" / "compile.md"
ANY = "s3://my-bucket/jobs/my-job/output/model.tar.gz"
"""What the page's commands name."""


def test_the_program_and_the_commands_of_the_page(sdk2: RunScript, clary: RunningClary, tmp_path: Path) -> None:
    program = programs()[0]
    (tmp_path / "compile_.py").write_text(program)
    shutil.copy(ROOT / "examples" / "boston_housing" / "boston_housing.csv", tmp_path)
    output = sdk2(tmp_path / "compile_.py")
    assert "/compiled/model-ml_c5.tar.gz" in output, output
    assert "/xgboost-neo:latest" in output, output
    before, after = map(ast.literal_eval, re.findall(r"\[\d[\d., ]*\]", output))
    assert before == after, "prices in thousand dollars, to the dollar"
    assert len(before) == 3
    _export(clary, tmp_path)


def programs() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_a_network_of_the_page_is_compiled_and_answers_as_where_it_was_trained(sdk2: RunScript, tmp_path: Path) -> None:
    _, script, program = programs()
    (tmp_path / "train.py").write_text(script)
    (tmp_path / "network.py").write_text(program)
    output = sdk2(tmp_path / "network.py")
    before, after = (re.findall(rf"{said}: (.*)$", output, re.MULTILINE)[-1] for said in ("prices", "compiled"))
    assert numbers(after) == pytest.approx(numbers(before), abs=1e-5)


def numbers(said: str) -> list[float]:
    """The numbers of a list of lists."""
    return [value for row in ast.literal_eval(said) for value in row]


def _export(clary: RunningClary, folder: Path) -> None:
    """As the page says, of what the program has trained."""
    sagemaker = clary.client("sagemaker")
    jobs = sagemaker.list_compilation_jobs(SortOrder="Descending", MaxResults=1)["CompilationJobSummaries"]
    job = sagemaker.describe_compilation_job(CompilationJobName=jobs[0]["CompilationJobName"])
    trained = job["InputConfig"]["S3Uri"]
    container = {"Image": job["InferenceImage"], "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    sagemaker.create_model(ModelName="my-model", ExecutionRoleArn=clary.role_arn, PrimaryContainer=container)
    commands = re.findall(r"^\$ clary (export .*)$", PAGE.read_text(), re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        words = command.replace(ANY, trained).split()
        file = folder / words[-1]
        done = subprocess.run(
            [sys.executable, "-m", "clary.cli.main", *words, "--data-dir", str(clary.data_dir)],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        form = file.suffix[1:].upper()
        assert (done.returncode, f"bytes of {form}" in done.stdout) == (0, True), done.stderr
        file.unlink()
    left = sagemaker.list_compilation_jobs(NameContains="clary-export")["CompilationJobSummaries"]
    assert left == [], "the jobs were made for this"
