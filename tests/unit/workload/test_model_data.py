"""One of many models on its way into a container."""

from __future__ import annotations

import io
import tarfile

import pytest

from clary.names import model_name
from clary.workload.bundle import Bundle, make_folder
from clary.workload.errors import WorkloadError
from clary.workload.model_data import fetch_target

MANY = {"ModelDataUrl": "s3://b/models"}


@pytest.fixture
def bundle(tmp_path):
    made = Bundle(tmp_path / "bundle")
    made.clear()
    make_folder(made.models)
    return made


def archive(*members: tarfile.TarInfo) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for member in members:
            tar.addfile(member)
    return made.getvalue()


def link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


def test_it_is_there_as_a_whole_and_nothing_is_left_beside_it(storage, put, bundle):
    put({"models/a/b.tar.gz": archive(tarfile.TarInfo("model"))})
    fetch_target(storage, MANY, bundle, "a/b.tar.gz")
    assert (bundle.models / model_name("a/b.tar.gz") / "model" / "model").is_file()
    assert list(bundle.scratch.iterdir()) == []


def test_names_are_opaque_and_cannot_climb():
    assert model_name("../../etc") != model_name("../etc")
    assert model_name("../../etc").isalnum()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, r"Failed to download model data\(bucket: b, key: models/m.tar.gz\)"),
        (b"text", "Failed to extract model data archive"),
        (archive(tarfile.TarInfo("../out")), "Failed to extract model data archive"),
        (archive(link("out", "/etc"), tarfile.TarInfo("out/passwd")), "Failed to extract model data archive"),
    ],
    ids=["nothing", "no archive", "climbs", "climbs by a link"],
)
def test_what_is_no_model_leaves_nothing(storage, put, bundle, content, said):
    put({"models/m.tar.gz": content} if content is not None else {})
    with pytest.raises(WorkloadError, match=said):
        fetch_target(storage, MANY, bundle, "m.tar.gz")
    assert [*bundle.models.iterdir(), *bundle.scratch.iterdir()] == []
    assert not (bundle.root / "out").exists()


def test_the_role_must_have_the_right_to_read_it(storage, put, bundle, forbidden):
    put({"models/m.tar.gz": archive(tarfile.TarInfo("model"))})
    forbidden.add("s3:GetObject")
    with pytest.raises(WorkloadError, match="has permissions to download the model"):
        fetch_target(storage, MANY, bundle, "m.tar.gz")
