"""Programs of the images for compiled models, run as a container would."""

import subprocess

import pytest

from tests.unit.toolkit.containers import environment_python, opt, serve, sklearn_python

__all__ = ["opt", "serve", "sklearn_python"]

ACCOUNT = "785573368785.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture(scope="session")
def neo_python():
    return environment_python("xgboost-neo:latest", ACCOUNT)


@pytest.fixture
def run(opt):
    """Runs lines by a Python; what they print."""

    def start(python, text, *arguments):
        command = [python, "-W", "ignore", "-c", text, *map(str, arguments)]
        done = subprocess.run(command, env=opt.env, capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return start


@pytest.fixture
def compile_(opt):
    """Runs a compilation job's program; the result, and its failure file."""

    def start(python, framework, **config):
        opt.write("compilation.json", {"Framework": framework, **config})
        (opt.base / "output/failure").unlink(missing_ok=True)
        done = opt.train(python, "clary.algorithms.neo.compile")
        return done, opt.failure()

    return start
