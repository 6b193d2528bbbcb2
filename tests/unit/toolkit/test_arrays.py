"""Arrays in answers."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.unit.toolkit.containers import environment_python

PROGRAM = Path(__file__).with_name("written_arrays.py")
SOURCES = Path(__file__).parents[3] / "src"


@pytest.mark.parametrize("image", ["sagemaker-scikit-learn:0.23-1", "sagemaker-xgboost:3.0-5"])
def test_csv_is_what_pythons_own_writer_makes(image):
    command = [environment_python(image), PROGRAM]
    done = subprocess.run(command, env={"PYTHONPATH": str(SOURCES)}, stdout=subprocess.PIPE, check=True)
    assert json.loads(done.stdout) == [True] * 12
