"""The journeys of docs/: each page's program, run as it stands there."""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest

from tests.clients.conftest import ROOT, RunScript
from tests.clients.test_docs import commands
from tests.running import CLARY, RunningClary

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]

BUILD_SECONDS = 240
"""The image's environment is built where no test has needed it yet."""

PAGES = {
    "film-reviews.md": "film_reviews/reviews.py",
    "heart-failure.md": "heart_failure/both.py",
    "live-endpoint.md": "live_endpoint/live.py",
}


@pytest.mark.parametrize(("page", "program"), PAGES.items())
def test_a_page_shows_pieces_of_its_program(page: str, program: str) -> None:
    text = unindented((ROOT / "examples" / program).read_text())
    pieces = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)
    assert pieces
    assert [piece for piece in pieces if unindented(piece) not in text] == []


def unindented(text: str) -> str:
    """Lines as they are in a page, wherever in a program they stand."""
    return "".join(line.lstrip() + "\n" for line in text.splitlines())


def test_a_live_endpoint_changes_its_model_and_no_request_fails(sdk2: RunScript) -> None:
    output = sdk2(ROOT / "examples" / "live_endpoint" / "live.py")
    assert "requests that failed: 0" in output
    line = r"^(XGBoost alone|Linear Learner alone|half and half) +(\w+) +(\d+) answers"
    answers = {(phase, name): int(count) for phase, name, count in re.findall(line, output, re.MULTILINE)}
    assert ("Linear Learner alone", "Linear") in answers
    assert min(answers["half and half", "XGBoost"], answers["half and half", "Linear"]) >= 12, "of at least 60"
    errors = dict(re.findall(r"^(\w+): root mean square error ([0-9.]+)", output, re.MULTILINE))
    assert float(errors["XGBoost"]) < 5
    assert float(errors["Linear"]) < 6.5


def test_film_reviews_by_batch_and_one_by_one(sdk2: RunScript) -> None:
    output = sdk2(ROOT / "examples" / "film_reviews" / "reviews.py")
    [accuracy] = re.findall(r"accuracy of the batch on 161 reviews: ([0-9.]+)", output)
    assert float(accuracy) > 0.72
    assert re.findall(r"^(good|bad) ", output, re.MULTILINE) == ["good", "bad"]


def test_heart_failure_in_script_mode_and_as_a_program_image(clary: RunningClary, sdk2: RunScript) -> None:
    add, _ = commands("docs/heart-failure.md")
    command = [CLARY, *shlex.split(add)[1:], "--data-dir", clary.data_dir]
    subprocess.run(command, cwd=ROOT, check=True, timeout=BUILD_SECONDS)
    output = sdk2(ROOT / "examples" / "heart_failure" / "both.py")
    assert "answers that differ: 0" in output
    right = [float(share) for share in re.findall(r"right about ([0-9.]+) of", output)]
    assert len(right) == 2
    assert right[0] == right[1] > 0.7, output
