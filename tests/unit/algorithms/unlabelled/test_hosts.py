"""Several hosts find what one finds, each a process with an address of its own on the loopback network."""

import pytest

from tests.unit.algorithms.jobs import csv
from tests.unit.algorithms.unlabelled.conftest import (
    CLUSTERS,
    COMPONENTS,
    CORNERS,
    KMEANS,
    PCA,
    ROWS,
    centers,
    corners,
    model,
    run,
    slope,
)
from tests.unit.algorithms.unlabelled.test_jobs import near


def test_clusters_of_hosts_with_parts_of_the_data(hosts):
    """Each host has but one corner and a half of the data; the test data is on all of them."""
    rows, jobs = sorted(corners(600)), hosts(KMEANS)
    for number, job in enumerate(jobs):
        job.channel("train", csv(rows[number * 200 : (number + 1) * 200]), ROWS, S3DistributionType="ShardedByS3Key")
        job.channel("test", csv(CORNERS), ROWS, S3DistributionType="FullyReplicated")
    results = run(jobs, **CLUSTERS, eval_metrics='["msd","ssd"]', mini_batch_size=50)
    assert [result.code for result in results] == [0, 0, 0], results[0].log
    assert near(centers(jobs[0]), CORNERS)
    assert results[0].scores["train msd"] == pytest.approx(0.5, abs=0.05)
    assert results[0].scores["test ssd"] == pytest.approx(4 * results[0].scores["test msd"])
    assert [(job.opt.base / "model/model_algo-1").exists() for job in jobs] == [True, False, False]
    assert [bool(result.scores) for result in results] == [True, False, False]


@pytest.mark.parametrize(
    "mode", [{}, {"algorithm_mode": "randomized", "extra_components": 0}], ids=["regular", "random"]
)
def test_components_of_hosts_with_parts_of_the_data(hosts, pca, mode):
    """Twenty features, so that two random directions are fewer than all."""
    rows = [tuple(x * (column + 1) % 7 for column in range(6) for x in row) + (row[0],) * 2 for row in slope()]
    given = {**COMPONENTS, "feature_dim": 20, **mode}
    pca.channel("train", csv(rows), ROWS)
    pca.trained(**given)
    jobs = hosts(PCA)
    for number, job in enumerate(jobs):
        job.channel("train", csv(rows[number::3]), ROWS, S3DistributionType="ShardedByS3Key")
    results = run(jobs, **given)
    assert [result.code for result in results] == [0, 0, 0], results[0].log
    assert model(jobs[0])["s"][1] == pytest.approx(model(pca)["s"][1], rel=1e-3)


def test_too_few_rows_on_all_hosts_end_all_of_them(hosts):
    jobs = hosts(KMEANS)
    for job in jobs:
        job.channel("train", csv(CORNERS[:1]), ROWS)
    results = run(jobs, **CLUSTERS)
    assert [result.code for result in results] == [1, 1, 1]
    assert "The number of clusters, k=4, is larger than the number of examples, 3." in results[0].failure
