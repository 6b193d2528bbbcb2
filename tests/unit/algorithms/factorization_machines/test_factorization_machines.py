"""Factorization machines as AWS's image has them
(https://docs.aws.amazon.com/sagemaker/latest/dg/fact-machines.html): jobs, their quality, answers, faults.

No public source shows the texts for labels; those on hyperparameters are as for AWS's other algorithms.
"""

import json
import random
import statistics

import pytest

from clary.formats import recordio
from clary.formats.recordio import Record, Tensor
from tests.unit.algorithms.factorization_machines.conftest import IMAGE
from tests.unit.algorithms.jobs import RECORDIO, serving
from tests.unit.algorithms.jobs import records as records_of_rows

USERS, ITEMS = 60, 40
WIDTH = USERS + ITEMS
GIVEN = {"feature_dim": WIDTH, "num_factors": 4, "predictor_type": "regressor", "mini_batch_size": 100}
LEARNED = {
    **GIVEN,
    "epochs": 40,
    "factors_lr": 0.03,
    "linear_lr": 0.03,
    "factors_init_sigma": 0.1,
    "factors_wd": 0.0001,
}
DIGITS = {
    "predictor_type": "binary_classifier",
    "mini_batch_size": 100,
    "epochs": 30,
    "linear_lr": 0.02,
    "factors_lr": 0.02,
    "factors_init_sigma": 0.1,
    "factors_wd": 0.001,
}
"""As `benchmarks.algorithms` times them."""


def ratings():
    """What users think of items: tastes in two dimensions, and nothing that a linear model could see of them."""
    chance = random.Random(7)
    tastes = [(chance.gauss(0, 1), chance.gauss(0, 1)) for _ in range(USERS)]
    kinds = [(chance.gauss(0, 1), chance.gauss(0, 1)) for _ in range(ITEMS)]
    pairs = [(u, i) for u in range(USERS) for i in range(ITEMS)]
    chance.shuffle(pairs)
    return [(u, i, 3 + tastes[u][0] * kinds[i][0] + tastes[u][1] * kinds[i][1]) for u, i in pairs]


RATINGS = ratings()
TRAIN, TEST = RATINGS[:2000], RATINGS[2000:]
SPREAD = (sum((r - 3) ** 2 for *_, r in TEST) / len(TEST)) ** 0.5


def records(rows, label=lambda rating: rating):
    return recordio.write(
        Record({"values": Tensor([1.0, 1.0], [u, USERS + i], [WIDTH])}, {"values": Tensor([label(r)])})
        for u, i, r in rows
    )


def liked(rating):
    return float(rating > 3)


def test_it_learns_what_no_linear_model_can(job):
    job.channel("train", records(TRAIN), RECORDIO)
    job.channel("test", records(TEST), RECORDIO)
    result = job.trained(**LEARNED)
    assert result.scores["test rmse"] < 0.3 * SPREAD
    assert result.epochs == 40
    assert result.last("totaltime") > 0


def test_digits_are_told_as_well_as_by_the_reference_library(job, digits):
    """The job reads records only: CSV is for other algorithms of AWS's."""
    folder, reached = digits
    for name in ("train", "test"):
        rows = [[float(value) for value in line.split(",")] for line in (folder / f"{name}.csv").read_text().split()]
        job.channel(name, records_of_rows(rows), RECORDIO)
    result = job.trained(**DIGITS, feature_dim=reached["features"], num_factors=reached["factors"])
    accuracy = result.scores["test binary_classification_accuracy"]
    assert accuracy >= statistics.mean(reached["machines"]) - 0.01  # two of the 497 rows are a seed's luck
    assert accuracy >= reached["linear"] + 0.04


def test_classes_are_learned_and_answered(job, serve):
    job.channel("train", records(TRAIN, liked), RECORDIO)
    job.channel("test", records(TEST, liked), RECORDIO)
    result = job.trained(**{**LEARNED, "predictor_type": "binary_classifier"})
    assert result.scores["test binary_classification_accuracy"] > 0.85
    assert result.scores["test binary_classification_cross_entropy"] < 0.45
    server = serve(job.python, *serving(IMAGE))
    user, item, rating = max(TEST, key=lambda row: row[2])
    asked = {"instances": [{"data": {"features": {"keys": [user, USERS + item], "values": [1, 1], "shape": [WIDTH]}}}]}
    status, body, _ = server.invoke(json.dumps(asked), "application/json")
    (row,) = json.loads(body)["predictions"]
    assert (status, row["predicted_label"], rating > 3) == (200, 1.0, True)
    assert row["score"] > 0.5


def test_regression_is_answered_in_protobuf(job, serve):
    job.channel("train", records(TRAIN), RECORDIO)
    job.trained(**LEARNED)
    server = serve(job.python, *serving(IMAGE))
    status, body, _ = server.invoke(records(TEST[:3]), RECORDIO, Accept=RECORDIO)
    found = [record.label["score"].values[0] for record in recordio.read(body)]
    assert status == 200
    assert found == pytest.approx([rating for *_, rating in TEST[:3]], abs=1.0)


def test_the_same_data_make_the_same_model(job):
    models = []
    for _ in range(2):
        job.channel("train", records(TRAIN), RECORDIO)
        job.trained(**GIVEN, epochs=2)
        models.append((job.opt.base / "model/model_algo-1").read_bytes())
    assert models[0] == models[1]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"num_factors": 0}, "The value '0' is not valid for the 'num_factors' hyperparameter"),
        ({"predictor_type": "ranker"}, "The value 'ranker' is not valid for the 'predictor_type' hyperparameter"),
        ({"factor_lr": 1}, "Additional hyperparameters are not allowed ('factor_lr' was unexpected)"),
        ({"feature_dim": 7}, "The training data has 100 features, which is not the value of feature_dim, 7."),
        ({"mini_batch_size": 100_000}, "No training data processed."),
    ],
    ids=["no factors", "another predictor", "unknown", "too narrow", "too few rows"],
)
def test_hyperparameters_that_do_not_hold(job, wrong, said):
    job.channel("train", records(TRAIN[:200]), RECORDIO)
    result = job.run(**{**GIVEN, **wrong})
    assert result.code == 1
    assert said in result.failure


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (records([(1, 1, 3.0)] * 100), "holds labels other than 0 and 1"),
        (records([(1, 1, float("nan"))] * 100), "holds values that are no finite numbers"),
        (b"user,item,rating\n1,2,3\n", "Unable to read data channel 'train'"),
        (b"", "No training data processed."),
    ],
    ids=["other labels", "not a number", "CSV", "empty"],
)
def test_data_that_cannot_be_learned_from(job, content, said):
    job.channel("train", content, RECORDIO)
    result = job.run(**{**GIVEN, "predictor_type": "binary_classifier"})
    assert result.code == 1
    assert result.failure.startswith("ClientError: ")
    assert said in result.failure


def test_predictions_without_bounds_are_refused(job, serve):
    job.channel("train", records(TRAIN), RECORDIO)
    job.trained(**LEARNED)
    server = serve(job.python, *serving(IMAGE))
    huge = recordio.write([Record({"values": Tensor([3e38, 3e38], [0, USERS], [WIDTH])}, {})])
    said = b"unable to evaluate payload provided: its prediction is no finite number"
    assert server.invoke(huge, RECORDIO)[:2] == (400, said)
    assert server.invoke(records(TEST[:1]), RECORDIO)[0] == 200


def test_more_memory_than_there_is(job):
    job.channel("train", records(TRAIN[:200]), RECORDIO)
    result = job.run(**{**GIVEN, "feature_dim": 10**13})
    assert result.code == 1
    assert result.failure.startswith("ClientError: Please use an instance type with more memory")


@pytest.mark.parametrize(
    ("rows", "given"),
    [
        ([(row % 7, row % 5, 1e30 * (row % 3)) for row in range(200)], {}),
        ([(row % 7, row % 5, row % 3) for row in range(200)], {"factors_init_sigma": 1e30}),
    ],
    ids=["labels", "start"],
)
def test_parameters_without_bounds_are_no_model(job, rows, given):
    """No public source shows AWS's words for it."""
    job.channel("train", records(rows), RECORDIO)
    result = job.run(**GIVEN, **given)
    assert (result.code, result.failure[: len(DIVERGED)]) == (1, DIVERGED)
    assert not (job.opt.base / "model/model_algo-1").exists()


DIVERGED = "ClientError: The training has diverged: parameters are no finite numbers after epoch 1."
