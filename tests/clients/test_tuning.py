"""Hyperparameter tuning in each generation of the SDK and by boto3: the programs of docs/tuning.md as they stand."""

from __future__ import annotations

import re

import pytest

from tests.clients.conftest import ROOT, SCRIPTS, RunScript

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]

PAGE = (ROOT / "docs" / "tuning.md").read_text()
PROGRAMS = ROOT / "examples" / "tuning"
ENDED = r"^(\w+) (Completed|Failed|Stopped) (\d+) (\d+)$"


PROGRAMS_SHOWN = ("low_level", "reviews", "reviews_low_level", "scripts/words", "sdk1", "sdk2", "sdk3")


@pytest.mark.parametrize("program", PROGRAMS_SHOWN)
def test_the_page_shows_pieces_of_its_programs(program: str) -> None:
    assert f"examples/tuning/{program}.py" in PAGE
    assert (PROGRAMS / f"{program}.py").exists()


def test_every_piece_of_the_page_stands_in_a_program() -> None:
    texts = [path.read_text() for path in PROGRAMS.rglob("*.py")]
    pieces = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert pieces
    assert [piece for piece in pieces if not any(piece in text for text in texts)] == []


def errors(output: str) -> list[float]:
    return [float(value) for value in re.findall(r"root mean square error.*: ([0-9.]+)", output)]


def test_sdk_2_tunes_attaches_transforms_deploys_goes_on_and_stops(sdk2: RunScript) -> None:
    output = sdk2(PROGRAMS / "sdk2.py")
    assert "jobs: 12" in output
    batch, endpoint = errors(output)
    assert batch == endpoint < 4.5
    [best] = re.findall(r"^best: houses-\S+ ([0-9.]+)", output, re.MULTILINE)
    [overall] = re.findall(r"^best of both: ([0-9.]+)", output, re.MULTILINE)
    assert float(overall) <= float(best)
    assert re.search(r"tried: \{'lines': .*3.*, 'trees': .*3.*\} - best: trees", output), output
    assert "stopped: Stopped" in output


def test_sdk_1_tunes_attaches_transforms_and_deploys(sdk1: RunScript) -> None:
    output = sdk1(PROGRAMS / "sdk1.py")
    assert "jobs: 6" in output
    batch, endpoint = errors(output)
    assert batch == endpoint < 4.5


def test_sdk_3_tunes_and_deploys(sdk3: RunScript) -> None:
    output = sdk3(PROGRAMS / "sdk3.py")
    assert "jobs: 6" in output
    [error] = errors(output)
    assert error < 4.5


def test_boto3_tunes_ranks_and_transforms(sdk2: RunScript) -> None:
    output = sdk2(PROGRAMS / "low_level.py")
    assert "Completed {'Completed': 8," in output
    ranked = [float(value) for value in re.findall(r"^houses-low-level-\S+ ([0-9.]+)", output, re.MULTILINE)]
    assert len(ranked) == 3
    assert ranked == sorted(ranked)
    [error] = errors(output)
    assert error < 4.5


@pytest.mark.parametrize("program", ["reviews.py", "reviews_low_level.py"])
def test_film_reviews_by_a_script_of_ones_own(sdk2: RunScript, program: str) -> None:
    output = sdk2(PROGRAMS / program)
    [accuracy] = re.findall(r"accuracy of the batch on 161 reviews: ([0-9.]+)", output)
    assert float(accuracy) > 0.72


def test_sdk_2_autotunes_ends_by_criteria_and_transfers_what_was_learned(sdk2: RunScript) -> None:
    output = sdk2(SCRIPTS / "tuning_options.py")
    ended = {name: (status, int(done)) for name, status, done, _ in re.findall(ENDED, output, re.MULTILINE)}
    assert ended["autotune"] == ("Completed", 3)
    assert ended["grid"] == ("Completed", 3)
    assert ended["transfer"] == ("Completed", 2)
    assert ended["hyperband"][0] == "Completed"
    assert ended["target"][1] <= 3, "the first objective was good enough"
    assert "parents True" in output
