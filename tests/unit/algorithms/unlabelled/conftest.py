"""What tests of the algorithms without labels share: k-means and principal component analysis."""

import json
import random
import struct
import subprocess
from array import array
from math import prod
from pathlib import Path

import pytest

from tests.unit.algorithms.jobs import CSV, Job, image_of
from tests.unit.toolkit.containers import Opt, opt, serve, sklearn_python

__all__ = ["opt", "serve", "sklearn_python"]

KMEANS, PCA = image_of("kmeans"), image_of("pca")
ROWS = f"{CSV};label_size=0"
CLUSTERS = {"k": 4, "feature_dim": 2}
COMPONENTS = {"num_components": 2, "feature_dim": 3, "mini_batch_size": 50}
CORNERS = [(0, 0), (10, 0), (0, 10), (10, 10)]


def corners(rows=400, seed=1):
    """Around four points."""
    draw = random.Random(seed)
    return [tuple(round(x + draw.gauss(0, 0.5), 4) for x in CORNERS[row % 4]) for row in range(rows)]


def slope(rows=300, seed=2):
    """Three features that are nearly one: (t, 2t, -2t) around (10, 20, 30)."""
    draw = random.Random(seed)
    found = []
    for _ in range(rows):
        t = draw.gauss(0, 3)
        found.append((10 + t, 20 + 2 * t + draw.gauss(0, 0.1), 30 - 2 * t + draw.gauss(0, 0.1)))
    return [tuple(round(x, 4) for x in row) for row in found]


DATA = {KMEANS: (corners, CLUSTERS), PCA: (slope, COMPONENTS)}
"""An image's rows, and hyperparameters for them."""


@pytest.fixture
def kmeans(opt):
    return Job(opt, KMEANS)


@pytest.fixture
def pca(opt):
    return Job(opt, PCA)


@pytest.fixture(params=[KMEANS, PCA], ids=["kmeans", "pca"])
def either(request, opt):
    """A job of each, its rows, and hyperparameters for them."""
    rows, given = DATA[request.param]
    job = Job(opt, request.param)
    return job, rows(), dict(given)


@pytest.fixture
def hosts(tmp_path):
    """Makes a job on each of three hosts; nobody else's addresses on this machine."""
    network = f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}"
    addresses = [f"{network}.{number}" for number in (9, 10, 11)]

    def make(image):
        jobs = []
        for address in addresses:
            opt = Opt(tmp_path / address)
            opt.write("resourceconfig.json", {"current_host": address, "hosts": sorted(addresses)})
            jobs.append(Job(opt, image))
        return jobs

    return make


def run(hosts, **hyperparameters):
    processes = [job.start(**hyperparameters) for job in hosts]
    return [job.end(process) for job, process in zip(hosts, processes, strict=True)]


@pytest.fixture(scope="session")
def sets(tmp_path_factory, sklearn_python):
    """Folder of real data sets, and what scikit-learn reaches on them; see baselines.py."""
    folder = tmp_path_factory.mktemp("sets")
    subprocess.run([sklearn_python, Path(__file__).with_name("baselines.py"), folder], check=True, timeout=240)
    return folder, json.loads((folder / "scores.json").read_text())


def model(job):
    """The model's arrays as rows of numbers, read as MXNet does: {name: (shape, numbers)}; `0` where it has no name."""
    data = memoryview((job.opt.base / "model/model_algo-1").read_bytes())
    place = 0

    def take(layout):
        nonlocal place
        found = struct.unpack_from("<" + layout, data, place)
        place += struct.calcsize("<" + layout)
        return found

    assert take("QQ") == (0x112, 0)
    arrays = []
    for _ in range(*take("Q")):
        assert take("Ii") == (0xF993FAC9, 0)
        shape = take(f"{take('I')[0]}q")
        assert take("iii") == (1, 0, 0)
        arrays.append((shape, array("f", bytes(data[place : place + 4 * prod(shape)])).tolist()))
        place += 4 * prod(shape)
    names = [bytes(take(f"{take('Q')[0]}s")[0]).decode() for _ in range(*take("Q"))]
    assert place == len(data)
    return dict(zip(names or ["0"], arrays, strict=True))


def centers(job):
    """The rows of the model of k-means."""
    ((count, width), numbers) = model(job)["0"]
    return [tuple(numbers[row * width : (row + 1) * width]) for row in range(count)]
