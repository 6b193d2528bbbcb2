"""k-nearest neighbours as AWS's image has them (https://docs.aws.amazon.com/sagemaker/latest/dg/k-nearest-neighbors.html):
jobs, indexes, answers, hosts, faults.

No public source shows the texts for labels and for too few rows; those on hyperparameters are as for AWS's other
algorithms. That products and cosines are told with the nearest last is how AWS's own notebooks read them.
"""

import json
import os
import random
import subprocess
import threading

import pytest

from clary.formats import recordio
from clary.images.catalogue import Catalogue
from clary.workload.metrics import final_metrics
from tests.unit.algorithms.jobs import CSV, RECORDIO, csv, records, serving
from tests.unit.algorithms.nearest_neighbours.conftest import IMAGE

GIVEN = {"feature_dim": 4, "k": 5, "predictor_type": "classifier", "sample_size": 1000}
INDEXES = {
    "flat": {"index_type": "faiss.Flat"},
    "lists": {"index_type": "faiss.IVFFlat"},
    "lists of its own": {"index_type": "faiss.IVFFlat", "faiss_index_ivf_nlists": 7},
    "quantized": {"index_type": "faiss.IVFPQ", "faiss_index_pq_m": 3},
    "quantized of itself": {"index_type": "faiss.IVFPQ"},
    "cosine": {"index_metric": "COSINE"},
    "signs": {"dimension_reduction_type": "sign", "dimension_reduction_target": 3},
    "transformed": {
        "dimension_reduction_type": "fjlt",
        "dimension_reduction_target": 3,
        "index_type": "faiss.IVFPQ",
        "faiss_index_pq_m": 4,
    },
}


def flowers(rows, seed=1):
    """Label first: three kinds, which lie in other directions."""
    draw = random.Random(seed)
    middles = [(9, 1, 1, 2), (1, 9, 2, 1), (2, 1, 9, 9)]
    kinds = [draw.randrange(3) for _ in range(rows)]
    return [(float(kind), *(round(x + draw.gauss(0, 1), 3) for x in middles[kind])) for kind in kinds]


TRAIN, TEST = flowers(600), flowers(100, seed=2)


@pytest.mark.parametrize(
    "name",
    ["exact", "digits", "cosines", "sizes", "grouped", "grouped_by_training", "indexes", "reductions", "majorities"],
)
def test_the_search(checked, name):
    checked(name)


@pytest.mark.parametrize("given", INDEXES.values(), ids=INDEXES)
def test_every_index_finds_the_class(job, given):
    job.channel("train", records(TRAIN), RECORDIO)
    job.channel("test", records(TEST), RECORDIO)
    result = job.trained(**GIVEN, **given)
    assert result.scores["test accuracy"] > 0.9
    assert result.scores["test macro_f_1.000"] > 0.9
    assert "WARNING" not in result.log


def test_values_are_predicted_and_told(job):
    rows = [(x + 2 * y, x, y) for x in range(20) for y in range(20)]
    job.channel("train", csv(rows), CSV)
    job.channel("test", csv([(30.5, 10.2, 10.1)]), CSV)
    result = job.trained(feature_dim=2, k=4, predictor_type="regressor", sample_size=400)
    assert result.scores == {"test mse": pytest.approx(0.25**2)}
    defined = [{"Name": one.name, "Regex": one.regex} for one in Catalogue().resolve(IMAGE).metric_definitions]
    metrics = final_metrics([(0, line) for line in result.log.splitlines()], defined)
    assert {metric["MetricName"] for metric in metrics} == {"train:progress", "train:throughput", "test:mse"}


LINE = [(float(x // 2), float(x), 1.0) for x in range(10)]
ON_A_LINE = {"feature_dim": 2, "k": 3, "predictor_type": "classifier", "sample_size": 10}


@pytest.fixture
def line(job, serve):
    """Ten rows on a line, two of a class: serves them with more hyperparameters."""

    def start(**given):
        job.channel("train", csv(LINE), CSV)
        job.trained(**{**ON_A_LINE, **given})
        return serve(job.python, *serving(IMAGE))

    return start


def test_answers_are_labels_and_verbose_ones_their_neighbours(line):
    server = line()
    assert json.loads(server.invoke("4.2,1")[1]) == {"predictions": [{"predicted_label": 2.0}]}
    body = server.invoke("4.2,1\n0,1", Accept="application/json; verbose=true")[1]
    first, second = json.loads(body)["predictions"]
    assert first["labels"] == [2.0, 2.0, 1.0]
    assert first["distances"] == pytest.approx([0.2, 0.8, 1.2], abs=1e-6)
    assert second == {"predicted_label": 0.0, "distances": [0.0, 1.0, 2.0], "labels": [0.0, 0.0, 1.0]}
    lines = server.invoke("4.2,1\n0,1", Accept="application/jsonlines; verbose=true")[1].splitlines()
    assert [json.loads(text) for text in lines] == [first, second]


def test_products_are_told_from_smallest_to_largest(line):
    server = line(index_metric="INNER_PRODUCT")
    (row,) = json.loads(server.invoke("1,0", Accept="application/json; verbose=true")[1])["predictions"]
    assert row == {"predicted_label": 4.0, "distances": [7.0, 8.0, 9.0], "labels": [3.0, 4.0, 4.0]}


def test_answers_in_protobuf_hold_the_vectors(line):
    server = line()
    status, body, headers = server.invoke("4.2,1", Accept=f"{RECORDIO}; verbose=true")
    (record,) = recordio.read(body)
    assert (status, headers["Content-Type"]) == (200, RECORDIO)
    assert list(record.label["predicted_label"].values) == [2.0]
    assert list(record.label["labels"].values) == [2.0, 2.0, 1.0]
    assert len(record.label["distances"].values) == 3


def test_lists_with_too_few_rows_are_not_the_end(line):
    """Ten lists of one row each: three neighbours lie in three lists."""
    server = line(index_type="faiss.IVFFlat", faiss_index_ivf_nlists=10)
    (row,) = json.loads(server.invoke("4.2,1", Accept="application/json; verbose=true")[1])["predictions"]
    assert row["labels"] == [2.0, 2.0, 1.0]


def test_a_sample_is_as_large_as_it_is_told(job, serve):
    job.channel("train", csv([(row, row, 1) for row in range(500)]), CSV)
    job.trained(feature_dim=2, k=50, predictor_type="regressor", sample_size=50)
    server = serve(job.python, *serving(IMAGE))
    (row,) = json.loads(server.invoke("0,1", Accept="application/json; verbose=true")[1])["predictions"]
    assert row["labels"] == sorted(set(row["labels"]))
    assert len(row["labels"]) == 50
    assert row["predicted_label"] == pytest.approx(250, abs=60)


def test_pipes_are_read_and_the_same_job_gives_the_same_model(job):
    given = {**GIVEN, "sample_size": 200, "index_type": "faiss.IVFFlat"}
    models = []
    for mode in ("File", "Pipe"):
        job.channel("train", csv(TRAIN), CSV, TrainingInputMode=mode)
        pipe = job.opt.base / "input/data/train_0"
        if mode == "Pipe":
            os.mkfifo(pipe)
            threading.Thread(target=pipe.write_bytes, args=(csv(TRAIN),)).start()
        job.trained(**given)
        models.append((job.opt.base / "model/model_algo-1").read_bytes())
    assert models[0] == models[1]


@pytest.mark.parametrize("kept", ["ShardedByS3Key", "FullyReplicated"])
def test_hosts_sample_together(hosts, serve, kept):
    """Each half of the rows or all of them: 30 different rows of both halves are in the model."""
    rows = [(row, row, 1) for row in range(60)]
    for place, job in enumerate(hosts):
        part = rows if kept == "FullyReplicated" else rows[place::2]
        for name in ("train", "test"):
            job.channel(name, csv(part), CSV, S3DistributionType=kept)
    started = [job.start(feature_dim=2, k=30, predictor_type="regressor", sample_size=30) for job in hosts]
    results = [job.end(process) for job, process in zip(hosts, started, strict=True)]
    assert [result.code for result in results] == [0, 0], results
    assert "test mse" in results[0].scores
    assert not (hosts[1].opt.base / "model/model_algo-1").exists()
    hosts[0].opt.write("resourceconfig.json", {"current_host": "algo-1", "hosts": ["algo-1"]})
    command = [hosts[0].python, "-c", _LABELS, str(hosts[0].opt.base / "model")]
    labels = json.loads(_output(command, hosts[0].opt.env))
    assert len(set(labels)) == 30
    assert {label % 2 for label in labels} == {0, 1}


_LABELS = """
import pathlib, sys
from clary.algorithms import knn
from clary.algorithms.base import archive
print(archive.read(pathlib.Path(sys.argv[1]), "clary-knn-1")[1]["labels"].tolist())
"""


def _output(command, env):
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=240, check=True).stdout


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"k": 0}, "The value '0' is not valid for the 'k' hyperparameter"),
        ({"k": None}, "No value(s) were specified for 'k' which are required hyperparameter(s)"),
        ({"neighbors": 3}, "Additional hyperparameters are not allowed ('neighbors' was unexpected)"),
        ({"predictor_type": "ranker"}, "which accepts one of the following: 'classifier', 'regressor'"),
        ({"index_type": "hnsw"}, "which accepts one of the following: 'faiss.Flat', 'faiss.IVFFlat', 'faiss.IVFPQ'"),
        ({"index_metric": "L1"}, "which accepts one of the following: 'L2', 'INNER_PRODUCT', 'COSINE'"),
        ({"index_type": "faiss.IVFPQ", "index_metric": "COSINE"}, "where 'index_type' is 'faiss.IVFPQ'"),
        ({"faiss_index_pq_m": 5}, "The value '5' is not valid for the 'faiss_index_pq_m' hyperparameter"),
        ({"faiss_index_ivf_nlists": "some"}, "a string which matches the pattern '^auto$'"),
        ({"dimension_reduction_type": "sign"}, "specified for 'dimension_reduction_target' which are required"),
        ({"dimension_reduction_type": "fjlt", "dimension_reduction_target": 4}, "less than 'feature_dim'"),
        ({"feature_dim": 5}, "The training data has 4 features, which is not the value of feature_dim, 5."),
        ({"k": 700}, "The number of neighbors, k=700, is larger than the number of sampled examples, 600."),
        ({"k": 9, "sample_size": 8}, "k=9, is larger than the number of sampled examples, 8."),
        (
            {"index_type": "faiss.IVFFlat", "faiss_index_ivf_nlists": 601},
            "faiss_index_ivf_nlists=601 is larger than the number of sampled examples, 600.",
        ),
        (
            {"sample_size": 1, "k": 1, "index_type": "faiss.IVFPQ"},
            "index_type=faiss.IVFPQ needs 2 sampled examples at least, and there is 1.",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_hyperparameters_that_do_not_hold(job, wrong, said):
    job.channel("train", csv(TRAIN), CSV)
    given = {name: value for name, value in {**GIVEN, **wrong}.items() if value is not None}
    result = job.run(**given)
    assert result.code == 1
    assert said in result.failure


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"", CSV, "No training data processed."),
        (b"label,a,b,c,d\n1,2,3,4,5\n", CSV, "could not convert string to float: 'label'"),
        (b"1,2,nan,4,5\n", CSV, "Channel 'train' holds values that are no finite numbers."),
        (csv(TRAIN), RECORDIO, "Unable to read data channel 'train'"),
        (csv(TRAIN), f"{CSV};label_size=0", "'text/csv;label_size=0' is not one of"),
    ],
    ids=["empty", "header", "not a number", "no records", "no labels"],
)
def test_data_that_cannot_be_learned_from(job, content, kind, said):
    job.channel("train", content, kind)
    result = job.run(**GIVEN)
    assert result.code == 1
    assert result.failure.startswith("ClientError: ")
    assert said in result.failure


def test_one_class_is_always_predicted(job):
    job.channel("train", csv([(7, *row[1:]) for row in TRAIN]), CSV)
    job.channel("test", csv([(7, *row[1:]) for row in TEST]), CSV)
    assert job.trained(**GIVEN).scores == {"test accuracy": 1.0, "test macro_f_1.000": 1.0}
