"""`python -m benchmarks.compiled [--rounds N]`: what a prediction takes before and after its model is compiled.

A hundred trees of depth 6 over 13 features, by XGBoost and as ONNX: `predict` alone on rows in memory, on one thread,
without HTTP. Both in the environment of the image that serves compiled models.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.figures import Figure, ended, render
from clary.images.catalogue import Catalogue
from clary.images.environments import Environments
from clary.settings import default_cache_dir

IMAGE = "785573368785.dkr.ecr.us-east-1.amazonaws.com/xgboost-neo:latest"
SIDE = Path(__file__).with_name("compiled_side.py")
SOURCES = Path(__file__).parent.parent / "src"
SECONDS = 1.0

TARGETS = {1: 8.0, 32: 3.0, 256: 0.5}
"""By how many rows are asked about at once: how many times as fast ONNX has to be. XGBoost spends most of its time on
making a matrix, and catches up the more rows there are."""


def timed(rows: int) -> tuple[float, float]:
    """Microseconds by XGBoost and as ONNX."""
    environment = Catalogue().resolve(IMAGE).environment
    assert environment is not None, "it is a built-in image"
    environments = Environments(default_cache_dir())
    python = environments.ready(environment) or environments.build(environment, print)
    variables = {"PYTHONPATH": str(SOURCES), "PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    command = [str(python), str(SIDE), str(rows), str(SECONDS)]
    done = subprocess.run(command, env=variables, stdout=subprocess.PIPE, text=True, check=True)
    before, after = json.loads(done.stdout)
    return before, after


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds, figures = parser.parse_args().rounds, []
    for rows, target in TARGETS.items():
        times = [timed(rows) for _ in range(rounds)]
        before, after = (statistics.median(side) for side in zip(*times, strict=True))
        print(f"{rows} rows: XGBoost {before:.0f} µs, ONNX Runtime {after:.0f} µs", flush=True)
        title = f"100 trees compiled to ONNX, as fast as XGBoost; rows at once: {rows}"
        ratios = [xgboost / onnx for xgboost, onnx in times]
        figures.append(Figure(title, ratios, target, unit="times", is_least=True))
    print(render(figures))
    return ended(figures)


if __name__ == "__main__":
    sys.exit(main())
