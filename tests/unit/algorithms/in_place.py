"""Predictions of rows where they are, beside those of a matrix, in an image's own environment: counts, as JSON."""

import itertools
import json

import numpy as np
import xgboost

from clary.algorithms.xgboost import bodies
from clary.algorithms.xgboost.bodies import Features
from clary.algorithms.xgboost.models import Model

OBJECTIVES = ("reg:squarederror", "binary:logistic", "binary:hinge", "multi:softmax", "multi:softprob", "count:poisson")
BOOSTERS = ("gbtree", "dart", "gblinear")

draw = np.random.default_rng(7)
table = draw.normal(size=(200, 7))
table[draw.random(table.shape) < 0.1] = np.nan  # missing


def trained(objective, booster, best):
    """The labels suit all objectives."""
    classes = 3 if objective.startswith("multi") else 2
    parameters = {"objective": objective, "booster": booster, "nthread": 1, "verbosity": 0}
    parameters.update({"num_class": classes} if classes == 3 else {})
    made = xgboost.train(parameters, xgboost.DMatrix(table, label=np.arange(200) % classes), 8)
    if best is not None:
        made.set_attr(best_iteration=best)
    return Model(made, pickled=False)


def answers(model, rows):
    """By both ways."""
    features = Features(table[:rows], "csv")
    return model.predict(features), model._of_matrix(features.body())


def refused(model, value):
    rows = table[:1].copy()
    rows[0, 0] = value
    try:
        model.predict(Features(rows, "csv"))
    except xgboost.core.XGBoostError:
        return True
    return False


def rows_alike():
    """Of bodies that may be one line: how many are read so, and that these are what they are else."""
    cells = ("1", "-2.5e-3", " 7 ", "1_0", "", "nan", "inf", "x", "1;2", "\u2003", "0" * 511 + "1e-2")
    ends = ("", "\n", "\r\n", " \n", "\n\n", "\n1,2", "\x0b", "\x1c")
    lines = 0
    for one, other, end in itertools.product(cells, cells, ends):
        body = f"{one},{other}{end}".encode()
        row = bodies.row(body, "text/csv")
        if row is not None:
            lines += 1
            assert bodies.table([row]).values.tobytes() == bodies.read(body, "text/csv").values.tobytes(), body
    return lines


found = {"in_place": 0, "equal": 0, "all": 0}
for objective, booster, best in itertools.product(OBJECTIVES, BOOSTERS, (None, "3")):
    model = trained(objective, booster, best)
    for rows in (1, 2, 33, 200):
        one, other = answers(model, rows)
        found["in_place"] += model._takes(table[:rows])
        found["equal"] += (one.shape, one.dtype, one.tobytes()) == (other.shape, other.dtype, other.tobytes())
        found["all"] += 1
last = trained("reg:squarederror", "gbtree", None)
print(
    json.dumps({**found, "lines": rows_alike(), "refused": [refused(last, value) for value in (np.inf, -np.inf, 1e39)]})
)
