"""Several hosts train one model, each a process with an address of its own on the loopback network."""

import random

import pytest

from tests.unit.algorithms.jobs import CSV, Job, csv
from tests.unit.algorithms.linear_learner.conftest import IMAGE
from tests.unit.algorithms.linear_learner.test_jobs import BINARY, CLASSES, REGRESSOR, corners, line, sides
from tests.unit.toolkit.containers import Opt


@pytest.fixture
def addresses():
    """Of three hosts, in an order that is not that of their text; nobody else's on this machine."""
    network = f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}"
    return [f"{network}.{number}" for number in (9, 10, 11)]


@pytest.fixture
def hosts(tmp_path, addresses):
    """A job on each host."""
    jobs = []
    for address in addresses:
        opt = Opt(tmp_path / address)
        opt.write("resourceconfig.json", {"current_host": address, "hosts": sorted(addresses)})
        jobs.append(Job(opt, IMAGE))
    return jobs


def run(hosts, **hyperparameters):
    processes = [job.start(**hyperparameters) for job in hosts]
    return [job.end(process) for job, process in zip(hosts, processes, strict=True)]


@pytest.mark.parametrize(("rows", "given"), [(line(600), REGRESSOR), (sides(600), BINARY), (corners(600), CLASSES)])
def test_hosts_with_parts_of_the_data_learn_what_one_learns_from_all(hosts, job, rows, given):
    job.channel("train", csv(rows))
    alone = job.trained(**given, epochs=30).scores
    for number, host in enumerate(hosts):
        host.channel("train", csv(rows[number::3]), CSV, S3DistributionType="ShardedByS3Key")
    results = run(hosts, **given, epochs=30)
    assert [result.code for result in results] == [0, 0, 0], results[0].log
    name = "train mse" if "train mse" in alone else next(name for name in alone if name.endswith("accuracy"))
    allowed = {"abs": 0.5} if name == "train mse" else {"abs": 0.02}
    assert results[0].scores[name] == pytest.approx(alone[name], **allowed)


def test_only_the_first_host_writes_the_model_and_tells_scores(hosts):
    for host in hosts:
        host.channel("train", csv(sides()), CSV)
        host.channel("validation", csv(sides(100, 8)), CSV)
    results = run(hosts, **BINARY)
    assert [(host.opt.base / "model/model_algo-1").exists() for host in hosts] == [True, False, False]
    assert [bool(result.scores) for result in results] == [True, False, False]


def test_hosts_may_have_different_numbers_of_rows(hosts):
    for rows, host in zip((500, 60, 130), hosts, strict=True):
        host.channel("train", csv(line(rows)), CSV)
    results = run(hosts, **REGRESSOR)
    assert [result.code for result in results] == [0, 0, 0], results[0].log


def test_bad_data_on_one_host_ends_all_of_them(hosts):
    for number, host in enumerate(hosts):
        host.channel("train", b"a,b\n" * 60 if number == 1 else csv(line()), CSV)
    results = run(hosts, **REGRESSOR)
    assert [result.code for result in results] == [1, 1, 1]
    assert results[0].failure == "ClientError: Another host of this job could not use its data."
    assert "could not convert string to float: 'a'" in results[1].failure


def test_a_host_that_is_killed_ends_the_others(hosts):
    for host in hosts:
        host.channel("train", csv(line(2000)), CSV)
    processes = [host.start(**REGRESSOR, epochs=1_000_000, early_stopping_patience=1_000_000) for host in hosts]
    while "progress_metric" not in processes[0].stdout.readline():
        pass
    processes[2].kill()
    results = [host.end(process) for host, process in zip(hosts, processes, strict=True)]
    assert [result.code for result in results] == [1, 1, -9]
    assert "Lost the connection between the hosts of this job" in results[0].failure
