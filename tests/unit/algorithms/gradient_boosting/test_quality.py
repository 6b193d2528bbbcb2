"""Models equal those that the libraries train by themselves on the same data, and predict as well."""

import pytest

from tests.unit.algorithms.gradient_boosting.conftest import HOUSING, PATIENTS, table

LIGHTGBM = """
import json, lightgbm, numpy, pandas
base = {base!r}
train, validation = (pandas.read_csv(base + f"/input/data/training/{{part}}/data.csv", header=None)
                     for part in ("train", "validation"))
columns = [f"feature_{{number}}" for number in range(train.shape[1] - 1)]
def of(part, **more):
    return lightgbm.Dataset(part.iloc[:, 1:].set_axis(columns, axis=1), label=part[0], **more)
settings = dict(learning_rate=0.1, num_leaves=64, feature_fraction=0.9, bagging_fraction=0.9, bagging_freq=1,
                max_depth=6, min_data_in_leaf=3, verbosity=-1, **{settings!r})
learned = of(train)
model = lightgbm.train(settings, learned, num_boost_round=100, valid_sets=[of(validation, reference=learned)],
                       callbacks=[lightgbm.early_stopping(10, verbose=False)])
ours = lightgbm.Booster(model_file=base + "/model/model.txt")
tables = validation.iloc[:, 1:].to_numpy()
print(json.dumps([model.predict(tables).tolist(), ours.predict(tables).tolist(), model.best_iteration]))
"""

CATBOOST = """
import json, catboost, pandas
base = {base!r}
train, validation = (pandas.read_csv(base + f"/input/data/training/{{part}}/data.csv", header=None)
                     for part in ("train", "validation"))
model = catboost.{kind}(iterations=500, learning_rate=0.009, depth=6, l2_leaf_reg=3, random_strength=1.0, verbose=0,
                        random_seed=1, early_stopping_rounds=5, sampling_frequency="PerTreeLevel",
                        allow_writing_files=False, **{settings!r})
model.fit(train.iloc[:, 1:], train[0], eval_set=(validation.iloc[:, 1:], validation[0]))
ours = catboost.{kind}().load_model(base + "/model/model")
rows = validation.iloc[:, 1:]
predict = "predict_proba" if {kind!r} == "CatBoostClassifier" else "predict"
print(json.dumps([getattr(model, predict)(rows.to_numpy()).tolist(), getattr(ours, predict)(rows.to_numpy()).tolist(),
                  model.get_best_iteration() + 1]))
"""


def parted(text):
    """Every fourth row is for validation."""
    rows = text.splitlines(keepends=True)
    return "".join(row for n, row in enumerate(rows) if n % 4), "".join(rows[::4])


def filled(job, path):
    for part, rows in zip(("train", "validation"), parted(table(path)), strict=True):
        job.file(f"training/{part}/data.csv", rows)
    return job


def targets(job):
    rows = (job.opt.base / "input/data/training/validation/data.csv").read_text().splitlines()
    return [float(row.split(",")[0]) for row in rows]


@pytest.mark.parametrize(
    ("task", "path", "settings"),
    [
        ("regression", HOUSING, {"objective": "regression", "metric": "rmse"}),
        ("classification", PATIENTS, {"objective": "binary", "metric": "binary_logloss"}),
    ],
    ids=["housing", "patients"],
)
def test_lightgbm_equals_lightgbm(job, task, path, settings):
    made = filled(job("lightgbm", task), path)
    log = made.trained().log
    plain, ours, rounds = made.reference(LIGHTGBM.format(base=str(made.opt.base), settings=settings))
    assert ours == plain
    assert 5 < rounds <= 100
    assert f"[{rounds}]\tvalidation's {settings['metric']}: " in log


@pytest.mark.parametrize(
    ("task", "path", "kind", "settings"),
    [
        ("regression", HOUSING, "CatBoostRegressor", {"eval_metric": "RMSE"}),
        ("classification", PATIENTS, "CatBoostClassifier", {"eval_metric": "AUC"}),
    ],
    ids=["housing", "patients"],
)
def test_catboost_equals_catboost(job, task, path, kind, settings):
    made = filled(job("catboost", task), path)
    log = made.trained().log
    plain, ours, _ = made.reference(CATBOOST.format(base=str(made.opt.base), settings=settings, kind=kind))
    assert ours == plain
    assert "bestTest = " in log


def test_models_are_good(job):
    """Boston's prices vary by 9.2 (their standard deviation) around their mean."""
    made = filled(job("lightgbm", "regression"), HOUSING)
    made.trained(learning_rate=0.05, num_boost_round=500, early_stopping_rounds=30)
    text = LIGHTGBM.format(base=str(made.opt.base), settings={"objective": "regression", "metric": "rmse"})
    _, ours, _ = made.reference(text)
    errors = [(a - b) ** 2 for a, b in zip(ours, targets(made), strict=True)]
    assert (sum(errors) / len(errors)) ** 0.5 < 4


def test_the_same_job_twice_is_the_same_model(job):
    made = job("lightgbm", "classification").file("train/data.csv", table(PATIENTS))
    first = made.trained().model.joinpath("model.txt").read_text()
    assert made.trained().model.joinpath("model.txt").read_text() == first
