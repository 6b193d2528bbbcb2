"""AWS's own toolkits in images of a container engine, as users install them: their `train` and their model server.

For `make soak`: they come from the package index, and with Java for the model server such an image has 600 MB.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from clary.compute.docker_api import Engine
from tests import engine as engines
from tests.running import RunningClary
from tests.system.jobs import BUCKET, Jobs, packed

TOOLKITS = ("sagemaker-training", "sagemaker-inference", "multi-model-server", "setuptools<81")
"""The inference toolkit imports `pkg_resources`, which setuptools had until 80."""

SERVE = """\
from sagemaker_inference import model_server
model_server.start_model_server()
"""

TRAIN = """\
import argparse, json, os
parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int)
given = parser.parse_args()
rows = open(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "rows.csv")).read().split()
with open(os.path.join(os.environ["SM_MODEL_DIR"], "model.json"), "w") as file:
    json.dump({"factor": given.depth * len(rows)}, file)
print("trained by", os.environ["SM_TRAINING_ENV"][:1], os.environ["SM_CURRENT_HOST"])
"""

INFERENCE = """\
import json, os

def model_fn(folder):
    return json.load(open(os.path.join(folder, "model.json")))["factor"]

def predict_fn(data, model):
    return data * model
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with engines.engine() as found:
        yield found


@pytest.fixture(scope="module")
def jobs(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", f"unix://{engine.path}")
        with RunningClary(tmp_path_factory.mktemp("clary")) as clary:
            made = Jobs(clary)
            made.s3.put_object(Bucket=BUCKET, Key="data/rows.csv", Body=b"1\n2\n3\n")
            yield made
        assert engines.containers(engine, clary.data_dir) == []


@pytest.fixture(scope="module")
def image(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> str:
    packages = tmp_path_factory.mktemp("packages")
    installer = [str(Path(sys.executable).parent / "uv"), "pip", "install", "--quiet", "--python", sys.executable]
    subprocess.run([*installer, "--target", str(packages), *TOOLKITS], check=True)
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", dereference=True) as archive:
        _add_packages(archive, packages)
        if java := _java():
            _add_java(archive, java)
    changes = [f"ENV JAVA_HOME={java}", f"ENV PATH=/usr/local/bin:/usr/bin:/bin:{java}/bin"] if java else []
    return engines.layered(engine, f"clary-test-toolkits-{os.getpid()}", data.getvalue(), changes)


def _add_packages(archive: tarfile.TarFile, packages: Path) -> None:
    """Where pip would put them, with scripts for the image's Python."""
    python = f"python3.{sys.version_info.minor}"
    archive.add(packages, f"{sys.base_prefix}/lib/{python}/site-packages", filter=_no_programs)
    for script in (packages / "bin").iterdir():
        first, _, rest = script.read_text().partition("\n")
        assert first.startswith("#!"), script
        _add_text(archive, f"/usr/local/bin/{script.name}", f"#!/usr/bin/python3\n{rest}")
    _add_text(archive, "/usr/local/bin/serve", f"#!/usr/bin/python3\n{SERVE}")
    _add_text(archive, "/usr/local/bin/python", '#!/bin/sh\nexec /usr/bin/python3 "$@"\n')
    _add_libraries(archive, packages)


def _no_programs(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "/site-packages/bin/" in member.name or "__pycache__" in member.name else member


def _add_text(archive: tarfile.TarFile, target: str, text: str) -> None:
    member = tarfile.TarInfo(target.lstrip("/"))
    member.mode, member.size = 0o755, len(text.encode())
    archive.addfile(member, io.BytesIO(text.encode()))


def _add_libraries(archive: tarfile.TarFile, folder: Path) -> None:
    """Of this machine, what the binaries below a folder are linked to."""
    binaries = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and engines.is_elf(path)]
    for library in engines.libraries(binaries):
        if not Path(library).is_relative_to(folder):
            archive.add(library, library)


def _java() -> Path | None:
    found = shutil.which("java")
    return Path(found).resolve().parents[1] if found else None


def _add_java(archive: tarfile.TarFile, java: Path) -> None:
    found = (path for name in ("bin", "lib", "conf") for path in (java / name).rglob("*"))
    for path in found:
        if path.is_file():  # packages that are not installed leave links behind
            archive.add(path, str(path))
    _add_libraries(archive, java)


def test_the_training_toolkit_runs_a_script_and_its_model_server_serves_it(jobs: Jobs, image: str) -> None:
    channel = {
        "ChannelName": "train",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/data/"}},
    }
    source = {"sagemaker_submit_directory": json.dumps(f"s3://{BUCKET}/script/source.tar.gz")}
    jobs.s3.put_object(Bucket=BUCKET, Key="script/source.tar.gz", Body=packed({"train.py": TRAIN}))
    jobs.start(
        "script",
        TRAIN,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        InputDataConfig=[channel],
        HyperParameters={
            **source,
            "sagemaker_program": '"train.py"',
            "sagemaker_region": '"us-east-1"',
            "depth": "4",
        },
    )
    job = jobs.ended("script")
    assert job["TrainingJobStatus"] == "Completed", jobs.said("script")
    assert "trained by { algo-1" in jobs.said("script")
    if _java() is None:
        pytest.skip("no Java on this machine for the inference toolkit's model server")
    _serve(jobs, image)


def _serve(jobs: Jobs, image: str) -> None:
    jobs.s3.put_object(
        Bucket=BUCKET,
        Key="model.tar.gz",
        Body=packed({"model.json": '{"factor": 12}', "code/inference.py": INFERENCE}),
    )
    container = {
        "Image": image,
        "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz",
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_MODEL_SERVER_WORKERS": "1"},
    }
    jobs.deploy_container("served", container)
    assert json.loads(jobs.ask("served", "[[1, 2]]")) == [[12.0, 24.0]]
    jobs.sagemaker.delete_endpoint(EndpointName="served")
