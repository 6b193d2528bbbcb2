"""Digits of scikit-learn, five or more against fewer, which pairs of pixels tell: `baselines.py FOLDER`.

Writes train.csv and test.csv, the class first, and accuracy.json: what myFM (https://github.com/tohtsky/myFM) reaches
with as many factors, by seed, and a linear model.
"""

import json
import sys
from pathlib import Path

import myfm
import numpy as np
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

FACTORS, TRAIN = 8, 1300


def main(folder):
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.data))
    values, classes = digits.data[order] / 16, digits.target[order] >= 5
    for name, rows in (("train", slice(TRAIN)), ("test", slice(TRAIN, None))):
        np.savetxt(folder / f"{name}.csv", np.column_stack([classes, values])[rows], delimiter=",", fmt="%.6g")
    known, asked = sparse.csr_matrix(values[:TRAIN]), sparse.csr_matrix(values[TRAIN:])
    machines = [myfm.MyFMClassifier(rank=FACTORS, random_seed=seed) for seed in range(3)]
    reached = [machine.fit(known, classes[:TRAIN], n_iter=100).predict(asked) for machine in machines]
    linear = LogisticRegression(max_iter=2000).fit(values[:TRAIN], classes[:TRAIN])
    found = {
        "features": values.shape[1],
        "factors": FACTORS,
        "machines": [float((said == classes[TRAIN:]).mean()) for said in reached],
        "linear": float(linear.score(values[TRAIN:], classes[TRAIN:])),
    }
    (folder / "accuracy.json").write_text(json.dumps(found))


main(Path(sys.argv[1]))
