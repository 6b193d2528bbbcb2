"""`python -m benchmarks.gradient_boosting`: LightGBM's and CatBoost's jobs against their libraries, called directly.

Both do the whole of it: read CSV from disk, train with early stopping, save the model; each run is a fork of a process
that has imported the library, as a warm container's is, and they take turns.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, ended
from clary.algorithms.gradient_boosting import scripts
from clary.jumpstart import samples
from clary.jumpstart.specs import image_of
from tests.unit.algorithms.jobs import Warm, python_of

ROOT = Path(__file__).parent.parent
MOST = 1.2
MILLION, FEATURES = 1_000_000, 20

LIGHTGBM = """
import lightgbm, pandas
train, validation = (pandas.read_csv(f"{data}/{{part}}/data.csv", header=None) for part in ("train", "validation"))
settings = dict(objective="{objective}", learning_rate=0.1, num_leaves=64, feature_fraction=0.9, bagging_fraction=0.9,
                bagging_freq=1, max_depth=6, min_data_in_leaf=3, metric="{metric}")
learned = lightgbm.Dataset(train.iloc[:, 1:], label=train[0])
judged = lightgbm.Dataset(validation.iloc[:, 1:], label=validation[0], reference=learned)
model = lightgbm.train(settings, learned, num_boost_round={rounds}, valid_sets=[judged],
                       callbacks=[lightgbm.early_stopping(10), lightgbm.log_evaluation(1)])
model.save_model("{data}/reference.txt")
"""
CATBOOST = """
import catboost, pandas
train, validation = (pandas.read_csv(f"{data}/{{part}}/data.csv", header=None) for part in ("train", "validation"))
model = catboost.CatBoost(dict(loss_function="RMSE", iterations={rounds}, learning_rate=0.009, depth=6, l2_leaf_reg=3,
                               early_stopping_rounds=5, sampling_frequency="PerTreeLevel", allow_writing_files=False))
model.fit(catboost.Pool(train.iloc[:, 1:], train[0]), eval_set=catboost.Pool(validation.iloc[:, 1:], validation[0]))
model.save_model("{data}/reference.cbm")
"""
MAKE = """
import numpy, pathlib, sys
folder, rows, features = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
draw = numpy.random.default_rng(0)
for part, count in (("train", rows), ("validation", rows // 10)):
    values = draw.normal(size=(count, features)).astype("float32")
    target = (values[:, 0] + values[:, 1] * values[:, 2] + draw.normal(size=count) > 0).astype("float32")
    (folder / part).mkdir(parents=True)
    import pandas
    table = pandas.DataFrame(numpy.column_stack([target, values]))
    table.astype({{0: int}}).to_csv(folder / part / "data.csv", header=False, index=False, float_format="%.4f")
"""


def seconds(warm: Warm, program: Path, folder: Path, env: dict[str, str]) -> float:
    """How long one run took. Raises RuntimeError where it failed."""
    log, begun = folder / "log", time.perf_counter()
    if warm.run(program, log, env):
        raise RuntimeError(log.read_text())
    return time.perf_counter() - begun


def job(folder: Path, library: str, task: str, data: Path, rounds: int) -> dict[str, str]:
    """An `/opt/ml` with one job; the environment that its script runs in."""
    for place in ("input/config", "input/data", "model", "output/data", "code"):
        (folder / place).mkdir(parents=True)
    (folder / "input/data/training").symlink_to(data)
    (folder / "code" / scripts.TRAINING_PROGRAM).write_text(scripts.training(library, library, task))
    name = "num_boost_round" if library == "lightgbm" else "iterations"
    documents = {
        "hyperparameters.json": {name: str(rounds)},
        "inputdataconfig.json": {"training": {}},
        "resourceconfig.json": {"current_host": "algo-1", "hosts": ["algo-1"]},
    }
    for document, content in documents.items():
        (folder / "input/config" / document).write_text(json.dumps(content))
    return {"SAGEMAKER_BASE_DIR": str(folder), "PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"}


def ratios(library: str, task: str, data: Path, reference: str, runs: tuple[int, int]) -> Iterator[float]:
    """Our time through the library's own, in turns, for each of `runs[0]`; each trains `runs[1]` rounds at most."""
    warm = Warm(image_of(library, "us-east-1"))
    try:
        with tempfile.TemporaryDirectory(prefix="clary-bench-") as scratch:
            folder = Path(scratch)
            (folder / "nothing.py").write_text("")
            seconds(warm, folder / "nothing.py", folder, {})  # the imports are over
            (folder / "reference.py").write_text(reference.format(data=data, rounds=runs[1], **GOALS[task]))
            env = {**warm.env, **job(folder / "ml", library, task, data, runs[1])}
            for _ in range(runs[0]):
                ours = seconds(warm, folder / "ml" / "code" / scripts.TRAINING_PROGRAM, folder, env)
                plain = seconds(warm, folder / "reference.py", folder, env)
                print(f"  {library} {task}: ours {ours:.2f} s, the library {plain:.2f} s", flush=True)
                yield ours / plain
    finally:
        warm.close()


GOALS = {
    "classification": {"objective": "binary", "metric": "binary_logloss"},
    "regression": {"objective": "regression", "metric": "rmse"},
}


def houses(folder: Path) -> Path:
    """The sample data of the regressions, without its categorical column's description."""
    prefix = samples.folder(samples.REGRESS)
    for key, content in samples.contents():
        if key.startswith(prefix) and key.endswith(".csv"):
            path = folder / "houses" / key.removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return folder / "houses"


def million(folder: Path, python: str) -> Path:
    """A million rows of twenty numbers, and two classes."""
    made = folder / "million"
    command = [python, "-c", MAKE.replace("{{", "{").replace("}}", "}"), str(made), str(MILLION), str(FEATURES)]
    subprocess.run(command, check=True)
    return made


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gradient_boosting", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measurement; the median counts")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="clary-bench-") as scratch:
        prices = houses(Path(scratch))
        rows = million(Path(scratch), python_of(image_of("lightgbm", "us-east-1")))
        figures = [
            figure(
                "LightGBM's job on Boston's prices", ratios("lightgbm", "regression", prices, LIGHTGBM, (rounds, 100))
            ),
            figure(
                "CatBoost's job on Boston's prices", ratios("catboost", "regression", prices, CATBOOST, (rounds, 500))
            ),
            figure(
                "LightGBM's job on 1,000,000 rows", ratios("lightgbm", "classification", rows, LIGHTGBM, (rounds, 100))
            ),
        ]
    return ended(figures)


def figure(title: str, found: Iterator[float]) -> Figure:
    made = Figure(f"{title}, through the library's own time", list(found), MOST, "×")
    print(made.line(), flush=True)
    return made


if __name__ == "__main__":
    sys.exit(main())
