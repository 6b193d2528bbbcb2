"""Podman, Buildah, Skopeo and the AWS CLI against the registry; and what docs/ecr.md shows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.clients.conftest import ROOT
from tests.environments import python_of
from tests.running import RunningClary

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]

PAGE = (ROOT / "docs" / "ecr.md").read_text()


def needs(*tools: str) -> pytest.MarkDecorator:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} not installed")


@pytest.fixture(scope="module")
def environment(clary: RunningClary, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Of a user with images and passwords of its own."""
    home = tmp_path_factory.mktemp("containers")
    (home / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{home}/images"\nrunroot = "{home}/run"\n'
    )
    (home / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    return {
        **clary.environment,
        "PATH": f"{python_of('cli').parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "REGISTRY_AUTH_FILE": str(home / "auth.json"),
        "CONTAINERS_STORAGE_CONF": str(home / "storage.conf"),
        "BUILDAH_ISOLATION": "chroot",
        "NO_PROXY": "127.0.0.1",
    }


def run(script: str, environment: Mapping[str, str], folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=dict(environment),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def of_page(language: str, clary: RunningClary) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return [code.replace("127.0.0.1:4599", f"127.0.0.1:{clary.port}") for code in found]


def login(clary: RunningClary, tool: str) -> str:
    password = "aws ecr get-login-password"
    return f"{password} | {tool} login --tls-verify=false -u AWS --password-stdin 127.0.0.1:{clary.port}"


@needs("podman")
def test_the_page_pushes_by_both_names_and_its_program_tags(
    clary: RunningClary, environment: Mapping[str, str], tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text('FROM scratch\nCOPY Dockerfile /\nCMD ["/serve"]\n')
    for script in of_page("sh", clary):
        run(script, environment, tmp_path)
    (program,) = of_page("python", clary)
    done = subprocess.run(
        [sys.executable, "-c", program], env=dict(environment), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "000000000000.dkr.ecr.us-east-1.amazonaws.com/team/model\n"
    images = clary.client("ecr").list_images(repositoryName="scoring")["imageIds"]
    assert {image["imageTag"] for image in images} == {"1", "2", "stable"}


@needs("podman", "skopeo")
def test_skopeo_copies_inspects_and_deletes_and_podman_pulls(
    clary: RunningClary, environment: Mapping[str, str], tmp_path: Path
) -> None:
    registry, ecr = f"127.0.0.1:{clary.port}", clary.client("ecr")
    for name in ("made", "copied"):
        ecr.create_repository(repositoryName=name)
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY data /\n")
    data = os.urandom(300_000)
    (tmp_path / "data").write_bytes(data)
    image = f"{registry}/made:1"
    run(login(clary, "podman"), environment, tmp_path)
    run(f"podman build -t {image} . && podman push --tls-verify=false {image}", environment, tmp_path)
    insecure = "--src-tls-verify=false --dest-tls-verify=false"
    run(f"skopeo copy --all {insecure} docker://{image} docker://{registry}/copied:2", environment, tmp_path)
    said = json.loads(run(f"skopeo inspect --tls-verify=false docker://{registry}/copied:2", environment, tmp_path))
    assert said["RepoTags"] == ["2"]
    assert said["Digest"] == ecr.list_images(repositoryName="made")["imageIds"][0]["imageDigest"]
    run(f"podman rmi -f {image} && podman pull --tls-verify=false {registry}/copied:2", environment, tmp_path)
    mount = f"cat $(podman image mount {registry}/copied:2)/data | sha256sum"
    own = "" if os.geteuid() == 0 else "podman unshare "  # only root mounts without a namespace of its own
    unpacked = run(f"{own}bash -c '{mount}'", environment, tmp_path)
    assert unpacked == run("sha256sum < data", environment, tmp_path)
    run(f"skopeo delete --tls-verify=false docker://{registry}/copied:2", environment, tmp_path)
    assert ecr.list_images(repositoryName="copied")["imageIds"] == []


@needs("buildah")
def test_buildah_pushes_what_a_second_push_finds_there(
    clary: RunningClary, environment: Mapping[str, str], tmp_path: Path
) -> None:
    clary.client("ecr").create_repository(repositoryName="built", imageTagMutability="IMMUTABLE")
    image = f"127.0.0.1:{clary.port}/built:1"
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    run(login(clary, "buildah"), environment, tmp_path)
    run(f"buildah build -t {image} .", environment, tmp_path)
    for _ in range(2):
        run(f"buildah push --tls-verify=false {image}", environment, tmp_path)
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /other\n")
    run(f"buildah build -t {image} .", environment, tmp_path)
    with pytest.raises(AssertionError, match="cannot be overwritten because the tag is immutable"):
        run(f"buildah push --tls-verify=false {image}", environment, tmp_path)


def test_the_aws_cli_has_a_password_and_the_old_login(
    clary: RunningClary, environment: Mapping[str, str], tmp_path: Path
) -> None:
    assert len(run("aws ecr get-login-password", environment, tmp_path).strip()) > 100
    old = run("aws ecr get-login --no-include-email", environment, tmp_path)
    assert re.match(r"docker login -u AWS -p \S+ https://000000000000\.dkr\.ecr\.us-east-1\.amazonaws\.com\n", old)
