"""`clary show` of a tuning that has run."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.running import RunningClary, wait_until
from tests.system.jobs import Jobs
from tests.system.tunings import ENDED, TUNING_SECONDS, Tunings

pytestmark = [pytest.mark.system]


def shown(clary: RunningClary, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clary.cli.main", "show", *words, "--data-dir", str(clary.data_dir)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_tuning_is_shown_in_the_terminal_and_as_a_page(clary, tmp_path):
    tunings = Tunings(Jobs(clary))
    name = tunings.start("pictures", tunings.definition(), jobs=3, parallel=1)
    wait_until(lambda: tunings.describe(name)["HyperParameterTuningJobStatus"] in ENDED, TUNING_SECONDS, "its end")
    best = tunings.describe(name)["BestTrainingJob"]["TrainingJobName"]
    said = shown(clary, name)
    assert said.returncode == 0, said.stderr
    assert f"best: {best}, loss" in said.stdout
    assert said.stdout.count("Completed") == 4
    page = tmp_path / "page.html"
    assert shown(clary, name, "--html", str(page)).returncode == 0
    assert best in page.read_text()
    assert "Best so far" in page.read_text()
    missing = shown(clary, "nothing")
    assert missing.returncode == 1
    assert "There is no hyperparameter tuning job called 'nothing'." in missing.stderr
