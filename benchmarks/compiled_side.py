"""Times predictions of one model by XGBoost and by ONNX Runtime, on one thread.

Run in the environment of the image for compiled models: `compiled_side.py ROWS SECONDS` prints the microseconds that a
prediction takes, as JSON [xgboost, onnx].
"""

import json
import statistics
import sys
import time

import numpy as np
import xgboost

from clary.algorithms.neo import boosters
from clary.toolkit.sessions import Session


def trained():
    random = np.random.RandomState(0)
    table = random.normal(size=(500, 13)).astype(np.float32)
    parameters = {"objective": "reg:squarederror", "nthread": 1, "seed": 0}
    return xgboost.train(parameters, xgboost.DMatrix(table, table[:, 0] * 10 + table[:, 1]), 100), table


def took(predict, seconds):
    """The median of as many calls as the time has room for."""
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        predict()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


def main():
    count, seconds = int(sys.argv[1]), float(sys.argv[2])
    booster, table = trained()
    session = Session(boosters.compiled(json.loads(booster.save_raw(raw_format="json"))))
    rows = table[:count]
    if not np.allclose(session.first(rows), booster.predict(xgboost.DMatrix(rows)), rtol=1e-5, atol=1e-5):
        sys.exit("the two do not answer the same")
    by_xgboost = took(lambda: booster.predict(xgboost.DMatrix(rows, nthread=1)), seconds)
    print(json.dumps([by_xgboost, took(lambda: session.first(rows), seconds)]))


main()
