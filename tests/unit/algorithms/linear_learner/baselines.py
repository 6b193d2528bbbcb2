"""Data sets that scikit-learn brings, and how its own estimators do on them: `python baselines.py FOLDER`.

Each data set becomes FOLDER/NAME/{train,validation,test}.csv with the label first; FOLDER/scores.json holds what the
estimators reach on `test`, with what they learned from `train`, and how long the largest of them took.
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np
from sklearn import datasets, metrics
from sklearn.linear_model import HuberRegressor, LinearRegression, LogisticRegression, QuantileRegressor
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

HOUSES = Path(__file__).resolve().parents[4] / "examples/boston_housing/boston_housing.csv"


def houses():
    rows = np.array([[float(cell) for cell in row] for row in list(csv.reader(HOUSES.open()))[1:]])
    return rows[:, :-1], rows[:, -1]


def large():
    return datasets.make_classification(100_000, 20, n_informative=10, random_state=0)


SETS = {
    "houses": houses,
    "diabetes": lambda: datasets.load_diabetes(return_X_y=True),
    "cancer": lambda: datasets.load_breast_cancer(return_X_y=True),
    "digits": lambda: datasets.load_digits(return_X_y=True),
    "iris": lambda: datasets.load_iris(return_X_y=True),
    "large": large,
}


def write(folder, features, labels):
    rest, test, rest_labels, test_labels = train_test_split(features, labels, test_size=0.25, random_state=3)
    train, validation, train_labels, validation_labels = train_test_split(
        rest, rest_labels, test_size=0.2, random_state=3
    )
    folder.mkdir(parents=True)
    parts = {
        "train": (train, train_labels),
        "validation": (validation, validation_labels),
        "test": (test, test_labels),
    }
    for name, (x, y) in parts.items():
        np.savetxt(folder / f"{name}.csv", np.column_stack([y, x]), delimiter=",", fmt="%.7g")
    return train, test, train_labels, test_labels


def fitted(estimator, train, labels):
    return make_pipeline(StandardScaler(), estimator).fit(train, labels)


def scores(name, train, test, labels, truth):
    if name in ("houses", "diabetes"):
        found = {
            "mse": metrics.mean_squared_error(truth, fitted(LinearRegression(), train, labels).predict(test)),
            "mae": metrics.mean_absolute_error(
                truth, fitted(HuberRegressor(max_iter=500), train, labels).predict(test)
            ),
        }
        upper = fitted(QuantileRegressor(quantile=0.9, alpha=0, solver="highs"), train, labels).predict(test)
        return {**found, "pinball": metrics.mean_pinball_loss(truth, upper, alpha=0.9)}
    if name == "large":
        return {"accuracy": fitted(LogisticRegression(), train, labels).score(test, truth)}
    logistic = fitted(LogisticRegression(max_iter=2000), train, labels)
    svc = fitted(LinearSVC(max_iter=20000), train, labels)
    found = {"accuracy": logistic.score(test, truth), "hinge": svc.score(test, truth)}
    if name == "cancer":
        found["auc"] = metrics.roc_auc_score(truth, logistic.decision_function(test))
    return found


def main(folder):
    found = {name: scores(name, *write(folder / name, *make())) for name, make in SETS.items()}
    (folder / "scores.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
