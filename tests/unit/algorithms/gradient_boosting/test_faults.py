"""What cannot be learned from, and wishes that cannot be met: each is the job's FailureReason in one sentence."""

import pytest

from tests.unit.algorithms.gradient_boosting.conftest import HOUSING, table

PRICES = table(HOUSING)
CLASSES = "".join(f"{n % 2},{n},{n * n % 7}\n" for n in range(40))


@pytest.mark.parametrize(
    ("task", "content", "reason"),
    [
        ("regression", "", "Channel 'train' is empty. Verify that it contains non-empty CSV files."),
        (
            "regression",
            "price" + 13 * ",x" + "\n" + PRICES,
            "'data.csv' begins with a header. The CSV must not have a header",
        ),
        ("regression", "1,2\n3,many\n5,6\n", "'data.csv' holds 'many' in row 2, column 2, which is no number."),
        ("regression", "1,2\n3,4,5\n", "Unable to read 'data.csv' as CSV: "),
        ("regression", "1\n2\n3\n", "Channel 'train' has one column only"),
        ("regression", "1,2\n", "The training data has one row only: nothing is left to validate with."),
        ("regression", "1,2\n,4\n3,5\n", "Channel 'train' has targets (the first column) that are no finite numbers."),
        ("regression", "nan,2\n1,4\n3,5\n", "Channel 'train' has targets (the first column) that are no finite"),
        ("regression", "7,1\n7,2\n7,3\n7,4\n", "Every target in the training data is 7. There is nothing to learn."),
        ("classification", "1,1\n1,2\n1,3\n1,4\n", "The training data has only one class, 1."),
        ("classification", "0.5,1\n1,2\n0,3\n", "The targets of the training data must be non-negative integers"),
        ("classification", "-1,1\n1,2\n-1,3\n1,3\n", "The targets of the training data must be non-negative integers"),
        ("classification", "0,1\n70000,2\n0,3\n70000,5\n0,1\n70000,4\n", "The largest class is 70000. Encode the"),
    ],
    ids=[
        *("empty", "header", "text", "ragged", "one column", "one row", "empty target", "nan target", "one target"),
        *("one class", "fractions", "negative", "gap"),
    ],
)
def test_data_that_nothing_can_be_learned_from(job, task, content, reason):
    assert job("lightgbm", task).file("train/data.csv", content).refused().startswith(f"ClientError: {reason}")


@pytest.mark.parametrize(
    ("channel", "reason"),
    [("test", "The job needs a channel 'training' or 'train'."), ("model", "The job needs a channel 'training'")],
)
def test_a_job_without_training_data(job, channel, reason):
    assert (
        job("lightgbm", "regression").file(f"{channel}/data.csv", PRICES).refused().startswith("ClientError: " + reason)
    )


def test_a_channel_that_nobody_knows(job):
    made = job("lightgbm", "regression").file("train/data.csv", PRICES).file("test/data.csv", PRICES)
    assert made.refused().startswith("ClientError: Channel 'test' is not known.")


def test_validation_data_of_another_width(job):
    made = job("lightgbm", "regression").file("train/data.csv", PRICES).file("validation/data.csv", "1,2\n3,4\n")
    assert made.refused() == "ClientError: Channel 'validation' has 1 features where 'train' has 13."


def test_a_class_that_was_never_learned(job):
    made = job("catboost", "classification").file("train/data.csv", CLASSES).file("validation/data.csv", "2,1,1\n")
    assert made.refused() == "ClientError: The validation data has the class 2, which the training data has not."


@pytest.mark.parametrize(
    ("described", "reason"),
    [
        ("[1]", "categorical_index.json must be like"),
        ('{"cat_index_list": [0]}', "'cat_index_list' in categorical_index.json must be a list of unique integers"),
        ('{"cat_index_list": [1, 1]}', "'cat_index_list' in categorical_index.json must be a list of unique integers"),
        ('{"cat_index_list": [99]}', "categorical_index.json names column 99, but channel 'train' has 14 columns."),
        ('{"cat_index_list": [1]}', "Column 1 of channel 'train' is categorical, but holds "),
    ],
    ids=["no object", "target", "twice", "too many", "fractions"],
)
def test_categorical_columns_that_make_no_sense(job, described, reason):
    made = job("lightgbm", "regression").file("train/data.csv", PRICES).file("train/categorical_index.json", described)
    assert made.refused().startswith("ClientError: " + reason)


def test_two_json_files(job):
    made = job("lightgbm", "regression").file("train/train/data.csv", PRICES)
    made.file("train/categorical_index.json", "{}").file("train/train/other.json", "{}")
    assert made.refused().startswith("ClientError: There is more than one JSON file: ")


@pytest.mark.parametrize(
    ("library", "given", "reason"),
    [
        ("lightgbm", {"learning_rate": 0}, "The value '0' is not valid for the 'learning_rate' hyperparameter"),
        ("lightgbm", {"boosting": "best"}, "The value 'best' is not valid for the 'boosting' hyperparameter"),
        ("lightgbm", {"metric": "auc"}, "LightGBM cannot train: "),
        ("lightgbm", {"is_unbalance": "True", "scale_pos_weight": 2}, "The hyperparameters 'is_unbalance' and"),
        ("catboost", {"depth": 17}, "The value '17' is not valid for the 'depth' hyperparameter"),
        ("catboost", {"eval_metric": "Beauty"}, "CatBoost cannot train: "),
        ("catboost", {"boosting_type": "Ordered", "grow_policy": "Lossguide"}, "The hyperparameter 'boosting_type'"),
    ],
    ids=["range", "word", "foreign metric", "together", "depth", "catboost's metric", "ordered"],
)
def test_hyperparameters_that_are_not_valid(job, library, given, reason):
    task = "classification" if "metric" in given else "regression"
    content = "".join(f"{n % 3},{n},{n * n % 7}\n" for n in range(60)) if task == "classification" else PRICES
    assert job(library, task).file("train/data.csv", content).refused(**given).startswith("ClientError: " + reason)


@pytest.mark.parametrize("library", ["lightgbm", "catboost"])
def test_hyperparameters_that_nobody_knows_have_no_effect_and_are_told(job, library):
    made = job(library, "regression").file("train/data.csv", PRICES)
    assert "does not know, without effect: num_leafs, objective" in made.trained(num_leafs=3, objective="x").log


def test_catboost_on_several_hosts(job):
    made = job("catboost", "regression").file("train/data.csv", PRICES)
    made.opt.write("resourceconfig.json", {"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]})
    assert made.refused() == "ClientError: CatBoost trains on one instance; this job has 2."
