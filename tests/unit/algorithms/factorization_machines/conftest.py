"""What tests of factorization machines share."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.environments import python_of
from tests.unit.algorithms.jobs import Job, image_of
from tests.unit.toolkit.containers import opt, serve

__all__ = ["opt", "serve"]

IMAGE = image_of("factorization-machines")


@pytest.fixture
def job(opt):
    return Job(opt, IMAGE)


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """Folder of a data set, and what the reference library reaches on it; see baselines.py."""
    folder = tmp_path_factory.mktemp("digits")
    subprocess.run([python_of("myfm"), Path(__file__).with_name("baselines.py"), folder], check=True, timeout=240)
    return folder, json.loads((folder / "accuracy.json").read_text())
