"""Images of the user's own: what a name means, and what becomes of it."""

import json

import pytest

from clary.errors import ClaryError
from clary.images.base import Command
from clary.images.catalogue import Catalogue, ImageNotFound
from clary.images.own import OwnImages
from clary.images.programs import assemble, mime_types, requirements_of

ACCOUNT = "000000000000"
ECR = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.fixture
def program(tmp_path):
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "train").write_text("#!/bin/sh\n")
    (folder / "serve").write_text("#!/bin/sh\nnginx -c /opt/program/nginx.conf\n")
    (folder / "__pycache__").mkdir()
    return folder


@pytest.fixture
def own(tmp_path):
    return OwnImages(tmp_path / "images", ACCOUNT)


def add(own, tmp_path, program, name="modeling:latest", requirements=("flask",)):
    fresh = tmp_path / "images" / "new-1"
    fresh.mkdir(parents=True)
    return own.put(name, assemble(program, requirements, "3.11", fresh), fresh, 1.0)


@pytest.mark.parametrize("uri", ["modeling", "modeling:latest", f"{ECR}/modeling", f"{ECR}/modeling:latest"])
def test_a_name_is_known_with_and_without_its_registry(own, tmp_path, program, uri):
    add(own, tmp_path, program)
    image = Catalogue(own=own).resolve(uri)
    assert (image.uri, image.train, image.serve) == (uri, Command(("train",)), Command(("serve",)))
    assert (image.workdir, image.path[0]) == ("/opt/program", "/opt/program")
    assert "flask" in image.environment.requirements


@pytest.mark.parametrize("uri", ["modeling:2", "111122223333.dkr.ecr.us-east-1.amazonaws.com/modeling", "../x", "a b"])
def test_other_tags_and_other_accounts_are_unknown(own, tmp_path, program, uri):
    add(own, tmp_path, program)
    with pytest.raises(ImageNotFound):
        Catalogue(own=own).resolve(uri)


def test_a_whole_address_keeps_its_account(own, tmp_path, program):
    add(own, tmp_path, program, "111122223333.dkr.ecr.us-east-1.amazonaws.com/modeling:1")
    assert own.find("111122223333.dkr.ecr.eu-west-1.amazonaws.com/modeling:1")
    assert own.find("modeling:1") is None


def test_names_of_aws_registries_stay_theirs(own, tmp_path, program):
    add(own, tmp_path, program, "sagemaker-xgboost:1.7-1")
    found = Catalogue(own=own).resolve("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1")
    assert found.built_in


def test_adding_again_replaces_and_leaves_nothing_behind(own, tmp_path, program):
    first = add(own, tmp_path, program)
    (program / "train").write_text("#!/bin/sh\nexit 3\n")
    second = add(own, tmp_path, program)
    assert first.image.id != second.image.id
    assert own.all() == [second]
    assert {path.name for path in (tmp_path / "images").iterdir() if path.is_dir()} == {second.image.id}
    own.remove("modeling")
    assert own.find("modeling") is None
    with pytest.raises(ClaryError, match="clary images list"):
        own.remove("modeling")


def test_programs_become_executable_and_nginx_finds_its_types(own, tmp_path, program):
    entry = add(own, tmp_path, program)
    root = tmp_path / "images" / entry.image.id
    assert (root / "program/train").stat().st_mode & 0o111 == 0o111
    assert not (root / "program/__pycache__").exists()
    assert "text/html htm html" in (root / "etc/mime.types").read_text()
    assert json.loads((tmp_path / "images/index.json").read_text())[0]["image"]["nginx"]


def test_a_folder_without_programs_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ClaryError, match="neither `train` nor `serve`"):
        assemble(tmp_path / "empty", (), "3.11", tmp_path / "fresh")


def test_requirements_are_packages_not_options(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text("# the server\nflask==3.0  # web\n\ngunicorn>=20\n")
    assert requirements_of(path) == ["flask==3.0", "gunicorn>=20"]
    path.write_text("--index-url https://example.com\n")
    with pytest.raises(ClaryError, match="option of pip's"):
        requirements_of(path)


def test_mime_types_are_a_block_of_nginx():
    assert mime_types().startswith("types {\n")
    assert "application/json json;" in mime_types()
