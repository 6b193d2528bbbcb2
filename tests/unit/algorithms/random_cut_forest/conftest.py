"""What tests of random cut forests share."""

import json
import random
import subprocess
from pathlib import Path

import pytest

from tests.unit.algorithms.jobs import CSV, Job, image_of
from tests.unit.toolkit.containers import Opt, opt, serve, sklearn_python

__all__ = ["opt", "serve", "sklearn_python"]

IMAGE = image_of("randomcutforest")
ROWS = f"{CSV};label_size=0"
SHARDED = {"S3DistributionType": "ShardedByS3Key"}


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


@pytest.fixture(scope="session")
def sets(tmp_path_factory, sklearn_python):
    """Folder of data sets, and what IsolationForest reaches on them; see baselines.py."""
    folder = tmp_path_factory.mktemp("sets")
    subprocess.run([sklearn_python, Path(__file__).with_name("baselines.py"), folder], check=True, timeout=240)
    return folder, json.loads((folder / "scores.json").read_text())
