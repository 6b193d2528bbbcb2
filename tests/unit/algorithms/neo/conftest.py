"""Programs of the images for compiled models, run as a container would."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.unit.toolkit.containers import SOURCES, environment_python, opt, serve, sklearn_python

__all__ = ["opt", "serve", "sklearn_python"]

ACCOUNT = "785573368785.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture(scope="session")
def neo_python():
    return environment_python("xgboost-neo:latest", ACCOUNT)


def run(python, program, *arguments):
    """A file, or lines, run by a Python; what it prints."""
    what = [str(program)] if isinstance(program, Path) else ["-c", program]
    done = subprocess.run(
        [python, "-W", "ignore", *what, *map(str, arguments)],
        env={"PYTHONPATH": SOURCES, "PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
