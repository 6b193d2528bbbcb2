"""What tests of factorization machines share."""

import pytest

from tests.unit.algorithms.jobs import Job, image_of
from tests.unit.toolkit.containers import opt, serve

__all__ = ["opt", "serve"]

IMAGE = image_of("factorization-machines")


@pytest.fixture
def job(opt):
    return Job(opt, IMAGE)
