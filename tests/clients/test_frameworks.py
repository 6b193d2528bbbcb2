"""Framework estimators by version, in every generation of the SDK: docs/frameworks.md."""

from __future__ import annotations

import re

import pytest

from clary.images.catalogue import Catalogue
from tests.clients.conftest import ROOT, SCRIPTS, RunScript

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]

OLD_TENSORFLOW = "520713654638.dkr.ecr.us-east-1.amazonaws.com/sagemaker-tensorflow-scriptmode:1.12.0-cpu-py3"
EXAMPLES = ROOT / "examples" / "frameworks"


def test_the_page_shows_pieces_of_its_programs() -> None:
    text = "".join(path.read_text() for path in sorted(EXAMPLES.rglob("*.py")))
    pieces = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "frameworks.md").read_text(), re.DOTALL)
    assert pieces
    assert [piece for piece in pieces if piece not in text] == []


def test_tensorflow_trains_by_script_and_answers_as_tensorflow_serving(sdk2: RunScript) -> None:
    output = sdk2(EXAMPLES / "tensorflow_houses.py")
    [error] = re.findall(r"root mean square error on 86 houses: ([0-9.]+)", output)
    assert float(error) < 5, output
    assert re.search(r"two houses: \[[0-9.]+, [0-9.]+\]", output), output


def test_hugging_face_is_fine_tuned_offline_and_answers_as_a_pipeline(sdk2: RunScript) -> None:
    output = sdk2(EXAMPLES / "huggingface_reviews.py")
    [right] = re.findall(r"right about (\d+) of 100 reviews", output)
    assert int(right) >= 60, output


@pytest.mark.long
def test_estimators_and_models_with_inference_code_of_their_own_in_sdk_2(sdk2: RunScript) -> None:
    """`ended`: MXNet, Chainer, RLEstimator; the message says what to use instead."""
    output = sdk2(SCRIPTS / "frameworks_sdk2.py")
    done = re.findall(r"^(\w+) done$", output, re.MULTILINE)
    assert done == ["scikit_learn", "xgboost", "tensorflow", "hugging_face", "ended"], output


@pytest.mark.long
def test_estimators_and_models_by_version_in_sdk_1(sdk1: RunScript) -> None:
    output = sdk1(SCRIPTS / "frameworks_sdk1.py")
    assert "scikit-learn 0.23.2" in output
    assert "model_dir is in S3: True" in output
    nearest = _environment(OLD_TENSORFLOW).split("-")[1]
    assert re.search(rf"tensorflow\S* 1\.12\.0 cannot be had .* {nearest} is used instead", output), output
    assert re.findall(r"refused: .*?(MXNet was retired|script_mode=True)", output) == [
        "MXNet was retired",
        "script_mode=True",
    ]


@pytest.mark.long
def test_images_by_version_in_sdk_3(sdk3: RunScript) -> None:
    output = sdk3(SCRIPTS / "frameworks_sdk3.py")
    assert "all frameworks" in output
    ran = re.findall(r"^ran on (\S+) (\S+) (\S+)$", output, re.MULTILINE)
    assert [version for _, version, _ in ran] == ["1.2.1", "1.7.4"]
    for image, version, python in ran:
        assert f"-{version}-py{python.replace('.', '')}-" in _environment(image)


def _environment(image: str) -> str:
    """What an image runs on, of what can be had on this machine: `sklearn-1.2.1-py39-…`."""
    return Catalogue().resolve(image).environment.key
