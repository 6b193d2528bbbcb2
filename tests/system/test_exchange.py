"""PMML on a started Clary: `clary export` writes it, and an endpoint serves it without code."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.running import RunningClary
from tests.system.jobs import BUCKET, Jobs, packed

pytestmark = pytest.mark.system

SCRIPT = """
import numpy as np
from sklearn.tree import DecisionTreeClassifier
def model_fn(folder):
    table = np.random.RandomState(0).uniform(-1, 1, (100, 2))
    return DecisionTreeClassifier(max_depth=3).fit(table, np.where(table[:, 0] > 0, "yes", "no"))
"""
IMAGE = "785573368785.dkr.ecr.us-east-1.amazonaws.com/sagemaker-neo-onnx:1.5.0-cpu-py3"
EXPORT_SECONDS = 240


def exported(clary: RunningClary, uri: str, form: str, file: Path) -> str:
    """What the command prints."""
    words = ["export", uri, "--to", form, "-o", str(file), "--framework", "sklearn", "--framework-version", "1.2"]
    command = [sys.executable, "-m", "clary.cli.main", *words, "--data-dir", str(clary.data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=EXPORT_SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_model_is_exported_and_its_pmml_serves_without_code(shared: RunningClary, tmp_path: Path) -> None:
    jobs = Jobs(shared)
    jobs.s3.put_object(Bucket=BUCKET, Key="grown/model.tar.gz", Body=packed({"code/inference.py": SCRIPT}))
    file = tmp_path / "grown.pmml"
    said = exported(shared, f"s3://{BUCKET}/grown/model.tar.gz", "pmml", file)
    assert f"{file.stat().st_size} bytes of PMML" in said
    assert "all labels, of 2 kinds, are the same" in said
    jobs.s3.put_object(Bucket=BUCKET, Key="served/model.tar.gz", Body=archive(file))
    jobs.deploy_container("grown", {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/served/model.tar.gz"})
    assert jobs.ask("grown", "[[0.9, 0], [-0.9, 0]]") == '["yes", "no"]'
    told = json.loads(jobs.ask("grown", '{"x1": [0.9], "x2": [0]}'))
    assert told == {"y": ["yes"], "probability(no)": [0.0], "probability(yes)": [1.0]}
    jobs.sagemaker.delete_endpoint(EndpointName="grown")


def archive(file: Path) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as members:
        members.add(file, file.name)
    return stream.getvalue()
