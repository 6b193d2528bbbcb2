"""What tests of Linear Learner share."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.unit.algorithms.jobs import Job, image_of
from tests.unit.toolkit.containers import opt, serve, sklearn_python

__all__ = ["opt", "serve", "sklearn_python"]


IMAGE = image_of("linear-learner")


@pytest.fixture
def job(opt):
    return Job(opt, IMAGE)


@pytest.fixture(scope="session")
def sets(tmp_path_factory, sklearn_python):
    """Folder of data sets, and what scikit-learn reaches on them; see baselines.py."""
    folder = tmp_path_factory.mktemp("sets")
    subprocess.run([sklearn_python, Path(__file__).with_name("baselines.py"), folder], check=True, timeout=240)
    return folder, json.loads((folder / "scores.json").read_text())
