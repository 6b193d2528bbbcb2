"""PyTorch by real SDKs: the film reviews of docs/sentiment.md, and distributed training by SDK 3."""

from __future__ import annotations

import re

import pytest

from tests.clients.conftest import ROOT, SCRIPTS, RunScript
from tests.running import RunningClary

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]

SENTIMENT = ROOT / "examples" / "sentiment"
CHANCE = 0.5


def test_the_page_shows_pieces_of_its_programs() -> None:
    text = "".join(path.read_text() for path in SENTIMENT.rglob("*.py"))
    pieces = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "sentiment.md").read_text(), re.DOTALL)
    assert pieces
    assert [piece for piece in pieces if piece not in text] == []


def judged(output: str) -> float:
    """The accuracy on the reviews that were not trained on, where the two new ones are told right."""
    assert re.findall(r"^(good|bad) ", output, re.MULTILINE) == ["good", "bad"]
    [accuracy] = re.findall(r"accuracy on 161 reviews: ([0-9.]+)", output)
    return float(accuracy)


def test_pytorch_0_4_is_answered_by_the_nearest_and_said_so(sdk1: RunScript) -> None:
    output = sdk1(SENTIMENT / "by_sdk1.py")
    assert re.search(r"torch 0\.4\.0 cannot be had on this machine; torch [\d.]+ is used instead\.", output)
    assert judged(output) > CHANCE + 0.1


def test_a_script_trains_and_its_own_predict_answers_plain_text(sdk2: RunScript) -> None:
    output = sdk2(SENTIMENT / "sentiment.py")
    assert "BCELoss" in output
    assert judged(output) > CHANCE + 0.1


def test_a_script_comes_from_s3_from_git_with_dependencies_and_by_the_images_address(sdk2: RunScript) -> None:
    output = sdk2(SCRIPTS / "pytorch_sources.py")
    said = re.findall(r"^said: (.*) 2\.0$", output, re.MULTILINE)
    assert said == ["from S3", "from git", "with dependencies", "by address"], output


@pytest.mark.long
def test_model_trainers_torchrun_spans_two_hosts(clary: RunningClary, sdk3: RunScript) -> None:
    [job] = re.findall(r"^job: (.*)$", sdk3(SCRIPTS / "torchrun.py"), re.MULTILINE)
    events = clary.client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{job}/"
    )["events"]
    said = "\n".join(event["message"] for event in events)
    assert sorted(re.findall(r"rank (\d) of 4: sum 4", said)) == ["0", "1", "2", "3"], said
