"""What a container is given to run: argv, environment, mounts."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from clary.compute.base import Mount
from clary.errors import AccessDenied, ClaryError
from clary.images.base import Command, Environment, Files, Image, Program
from clary.images.catalogue import ImageNotFound
from clary.workload.errors import WorkloadError
from clary.workload.runtimes import Run, Runtimes

PYTHON = Path(sys.executable)
ENVIRONMENT = Environment("e", "3", (), ("sklearn",))
IMAGE = Image(
    "i", ENVIRONMENT, Program("train.module", ("1.7",)), Program("serve.module"), env={"A": "image", "B": "image"}
)


class Catalogue:
    def resolved(self, uri):
        if uri != "i":
            raise ImageNotFound(uri, "Known: i.")
        return IMAGE


class Environments:
    def __init__(self, python=PYTHON):
        self.python = python

    def ready(self, _environment):
        return self.python

    def build(self, _environment, _on_line):
        raise ClaryError("Nothing to install from.", "Connect to a network.")


def identity(role, container):
    return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{role}/{container}"}


def runtimes(python=PYTHON, who=identity):
    return Runtimes(Catalogue(), Environments(python), who, Path("/containers"))


def run(**more):
    base = {
        "container": "c1",
        "program": IMAGE.train,
        "mounts": (Mount("/host", "/opt/ml/model", True),),
        "log": Path("/log"),
        "region": "eu-west-1",
        "role": "role",
        "isolated": False,
        "env": {},
        "contract": {},
    }
    return Run(**(base | more))


def test_program_of_the_image_warm_or_cold():
    made = runtimes().container(IMAGE, run())
    assert made.argv == (str(PYTHON), "-m", "train.module", "1.7")
    assert (made.warm.python, made.warm.module, made.warm.args) == (str(PYTHON), "train.module", ("1.7",))
    assert made.warm.preload == ("sklearn",)


def test_own_images_files_are_linked_and_belong_to_the_container(tmp_path):
    (tmp_path / "program").mkdir()
    (tmp_path / "program/train").write_text("1")
    files = (Files(tmp_path / "program", "/opt/program"),)
    image = replace(IMAGE, train=Command(("train",)), files=files, folders=("/var/log/nginx",), path=("/opt/program",))
    made = Runtimes(Catalogue(), Environments(), identity, tmp_path / "containers").container(
        image, run(program=image.train)
    )
    own = {mount.target: mount for mount in made.mounts}
    assert (made.argv, made.warm) == (("train",), None)
    assert made.env["PATH"].startswith("/opt/program:")
    assert own["/opt/program"].copy_on_write
    shutil.rmtree(tmp_path / "program")
    assert Path(own["/opt/program"].source, "train").read_text() == "1"
    assert list(Path(own["/var/log/nginx"].source).iterdir()) == []
    with pytest.raises(WorkloadError, match="removed or replaced"):
        Runtimes(Catalogue(), Environments(), identity, tmp_path / "others").container(image, run())


def test_users_own_program_is_run_cold_with_python_on_its_path():
    made = runtimes().container(IMAGE, run(argv=("/bin/bash", "-c", "x")))
    assert (made.argv, made.warm) == (("/bin/bash", "-c", "x"), None)
    assert made.env["PATH"].startswith(f"{PYTHON.parent}:")
    assert any(PYTHON.is_relative_to(mount.target) for mount in made.mounts)
    changed = {mount.target for mount in made.mounts if mount.writable and mount.source != "/host"}
    assert changed <= {str(PYTHON.parent.parent)}
    assert all(mount.copy_on_write for mount in made.mounts if mount.target in changed)


def test_users_variables_win_over_the_contracts_and_the_images():
    made = runtimes().container(IMAGE, run(contract={"B": "contract", "C": "contract"}, env={"C": "user"}))
    assert [made.env[name] for name in "ABC"] == ["image", "contract", "user"]


def test_aws_clients_inside_find_clary_their_region_and_their_role():
    made = runtimes().container(IMAGE, run())
    assert made.api
    assert made.env["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4599"
    assert made.env["AWS_REGION"] == made.env["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert made.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] == "role/c1"
    assert made.env["PYTHONPATH"] in {mount.target for mount in made.mounts}


def test_isolated_container_has_neither_api_nor_credentials():
    made = runtimes().container(IMAGE, run(isolated=True))
    assert not made.api
    assert not [name for name in made.env if "CREDENTIALS" in name or "ENDPOINT" in name]


def test_container_that_acts_as_nobody():
    assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" not in runtimes().container(IMAGE, run(role="")).env


def test_role_that_cannot_be_assumed():
    def deny(_role, _container):
        raise AccessDenied("it is not there")

    with pytest.raises(WorkloadError, match="role role cannot be assumed: it is not there"):
        runtimes(who=deny).container(IMAGE, run())


def test_unknown_image_names_what_there_is():
    with pytest.raises(WorkloadError, match=r"Cannot find the image x. Known: i."):
        runtimes().image("x")


def test_environment_that_cannot_be_built_names_the_remedy():
    with pytest.raises(WorkloadError, match=r"Nothing to install from. Connect to a network."):
        runtimes(python=None).build(IMAGE, print)
