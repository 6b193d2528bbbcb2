"""Random Cut Forest as AWS's image has it (https://docs.aws.amazon.com/sagemaker/latest/dg/randomcutforest.html):
quality, jobs, answers, hosts, faults.

No public source shows the texts for labels; those on hyperparameters and channels are as for AWS's other algorithms.
"""

import json
import os
import random
import statistics
import threading

import pytest

from clary.formats import recordio
from clary.formats.recordio import Record, Tensor
from clary.images.catalogue import Catalogue
from clary.workload.metrics import final_metrics
from tests.unit.algorithms.jobs import CSV, RECORDIO, csv, serving
from tests.unit.algorithms.random_cut_forest.conftest import IMAGE, ROWS, SHARDED

GIVEN = {"feature_dim": 2}
NOISE = 0.015
"""Of the ROC-AUC: three times its standard deviation over seeds on the tumors, 0.004, 0.003 that of scikit-learn's."""


def cloud(rows=500, seed=1):
    """Around (100, -100)."""
    draw = random.Random(seed)
    return [(round(100 + draw.gauss(0, 1), 4), round(-100 + draw.gauss(0, 3), 4)) for _ in range(rows)]


LABELLED = [(0.0, *row) for row in cloud(200, seed=2)] + [(1.0, 100 + 9 * side, -100.0) for side in (-1, 1)]


def scores(server, body, **headers):
    status, answer, _ = server.invoke(body, **headers)
    assert status == 200, answer
    return [row["score"] for row in json.loads(answer)["scores"]]


def auc(found, anomalous):
    """How often an anomaly scores higher than another row."""
    high = [score for score, is_so in zip(found, anomalous, strict=True) if is_so]
    low = [score for score, is_so in zip(found, anomalous, strict=True) if not is_so]
    return sum((a > b) + (a == b) / 2 for a in high for b in low) / (len(high) * len(low))


@pytest.mark.parametrize("name", ["tumors", "spikes"])
def test_anomalies_are_told_as_well_as_by_isolation_forests(job, serve, sets, name):
    """At least as well as scikit-learn's, but for the noise of the seeds of both."""
    folder, reached = sets
    job.channel("train", folder / f"{name}.csv", ROWS, **SHARDED)
    job.trained(feature_dim=reached[name]["features"], num_trees=300)
    found = scores(serve(job.python, *serving(IMAGE)), (folder / f"{name}.csv").read_bytes())
    assert auc(found, reached[name]["anomalous"]) >= statistics.mean(reached[name]["auc"]) - NOISE


@pytest.mark.parametrize("odd", [[(1e15, -100.0)], [(-999999999.0, -100.0)] * 40], ids=["slip", "filler"])
def test_small_anomalies_are_seen_beside_huge_ones(job, serve, odd):
    """What stands for missing numbers, and a slip of the pen, leave the others' digits."""
    job.channel("train", csv([*cloud(), *odd]), ROWS, **SHARDED)
    job.trained(**GIVEN)
    found = scores(serve(job.python, *serving(IMAGE)), csv([*cloud(50, seed=3), (107, -100)]))
    assert found[-1] > 1.3 * max(found[:-1])


def test_spikes_are_three_deviations_above_the_mean(job, serve):
    """As in AWS's notebook of New York's taxis; of 1,990 usual values half a percent lies as far outside."""
    draw = random.Random(3)
    spikes = set(draw.sample(range(2000), 10))
    values = [draw.gauss(0, 1) + 25 * draw.choice([-1, 1]) * (step in spikes) for step in range(2000)]
    job.channel("train", csv([(value,) for value in values]), ROWS, **SHARDED)
    job.trained(feature_dim=1)
    found = scores(serve(job.python, *serving(IMAGE)), csv([(value,) for value in values]))
    bound = statistics.mean(found) + 3 * statistics.pstdev(found)
    said = {step for step, score in enumerate(found) if score > bound}
    assert said >= spikes
    assert len(said - spikes) <= 10
    assert statistics.median(found) == pytest.approx(0.8, abs=0.3)


def test_a_labelled_channel_tests_the_forest(job):
    job.channel("train", csv(cloud()), ROWS, **SHARDED)
    job.channel("test", csv(LABELLED), CSV)
    result = job.trained(**GIVEN)
    assert result.scores["test recall"] == 1.0
    assert 0.2 < result.scores["test f1"] < 1
    assert result.scores["test accuracy"] > 0.95
    assert result.scores["test negative_precision"] == 1.0
    defined = [{"Name": one.name, "Regex": one.regex} for one in Catalogue().resolve(IMAGE).metric_definitions]
    metrics = final_metrics([(0, line) for line in result.log.splitlines()], defined)
    assert {metric["MetricName"] for metric in metrics} == {"train:progress", "train:throughput", "test:f1"}


def test_eval_metrics_say_which(job):
    job.channel("train", csv(cloud()), ROWS, **SHARDED)
    job.channel("test", csv(LABELLED), CSV)
    assert set(job.trained(**GIVEN, eval_metrics='["accuracy"]').scores) == {"test accuracy"}
    assert "test accuracy" not in job.trained(**GIVEN, eval_metrics="['precision_recall_fscore']").scores


def test_test_data_of_one_class(job):
    job.channel("train", csv(cloud()), ROWS, **SHARDED)
    job.channel("test", csv(LABELLED[:200]), CSV)
    result = job.trained(**GIVEN)
    assert (result.scores["test f1"], result.scores["test recall"]) == (0.0, 0.0)


@pytest.fixture
def server(job, serve):
    job.channel("train", csv(cloud()), ROWS, **SHARDED)
    job.trained(**GIVEN)
    return serve(job.python, *serving(IMAGE))


def test_answers_are_scores_in_every_type(server):
    body = "100,-100\n130,-100"
    usual, odd = scores(server, body)
    assert usual < 1 < odd
    lines = server.invoke(body, Accept="application/jsonlines")[1].splitlines()
    assert [json.loads(line) for line in lines] == [{"score": usual}, {"score": odd}]
    assert server.invoke(body, Accept="text/csv")[1] == f"{usual}\n{odd}\n".encode()
    found = recordio.read(server.invoke(body, Accept=RECORDIO)[1])
    assert [record.label["score"].values[0] for record in found] == pytest.approx([usual, odd])


def test_requests_may_be_records_or_sparse(server):
    (wanted,) = scores(server, "0,-100")
    dense = recordio.write([Record({"values": Tensor([0.0, -100.0])}, {})])
    assert scores(server, dense, content_type=RECORDIO) == [wanted]
    features = {"keys": [1], "shape": [2], "values": [-100.0]}
    for instance in ({"data": {"features": features}}, {"features": [0, -100]}):
        asked = json.dumps({"instances": [instance]})
        assert scores(server, asked, content_type="application/json") == [wanted]


def test_one_row_scores_as_it_does_among_many(server):
    rows = cloud(3000, seed=8)
    assert scores(server, csv(rows))[1234] == pytest.approx(scores(server, csv([rows[1234]]))[0])


def test_rows_that_are_alike_are_no_anomalies(job, serve):
    job.channel("train", csv([(5, 5)] * 300 + [(6, 5)]), ROWS, **SHARDED)
    job.trained(**GIVEN, num_samples_per_tree=301)
    usual, rare, other = scores(serve(job.python, *serving(IMAGE)), "5,5\n6,5\n40,40")
    assert usual < 0.7 < rare < other


@pytest.mark.parametrize("rows", [1, 3])
def test_fewer_rows_than_a_tree_would_have(job, serve, rows):
    job.channel("train", csv(cloud(rows)), ROWS, **SHARDED)
    job.trained(**GIVEN)
    assert len(scores(serve(job.python, *serving(IMAGE)), "1,2\n3,4")) == 2


def test_pipes_are_read_and_the_same_job_gives_the_same_model(job):
    models = []
    for mode in ("File", "Pipe"):
        job.channel("train", csv(cloud()), ROWS, TrainingInputMode=mode, **SHARDED)
        if mode == "Pipe":
            pipe = job.opt.base / "input/data/train_0"
            os.mkfifo(pipe)
            threading.Thread(target=pipe.write_bytes, args=(csv(cloud()),)).start()
        job.trained(**GIVEN)
        models.append((job.opt.base / "model/model_algo-1").read_bytes())
    assert models[0] == models[1]


def test_hosts_grow_the_forest_that_one_would(hosts, job, opt):
    rows = cloud(900)
    for place, one in enumerate(hosts):
        one.channel("train", csv(rows[place * 450 : (place + 1) * 450]), ROWS, **SHARDED)
        one.channel("test", csv(LABELLED[place::2]), CSV, **SHARDED)
    started = [one.start(**GIVEN) for one in hosts]
    results = [one.end(process) for one, process in zip(hosts, started, strict=True)]
    assert [result.code for result in results] == [0, 0], results
    job.channel("train", csv(rows), ROWS, **SHARDED)
    job.channel("test", csv(LABELLED), CSV)
    assert job.trained(**GIVEN).scores == results[0].scores
    assert (hosts[0].opt.base / "model/model_algo-1").read_bytes() == (opt.base / "model/model_algo-1").read_bytes()
    assert not (hosts[1].opt.base / "model/model_algo-1").exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"feature_dim": None}, "No value(s) were specified for 'feature_dim' which are required hyperparameter(s)"),
        ({"feature_dim": 10_001}, "an integer between 1 and 10000"),
        ({"num_trees": 49}, "The value '49' is not valid for the 'num_trees' hyperparameter"),
        ({"num_trees": 1001}, "an integer between 50 and 1000"),
        ({"num_samples_per_tree": 2049}, "an integer between 1 and 2048"),
        ({"eval_metrics": '["auc"]'}, "a JSON list of the following: 'accuracy', 'precision_recall_fscore'"),
        ({"trees": 50}, "Additional hyperparameters are not allowed ('trees' was unexpected)"),
        ({"feature_dim": 3}, "The training data has 2 features, which is not the value of feature_dim, 3."),
    ],
    ids=["missing", "wide", "few", "many", "large", "auc", "unknown", "narrow"],
)
def test_hyperparameters_that_do_not_hold(job, wrong, said):
    job.channel("train", csv(cloud()), ROWS, **SHARDED)
    given = {name: value for name, value in {**GIVEN, **wrong}.items() if value is not None}
    result = job.run(**given)
    assert result.code == 1
    assert said in result.failure


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"", ROWS, "No training data processed."),
        (b"a,b\n1,2\n", ROWS, "could not convert string to float: 'a'"),
        (b"1,nan\n", ROWS, "Channel 'train' holds values that are no finite numbers."),
        (csv(cloud()), CSV, "The first column of CSV is its label, unless the content type says label_size=0."),
        (csv(cloud()), RECORDIO, "Unable to read data channel 'train'"),
    ],
    ids=["empty", "header", "not a number", "labelled", "no records"],
)
def test_data_that_no_forest_grows_from(job, content, kind, said):
    job.channel("train", content, kind, **SHARDED)
    result = job.run(**GIVEN)
    assert result.code == 1
    assert result.failure.startswith("ClientError: ")
    assert said in result.failure


@pytest.mark.parametrize(
    ("spread", "test", "said"),
    [
        ("FullyReplicated", (csv(LABELLED), CSV), "'FullyReplicated' is not one of ['ShardedByS3Key']"),
        ("ShardedByS3Key", (csv([(2, 1, 1)]), CSV), "holds labels other than 0 for normal and 1 for anomalous"),
        ("ShardedByS3Key", (csv(cloud(9)), ROWS), "Channel 'test' has no labels"),
    ],
    ids=["replicated", "other labels", "no labels"],
)
def test_channels_that_do_not_hold(job, spread, test, said):
    job.channel("train", csv(cloud()), ROWS, S3DistributionType=spread)
    job.channel("test", *test)
    assert said in job.run(**GIVEN).failure
