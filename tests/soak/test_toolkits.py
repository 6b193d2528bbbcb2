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
from clary.images.pythons import Pythons
from tests import engine as engines
from tests.running import RunningClary
from tests.system.jobs import BUCKET, Jobs, packed

TOOLKITS = ("sagemaker-training", "sagemaker-inference", "multi-model-server", "setuptools<81")
"""The inference toolkit imports `pkg_resources`, which setuptools had until 80."""

OLD_TOOLKIT = (
    "sagemaker-containers==2.8.6.post2",
    *("flask==1.1.1", "werkzeug<1", "jinja2<3", "itsdangerous<2", "markupsafe<2", "protobuf<3.21", "numpy<1.20"),
)
"""The last one, with what it was installed with in its day: it bounds nothing from above."""

OLD_PYTHON = "3.8"

OLD_SERVE = """\
import json, os
from sagemaker_containers.beta.framework import env, transformer, worker

app = None

def model_fn(folder):
    with open(os.path.join(folder, "model.json")) as file:
        return json.load(file)["factor"]

def predict_fn(data, model):
    return data * model

def main(environ, start_response):
    global app
    if app is None:
        made = transformer.Transformer(model_fn=model_fn, predict_fn=predict_fn)
        made.initialize()
        app = worker.Worker(transform_fn=made.transform, module_name=env.ServingEnv().module_name or "own")
    return app(environ, start_response)
"""

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


@pytest.fixture(scope="module")
def old_image(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> str:
    """With a Python of the toolkit's day, which knows neither later ones nor the base's."""
    python = Pythons().find(OLD_PYTHON)
    if python is None:
        pytest.skip(f"no Python {OLD_PYTHON} on this machine, which sagemaker-containers needs")
    packages = tmp_path_factory.mktemp("old-packages")
    installer = [str(Path(sys.executable).parent / "uv"), "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run([*installer, "--target", str(packages), *OLD_TOOLKIT], check=True)
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", dereference=True) as archive:
        modules = python.resolve().parents[1] / "lib" / f"python{OLD_PYTHON}"
        archive.add(python.resolve(), str(python.resolve()))
        archive.add(modules, str(modules), filter=_only_modules)
        for library in engines.libraries([python.resolve()]):
            archive.add(library, library)
        _add_libraries(archive, modules)
        _add_scripts(archive, packages, python.resolve(), modules / "site-packages")
        _add_text(archive, f"{modules}/site-packages/own_serving.py", OLD_SERVE)
    changes = ["ENV SAGEMAKER_SERVING_MODULE=own_serving:main", "ENV SAGEMAKER_USE_NGINX=false"]
    return engines.layered(engine, f"clary-test-old-toolkit-{os.getpid()}", data.getvalue(), changes)


def _only_modules(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """What is installed beside them, and their tests, are not the image's."""
    left_out = ("site-packages", "__pycache__", "test", "tests")
    return None if set(left_out) & set(Path(member.name).parts) else member


def _add_packages(archive: tarfile.TarFile, packages: Path) -> None:
    modules = Path(sys.base_prefix, "lib", f"python3.{sys.version_info.minor}", "site-packages")
    _add_scripts(archive, packages, Path("/usr/bin/python3"), modules)
    _add_text(archive, "/usr/local/bin/serve", f"#!/usr/bin/python3\n{SERVE}")
    _add_text(archive, "/usr/local/bin/python", '#!/bin/sh\nexec /usr/bin/python3 "$@"\n')


def _add_scripts(archive: tarfile.TarFile, packages: Path, python: Path, modules: Path) -> None:
    """Packages where pip would put them, with scripts for the image's Python."""
    archive.add(packages, str(modules), filter=_no_programs)
    for script in (packages / "bin").iterdir():
        first, _, rest = script.read_text().partition("\n")
        assert first.startswith("#!"), script
        _add_text(archive, f"/usr/local/bin/{script.name}", f"#!{python}\n{rest}")
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
    _train(jobs, image, "script")
    if _java() is None:
        pytest.skip("no Java on this machine for the inference toolkit's model server")
    environment = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
    assert _served(jobs, image, "served", environment) == [[12.0, 24.0]]


def test_the_old_toolkit_trains_and_serves(jobs: Jobs, old_image: str) -> None:
    _train(jobs, old_image, "old-script")
    assert _served(jobs, old_image, "old-served", {}) == [[12.0, 24.0]]


def _train(jobs: Jobs, image: str, name: str) -> None:
    channel = {
        "ChannelName": "train",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/data/"}},
    }
    source = {"sagemaker_submit_directory": json.dumps(f"s3://{BUCKET}/script/source.tar.gz")}
    jobs.s3.put_object(Bucket=BUCKET, Key="script/source.tar.gz", Body=packed({"train.py": TRAIN}))
    jobs.start(
        name,
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
    job = jobs.ended(name)
    assert job["TrainingJobStatus"] == "Completed", jobs.said(name)
    assert "trained by { algo-1" in jobs.said(name)


def _served(jobs: Jobs, image: str, name: str, environment: dict[str, str]) -> object:
    """What an endpoint of the image predicts."""
    jobs.s3.put_object(
        Bucket=BUCKET,
        Key="model.tar.gz",
        Body=packed({"model.json": '{"factor": 12}', "code/inference.py": INFERENCE}),
    )
    container = {"Image": image, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz", "Environment": environment}
    jobs.deploy_container(name, container)
    predicted = json.loads(jobs.ask(name, "[[1, 2]]"))
    jobs.sagemaker.delete_endpoint(EndpointName=name)
    return predicted
