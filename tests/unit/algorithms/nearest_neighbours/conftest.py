"""What tests of k-nearest neighbours share."""

import random
import subprocess
from pathlib import Path

import pytest

from tests.unit.algorithms.jobs import Job, image_of
from tests.unit.toolkit.containers import Opt, opt, serve

__all__ = ["opt", "serve"]

IMAGE = image_of("knn")


@pytest.fixture
def job(opt):
    return Job(opt, IMAGE)


@pytest.fixture
def hosts(tmp_path):
    """A job on each of two hosts; nobody else's addresses on this machine."""
    network = f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}"
    addresses = [f"{network}.{number}" for number in (9, 10)]
    jobs = []
    for address in addresses:
        opt = Opt(tmp_path / address)
        opt.write("resourceconfig.json", {"current_host": address, "hosts": addresses})
        jobs.append(Job(opt, IMAGE))
    return jobs


@pytest.fixture
def checked(job):
    """Runs checks.py in the image's environment: what it prints."""

    def run(name):
        command = [job.python, Path(__file__).with_name("checks.py"), name]
        done = subprocess.run(command, env=job.opt.env, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
