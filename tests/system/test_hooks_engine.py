"""Hooks whose repository has a Dockerfile: the engine builds, Clary's registry keeps, the endpoint answers."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clary.compute.docker_api import Engine
from clary.compute.docker_images import ImageStore
from clary.edge.door import ControlDoor
from tests import engine as engines
from tests.running import RunningClary, wait_until

EXAMPLE = Path(__file__).parents[2] / "examples" / "hooks"
ADDRESS = "000000000000.dkr.ecr.us-east-1.amazonaws.com/heights-built"
SECONDS = 180

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("engine")]


@pytest.fixture
def engine(container_engine: Engine) -> ImageStore:
    if shutil.which("podman") is None and shutil.which("docker") is None:
        pytest.skip("neither docker nor podman is installed")
    return ImageStore(container_engine.path)


@pytest.fixture
def clary(engine: ImageStore, beside_engine: RunningClary) -> Iterator[RunningClary]:
    yield beside_engine
    for name in (*engine.names(ADDRESS), "localhost/heights-built:latest"):
        engine.remove_image(name)


def commit(folder: Path, dockerfile: str) -> None:
    """On the branch `main` of a repository with the example's program."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    author = {f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    if not folder.exists():
        shutil.copytree(EXAMPLE / "program", folder / "program")
    (folder / "Dockerfile").write_text(dockerfile)
    for command in (["init", "--quiet", "--initial-branch=main"], ["add", "."], ["commit", "--quiet", "-m", "one"]):
        subprocess.run(["git", *command], cwd=folder, env={**own, **author}, check=True, timeout=60)


def ended(clary: RunningClary, number: int) -> dict[str, Any]:
    """The run, when it has."""

    def there() -> dict[str, Any] | None:
        control = ControlDoor(clary.data_dir / "run" / "control.sock")
        runs = asyncio.run(control.ask("hook-show", {"name": "heights"}))["runs"]
        found: dict[str, Any] = next(run for run in runs if run["number"] == number)
        return found if found["status"] in ("Succeeded", "Failed") else None

    run: dict[str, Any] = wait_until(there, SECONDS, f"run {number} has ended")
    return run


def test_a_dockerfile_is_built_pushed_trained_with_and_served(
    engine: ImageStore, clary: RunningClary, tmp_path: Path
) -> None:
    s3 = clary.client("s3")
    s3.create_bucket(Bucket="heights")
    s3.upload_file(str(EXAMPLE / "heights.csv"), "heights", "train/heights.csv")
    path = "ENV PATH=/opt/program:/usr/local/bin:/usr/bin:/bin"
    commit(tmp_path / "team", f"FROM {engines.base(engine)}\nCOPY program /opt/program\n{path}\n")
    clary.run(
        *("hooks", "add", "heights", "--repository", str(tmp_path / "team"), "--allow-local"),
        *("--image", "heights-built", "--then", str(EXAMPLE / "steps.json")),
    )
    clary.run("hooks", "run", "heights")
    run = ended(clary, 1)
    assert run["status"] == "Succeeded", clary.run("hooks", "show", "heights").stdout
    runtime = clary.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName="heights", ContentType="text/csv", Body=b"172")
    assert answer["Body"].read() == b"66.8"
    assert run["image"] == f"{ADDRESS}:git-{run['commit'][:12]}"
    images = clary.client("ecr").describe_images(repositoryName="heights-built")["imageDetails"]
    assert [sorted(image["imageTags"]) for image in images] == [[f"git-{run['commit'][:12]}", "latest"]]

    commit(tmp_path / "team", f"FROM {engines.base(engine)}\nRUN echo it breaks here && exit 3\n")
    done = clary.run("hooks", "run", "heights", "--wait", check=False)
    assert done.returncode == 1
    assert "it breaks here" in done.stdout
    assert "did not succeed: The build ended with exit code" in done.stderr
    assert json.loads(clary.run("hooks", "show", "heights", "--json").stdout)["runs"][-1]["status"] == "Failed"
