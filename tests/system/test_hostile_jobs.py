"""Jobs that mean harm, on a started Clary: the server goes on, the neighbour ends well, their own reason says why."""

from __future__ import annotations

import pytest

from tests.running import RunningClary
from tests.system.jobs import Jobs

pytestmark = [pytest.mark.system]

FILLS_ITS_DISK = """\
import os
for number in range(10**6):
    with open(os.path.join(os.environ["SM_MODEL_DIR"], str(number)), "wb") as file:
        for _ in range(64):
            file.write(os.urandom(2**20))
"""
IGNORES_EVERYTHING = """\
import os, signal, time
for _ in range(20):
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(4730)
print("forked", flush=True)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(1)
"""


def test_a_job_that_fills_its_volume_fails_alone(clary: RunningClary) -> None:
    jobs = Jobs(clary)
    jobs.start("hog", FILLS_ITS_DISK)
    jobs.start("neighbour", IGNORES_EVERYTHING)
    assert jobs.ended("neighbour")["TrainingJobStatus"] == "Completed"
    ended = jobs.ended("hog")
    assert ended["TrainingJobStatus"] == "Failed"
    assert "No space left on device" in ended["FailureReason"]
    assert jobs.describe("neighbour")["TrainingJobStatus"] == "Completed"
