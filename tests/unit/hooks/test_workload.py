"""What a folder of a repository is built to."""

import shutil

import pytest

from clary.hooks.hook import Hook
from clary.hooks.workload import HookWorkload
from clary.images.own import OwnImages
from clary.settings import Settings
from clary.workload.errors import WorkloadError

COMMIT = "7638417db6d59f3c431d3e1f261cc637155684cd"
HOOK = Hook(
    name="heights",
    account="000000000000",
    region="us-east-1",
    repository="https://example.org/h.git",
    branch="main",
    folder="program",
    requirements="",
    python="",
    image="heights:stable",
    role="",
    steps={},
    secret="",
    token="",
    local=False,
)


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "data" / "hooks" / "heights" / "1"
    (folder / "program").mkdir(parents=True)
    return folder


@pytest.fixture
def build(tmp_path, checkout):
    settings = Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache", compute="sandbox")
    workload = HookWorkload(settings, OwnImages(settings.images_dir, settings.account_id))
    lines = []

    def built():
        return workload.build(HOOK, 1, COMMIT, lines.append, lambda: False, None)

    built.workload, built.settings = workload, settings
    return built


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "program has neither `train` nor `serve`"),
        ({"Dockerfile": "FROM scratch"}, "A Dockerfile needs a container engine"),
        ({"train": "", "requirements.txt": "--index-url https://example.org"}, "is an option of pip's"),
    ],
    ids=["nothing", "no-engine", "options"],
)
def test_what_cannot_be_built_is_said_without_a_path_of_this_machine(tmp_path, checkout, build, files, why):
    for name, text in files.items():
        (checkout / "program" / name).write_text(text)
    with pytest.raises(WorkloadError, match=why) as refused:
        build()
    assert str(tmp_path) not in refused.value.reason


def test_a_folder_that_is_not_there_is_said(checkout, build):
    shutil.rmtree(checkout / "program")
    with pytest.raises(WorkloadError, match="no folder program"):
        build()


def test_what_no_run_goes_on_with_is_swept(build, checkout):
    other = checkout.parent / "2"
    other.mkdir()
    (checkout.parent / "new-x").mkdir()
    build.workload.sweep([("heights", 1)])
    assert [path.name for path in checkout.parent.iterdir()] == ["1"]
    build.workload.clear("heights")
    assert not checkout.parent.exists()
