"""Images of a registry that wants a login: Clary's own, at its address, which is any registry's to the engine."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import platform
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from clary.clients.image_archive import OCI_MANIFEST
from clary.clients.registry import Blob, RegistryClient
from clary.compute.docker_images import ImageStore
from tests import engine as engines
from tests.running import RunningClary
from tests.system.jobs import Jobs

pytestmark = pytest.mark.xdist_group("engine")

TRAIN = "#!/bin/sh\necho trained behind a login\n"
REPOSITORY = "behind/login"
WRONG = "hunter2-is-no-password"
TAGS = ("nobody", "refused", "later")


@dataclass
class Registry:
    """What jobs are asked for, and whose logins these are."""

    jobs: Jobs
    host: str
    auth_file: Path

    def train(self, tag: str) -> str:
        algorithm = {"TrainingImage": f"{self.host}/{REPOSITORY}:{tag}", "TrainingInputMode": "File"}
        return self.jobs.start(tag, "", AlgorithmSpecification=algorithm, HyperParameters={})

    def log_in(self, user_and_password: str) -> None:
        """As `podman login` leaves it."""
        auth = base64.b64encode(user_and_password.encode()).decode()
        self.auth_file.write_text(json.dumps({"auths": {self.host: {"auth": auth}}}))


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    clary, home = RunningClary(tmp_path_factory.mktemp("clary")), tmp_path_factory.mktemp("home")
    host = f"127.0.0.1:{clary.port}"
    with engines.engine(plain=host) as engine, pytest.MonkeyPatch.context() as patch:
        _move_in(patch, home, engine.path)
        with clary:
            _push(clary)
            try:
                yield Registry(Jobs(clary), host, home / "run" / "containers" / "auth.json")
            finally:
                for tag in TAGS:
                    ImageStore(engine.path).remove_image(f"{host}/{REPOSITORY}:{tag}")


def _move_in(patch: pytest.MonkeyPatch, home: Path, socket: str) -> None:
    """A user who has no logins; what Clary keeps for all users stays where it is."""
    patch.setenv("XDG_CACHE_HOME", os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"))
    for name in ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_CONFIG_HOME"):
        patch.delenv(name, raising=False)
    (home / "run" / "containers").mkdir(parents=True)
    patch.setenv("HOME", str(home))
    patch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
    patch.setenv("DOCKER_HOST", f"unix://{socket}")


def _push(clary: RunningClary) -> None:
    """An image that the engine has never seen, with nothing in it but a shell and `train`."""
    ecr = clary.client("ecr")
    ecr.create_repository(repositoryName=REPOSITORY)
    client = RegistryClient("127.0.0.1", clary.port, REPOSITORY, _token(clary))
    try:
        layer = _layer()
        config = {
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {"Env": ["PATH=/usr/bin:/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
        said = json.dumps(config).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _described("config.v1+json", client.upload([said], len(said))),
            "layers": [_described("layer.v1.tar", client.upload([layer], len(layer)))],
        }
        for tag in TAGS:
            client.put_manifest(tag, json.dumps(manifest).encode(), OCI_MANIFEST)
    finally:
        client.close()


def _token(clary: RunningClary) -> str:
    token: str = clary.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    return token


def _described(kind: str, blob: Blob) -> dict[str, object]:
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": blob.digest, "size": blob.size}


def _layer() -> bytes:
    shell = Path(shutil.which("sh") or "/bin/sh").resolve()
    wanted = {"/bin/sh": shell, **{name: Path(name).resolve() for name in engines.libraries([shell])}}
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for target, source in sorted(wanted.items()):
            archive.add(source, target, recursive=False)
        info = tarfile.TarInfo("usr/bin/train")
        info.mode, info.size = 0o755, len(TRAIN)
        archive.addfile(info, io.BytesIO(TRAIN.encode()))
    return data.getvalue()


def test_without_a_login_the_reason_says_what_to_do(registry: Registry) -> None:
    """And names the file that would have one, if it were whole."""
    registry.auth_file.write_text(f'{{"auths": {{"{registry.host}": {WRONG}')
    said = f"{registry.auth_file} is not used: it is not JSON."
    job = registry.jobs.ended(registry.train("nobody"))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(
        f"ClientError: Cannot pull algorithm container. There is no login for {registry.host}. {said} "
        f"Log in by `docker login {registry.host}` or `podman login {registry.host}` as the user who runs Clary."
    )
    assert said in registry.jobs.said("nobody")


def test_a_refused_login_is_named_by_its_file_and_written_nowhere(registry: Registry) -> None:
    registry.log_in(f"AWS:{WRONG}")
    job = registry.jobs.ended(registry.train("refused"))
    assert job["TrainingJobStatus"] == "Failed"
    reason = f"{registry.host} has refused the login in {registry.auth_file}."
    assert job["FailureReason"].startswith(f"ClientError: Cannot pull algorithm container. {reason} Log in by ")
    assert _holding(registry.jobs.clary.data_dir, reason.encode()), "what is written is found"
    for secret in (WRONG.encode(), base64.b64encode(f"AWS:{WRONG}".encode())):
        assert _holding(registry.jobs.clary.data_dir, secret) == []


def _holding(folder: Path, text: bytes) -> list[str]:
    """The files with that text in them; others may come and go meanwhile."""
    found = []
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            with contextlib.suppress(OSError):
                if path.is_file() and text in path.read_bytes():
                    found.append(str(path))
    return found


def test_with_a_login_that_is_made_while_clary_runs_the_job_does(registry: Registry) -> None:
    registry.log_in(base64.b64decode(_token(registry.jobs.clary)).decode())
    job = registry.jobs.ended(registry.train("later"))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert "trained behind a login" in registry.jobs.said("later")
