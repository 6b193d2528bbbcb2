"""Built-in XGBoost predicts dense rows where they are, byte for byte as from a matrix of them."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.unit.toolkit.containers import environment_python

PROGRAM = Path(__file__).with_name("in_place.py")
SOURCES = Path(__file__).parents[3] / "src"


@pytest.mark.parametrize("image", ["1.7-1", "3.0-5"])
def test_predictions_are_those_of_a_matrix(image):
    python = environment_python(f"sagemaker-xgboost:{image}")
    environment = {"PYTHONPATH": str(SOURCES), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([python, PROGRAM], env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["equal"] == found["all"] == 144
    assert found["in_place"] == 48  # of trees; never where boosters are linear, or forget trees
    assert found["lines"] == 252  # of 968 bodies, each the same as else
    assert found["refused"] == [True, True, True]  # what no float32 holds
