"""Which files are for what: the layouts that AWS's page and notebooks describe."""

import json
import re

import pytest

from tests.unit.algorithms.gradient_boosting.conftest import HOUSING, PATIENTS, table

PRICES = table(HOUSING).splitlines(keepends=True)
TRAIN, VALIDATION = "".join(PRICES[:400]), "".join(PRICES[400:])
SETTINGS = {"num_boost_round": 10, "early_stopping_rounds": 0}


@pytest.mark.parametrize(
    "places",
    [("training/train/data.csv", "training/validation/data.csv"), ("train/a.csv", "validation/b.csv")],
    ids=["one channel", "two channels"],
)
def test_validation_data_is_found(job, places):
    made = job("lightgbm", "regression").file(places[0], TRAIN).file(places[1], VALIDATION)
    assert "400 examples for training, 106 for validation" in made.trained(**SETTINGS).log


def test_several_files_are_one_table(job):
    made = job("lightgbm", "regression").file("train/a.csv", "".join(PRICES[:200]))
    made.file("train/b.csv", "".join(PRICES[200:400])).file("train/empty.csv", "").file("validation/v.csv", VALIDATION)
    assert "400 examples for training, 106 for validation" in made.trained(**SETTINGS).log


def test_a_fifth_of_each_class_is_held_back(job):
    made = job("lightgbm", "classification").file("training/data.csv", table(PATIENTS))
    assert "240 examples for training, 59 for validation" in made.trained(**SETTINGS).log


def test_categorical_columns_are_learned_as_such(job):
    """LightGBM's text holds the range of a number, `[1:24]`, but each category, `1:2:24`."""
    made = job("lightgbm", "regression").file("training/train/data.csv", TRAIN)
    made.file("training/categorical_index.json", json.dumps({"cat_index_list": [9]}))
    result = made.trained(**SETTINGS)
    assert "13 features, 1 of them categorical" in result.log
    [infos] = re.findall(r"^feature_infos=(.*)", result.model.joinpath("model.txt").read_text(), re.MULTILINE)
    assert [number for number, info in enumerate(infos.split()) if not info.startswith("[")] == [8]


def test_catboost_takes_categorical_columns(job):
    made = job("catboost", "regression").file("train/data.csv", TRAIN)
    made.file("train/categorical_index.json", json.dumps({"cat_index_list": [4, 9]}))
    assert "2 of them categorical" in made.trained(iterations=5).log


def test_empty_cells_are_missing_values(job):
    holes = "".join(",".join([row.split(",")[0], "", *row.split(",")[2:]]) for row in PRICES)
    for library in ("lightgbm", "catboost"):
        made = job(library, "regression").file("train/data.csv", holes)
        made.trained(**(SETTINGS if library == "lightgbm" else {"iterations": 5}))


def test_the_channel_of_a_model_address_is_not_data(job):
    made = job("lightgbm", "regression").file("training/data.csv", TRAIN).file("model/train.tar.gz", "")
    made.trained(**SETTINGS)
