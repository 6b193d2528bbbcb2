"""AWS's SDK for JavaScript, version 3, in a Node with `clary env`; without Node and npm there is nothing to test."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import output
from tests.environments import ROOT
from tests.running import RunningClary

pytestmark = [
    pytest.mark.clients,
    pytest.mark.xdist_group("clients"),
    pytest.mark.skipif(not (shutil.which("node") and shutil.which("npm")), reason="needs Node and npm"),
]

HERE = Path(__file__).parent / "javascript"
INSTALL_SECONDS = 300
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
MODEL = """
def model_fn(folder):
    return None

def input_fn(body, content_type):
    return body

def predict_fn(text, model):
    if "fail" in str(text):
        raise ValueError("as asked")
    return "seen"

def output_fn(answer, accept):
    return answer
"""


@pytest.fixture(scope="module")
def installed() -> Path:
    """A folder with the packages of the lock file beside the program; installed on first use."""
    folder = ROOT / ".cache" / "clients" / "javascript"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    stamp = folder / f".{hashlib.sha256((HERE / 'package-lock.json').read_bytes()).hexdigest()[:16]}"
    if not stamp.exists():
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=INSTALL_SECONDS)
        stamp.touch()
    return folder


@pytest.fixture(scope="module")
def said(clary: RunningClary, installed: Path) -> dict[str, Any]:
    """What the program prints, by name."""
    shutil.copy(HERE / "journey.mjs", installed)
    lines = output(clary, "node", installed / "journey.mjs", clary.role_arn, IMAGE, _archive()).splitlines()
    return {name: json.loads(value) for name, value in (_split(line) for line in lines)}


def _split(line: str) -> tuple[str, str]:
    start = min(place for place in map(line.find, '["0123456789') if place > 0)
    return line[: start - 1], line[start:]


def _archive() -> str:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(MODEL.encode())
        archive.addfile(member, io.BytesIO(MODEL.encode()))
    return base64.b64encode(made.getvalue()).decode()


def test_objects_come_back_whole_in_ranges_and_with_checksums(said: dict[str, Any]) -> None:
    assert said["object"] == ["hello", {"kind": "text"}, True, "NhCmhg=="]
    assert said["range"] == ["ell", "bytes 1-3/5"]
    assert said["stream"] == 140_000
    assert said["listed"] == [["stream"], ["folder/"]]


def test_an_upload_in_parts_is_one_object_with_a_composite_checksum(said: dict[str, Any]) -> None:
    assert said["parts"] == [True, True]


def test_versions_are_listed_page_by_page_and_read(said: dict[str, Any]) -> None:
    assert said["versions"] == ["two", "one"]


def test_refusals_are_the_sdks_own_errors(said: dict[str, Any]) -> None:
    assert said["unchanged"][1] == 304
    assert said["missing"] == ["NoSuchKey", 404]
    assert said["no head"] == ["NotFound", 404]
    assert said["gone"] == ["NoSuchBucket", 404]
    assert said["again"] == said["no job"] == ["ValidationException", 400]
    assert said["wrong key"] == ["SignatureDoesNotMatch", 403]


def test_a_role_is_assumed(said: dict[str, Any]) -> None:
    assert said["who"].endswith("assumed-role")
    assert said["assumed"] == [True, True]


def test_an_endpoint_is_made_awaited_and_asked_also_in_a_stream(said: dict[str, Any]) -> None:
    assert (said["model"], said["models"], said["endpoint"]) == ([True, True], 1, "SUCCESS")
    assert said["answer"] == ["seen", "all"]
    assert said["streamed"] == "seen"
    assert said["failed"] == ["ModelError", 424, 500]


def test_many_objects_and_versions_are_deleted_at_once(said: dict[str, Any]) -> None:
    assert said["emptied"] == [6, [], 0]
