"""Plain XGBoost, run as a program in an image's own environment: what Clary's jobs must equal.

Each line of its input is a JSON object: `train` (rows, label first), `weights`, `groups`, `parameters` and `rounds` for
xgboost.train, or `model` (a file to load); and `ask`, the rows to predict. It prints `answer ` and the predictions;
whatever else stands in its output is XGBoost's own.
"""

import json
import pickle
import sys
from pathlib import Path

import numpy
import xgboost


def trained(asked):
    values = numpy.array(asked["train"], dtype=float)
    matrix = xgboost.DMatrix(values[:, 1:], label=values[:, 0], weight=asked.get("weights"))
    if asked.get("groups"):
        matrix.set_group(asked["groups"])
    return xgboost.train(asked["parameters"], matrix, asked["rounds"])


def loaded(path):
    try:
        return pickle.loads(Path(path).read_bytes())
    except Exception:  # whatever a file that is no pickle makes of the machine
        booster = xgboost.Booster()
        booster.load_model(path)
        return booster


def predicted(asked):
    booster = loaded(asked["model"]) if "model" in asked else trained(asked)
    rows = numpy.array(asked["ask"], dtype=float)
    return booster.predict(xgboost.DMatrix(rows), validate_features=False).tolist()


def main():
    for line in sys.stdin:
        print("answer " + json.dumps(predicted(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
