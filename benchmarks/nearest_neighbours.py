"""`python -m benchmarks.nearest_neighbours`: k-NN's search against scikit-learn's brute force, in one run.

1,000,000 rows of 50 numbers, a batch of 1,000 queries, k=10, all CPUs on both sides. `faiss.Flat` is exact; of
`faiss.IVFFlat` the lists searched are those that training has chosen. Data in clusters is what an index is for; in
uniform data of so many dimensions no list is near, and a search that keeps its recall compares all rows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, ended
from clary.images.base import Environment
from clary.images.catalogue import Catalogue
from clary.images.environments import Environments
from clary.images.pythons import Pythons
from clary.images.releases import choose
from clary.images.scikit_learn import SCIKIT_LEARN
from clary.settings import default_cache_dir

SIDE = Path(__file__).with_name("nearest_side.py")
SOURCES = Path(__file__).parent.parent / "src"
IMAGE = Catalogue().resolve("382416733822.dkr.ecr.us-east-1.amazonaws.com/knn:1")
RECALL = 0.99
WANTED = (("clustered", "faiss.IVFFlat", 20.0), ("clustered", "faiss.Flat", 3.0), ("uniform", "faiss.Flat", 3.0))
"""Data, index, and how many times faster than brute force; uniform data's index is told without a target."""


def python_of(environment: Environment) -> str:
    """Of an environment; built on first use."""
    environments = Environments(default_cache_dir())
    return str(environments.ready(environment) or environments.build(environment, print))


def reference() -> Environment:
    """The newest scikit-learn."""
    newest = SCIKIT_LEARN.releases[-1].version
    choice = choose(SCIKIT_LEARN, newest, "3.11", lambda python: Pythons().find(python) is not None)
    if choice is None:
        raise RuntimeError(f"scikit-learn {newest} needs another Python than this machine has")
    return choice.environment()


def step(python: str, *arguments: object, ours: bool = False) -> dict[str, Any]:
    """What a step prints."""
    env = {**os.environ, **(IMAGE.env if ours else {}), "PYTHONPATH": str(SOURCES)}
    command = [python, str(SIDE), *map(str, arguments)]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> int:
    """1 where a target is missed."""
    theirs, mine = python_of(reference()), python_of(IMAGE.environment)
    targets = {(kind, index): target for kind, index, target in WANTED}
    figures: list[Figure] = []
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("clustered", "uniform"):
            step(theirs, "data", folder, kind)
            brute = step(theirs, "reference", folder, kind)["seconds"]
            print(f"{kind}: scikit-learn, brute force: {brute:.2f} s", flush=True)
            for index in ("faiss.Flat", "faiss.IVFFlat"):
                found = step(mine, "ours", folder, kind, index, ours=True)
                target = targets.get((kind, index))
                title = f"k-NN, {kind}, {index}: scikit-learn's brute force over ours"
                figure = Figure(title, [brute / found["seconds"]], target or 0.0, "×", is_least=True)
                figures.append(figure)
                missed = missed or (target is not None and found["recall"] < RECALL)
                print(figure.line())
                print(
                    f"  {found['seconds']:.2f} s, recall@10 {found['recall']:.4f} (≥ {RECALL}); built in "
                    f"{found['built']:.1f} s, {found['lists']} lists searched",
                    flush=True,
                )
    return max(int(missed), ended(figures))


if __name__ == "__main__":
    sys.exit(main())
