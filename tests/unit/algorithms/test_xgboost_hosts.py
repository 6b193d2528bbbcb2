"""Built-in XGBoost on several hosts: real processes, each with its own /opt/ml and address."""

import contextlib
import random
import subprocess

import pytest

from clary.images.repository import ENV
from tests.running import wait_until
from tests.unit.algorithms.test_xgboost_jobs import HOUSES, TRAIN, Job, rounds
from tests.unit.toolkit.containers import Opt, environment_python

ASKED = [row[1:] for row in HOUSES[:5]]
IMAGES = ("0.90-2", "1.2-2", "1.7-1", "3.0-5")
"""One of each way in which XGBoost's hosts find one another."""


class Hosts:
    """Hosts of one job. Addresses are loopback's, at random: the ports are AWS's, the same for every job."""

    def __init__(self, folder, image, number):
        self.image, self.python = image, environment_python(f"sagemaker-xgboost:{image}")
        net = f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}"
        self.names = [f"{net}.{place + 1}" for place in range(number)]
        self.jobs = [Job(Opt(folder / name / "ml"), self.python) for name in self.names]
        for name, job in zip(self.names, self.jobs, strict=True):
            job.opt.write("resourceconfig.json", {"current_host": name, "hosts": self.names})

    def shard(self, rows, channel="train"):
        """Every host's share of the rows (ShardedByS3Key)."""
        for place, job in enumerate(self.jobs):
            job.channel(channel, "text/csv", job.csv(rows[place :: len(self.jobs)]))

    def run(self, **parameters):
        """Every host's outcome; a host that does not end within a minute has failed."""
        outputs = [job.opt.base / "said" for job in self.jobs]
        processes = []
        for job, output in zip(self.jobs, outputs, strict=True):
            job.opt.write("hyperparameters.json", {**job.parameters, **parameters})
            with output.open("w") as file:
                command = [self.python, "-m", TRAIN, self.image]
                env = {**job.opt.env, **ENV}
                processes.append(subprocess.Popen(command, env=env, stdout=file, stderr=subprocess.STDOUT))
        with contextlib.suppress(AssertionError):
            wait_until(lambda: all(process.poll() is not None for process in processes), 60, "every host has ended")
        for process in processes:
            process.kill()
        return [
            subprocess.CompletedProcess((), process.wait(), output.read_text())
            for process, output in zip(processes, outputs, strict=True)
        ]


@pytest.fixture
def hosts(tmp_path):
    return lambda image="1.7-1", number=2: Hosts(tmp_path, image, number)


@pytest.mark.parametrize("image", IMAGES)
def test_hosts_with_shards_make_the_model_of_all_rows(hosts, image, plainly):
    job = hosts(image, 3)
    job.shard(HOUSES)
    job.shard(HOUSES, "validation")
    results = job.run(num_round="8", tree_method="hist")
    assert [result.returncode for result in results] == [0, 0, 0], "\n".join(result.stdout for result in results)
    assert [len(rounds(result)) for result in results] == [8, 0, 0]
    assert [sorted(path.name for path in one.model.iterdir()) for one in job.jobs] == [["xgboost-model"], [], []]
    parameters = {"objective": "reg:squarederror", "tree_method": "hist"}
    together = plainly(job.python, model=str(job.jobs[0].model / "xgboost-model"), ask=ASKED)
    alone = plainly(job.python, train=HOUSES, parameters=parameters, rounds=8, ask=ASKED)
    assert together == pytest.approx(alone, rel=0.05)


def test_a_host_without_data_leaves_and_the_others_go_on(hosts):
    job = hosts(number=3)
    job.shard(HOUSES)
    job.shard(HOUSES, "validation")
    job.jobs[0].channel("train", "text/csv", "")
    results = job.run()
    assert [result.returncode for result in results] == [0, 0, 0], "\n".join(result.stdout for result in results)
    assert f"Host {job.names[0]} not being used for distributed training." in results[0].stdout
    assert [(one.model / "xgboost-model").exists() for one in job.jobs] == [False, True, False]


def test_one_host_with_data_trains_alone(hosts):
    job = hosts()
    for one in job.jobs:
        one.without("validation")
    job.jobs[1].channel("train", "text/csv", "")
    results = job.run()
    assert [len(rounds(result)) for result in results] == [5, 0]


def test_without_any_data_the_job_fails_on_every_host(hosts):
    job = hosts()
    for one in job.jobs:
        one.channel("train", "text/csv", "")
    assert [result.returncode for result in job.run()] == [1, 1]
    assert "No hosts received training data." in job.jobs[0].opt.failure()


@pytest.mark.parametrize("image", ["1.2-2", "1.7-1"])
def test_hosts_stop_early_in_the_same_round(hosts, image):
    """Metrics that the container adds are each host's own: the decision must not be."""
    job = hosts(image)
    job.shard(HOUSES)
    job.shard(HOUSES[150:], "validation")
    results = job.run(num_round="60", early_stopping_rounds="3", eval_metric="mse", eta="1", max_depth="2")
    assert [result.returncode for result in results] == [0, 0], "\n".join(result.stdout for result in results)
    assert 3 <= len(rounds(results[0])) < 60


def test_folds_of_several_hosts(hosts):
    job = hosts()
    job.shard(HOUSES)
    job.shard(HOUSES[150:], "validation")
    results = job.run(_kfold="2")
    assert [result.returncode for result in results] == [0, 0], "\n".join(result.stdout for result in results)
    names = [sorted(path.name for path in one.model.iterdir()) for one in job.jobs]
    assert names == [["xgboost-model-0", "xgboost-model-1"], []]
