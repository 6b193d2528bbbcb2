"""`python -m benchmarks.algorithms [NAME…] [--rounds N]`: AWS's own algorithms against the reference library, on
the data of their tests and on a million rows.

What is timed is `fit` on numbers in memory: reading and the start of Python are excluded on both sides alike, and are a
figure of their own, against pandas. Each side runs in its own image's environment with that image's settings: the
reference is the newest scikit-learn, with all CPUs, and myFM. A figure is a ratio, ours to the reference's; the rounds
alternate.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, ended, render
from clary.images.base import Environment
from clary.images.catalogue import Catalogue
from clary.images.environments import Environments
from clary.images.pythons import Pythons
from clary.images.releases import choose
from clary.images.scikit_learn import SCIKIT_LEARN
from clary.settings import default_cache_dir
from tests.environments import python_of

SIDE = Path(__file__).with_name("algorithms_side.py")
SOURCES = Path(__file__).parent.parent / "src"
ACCOUNT = "382416733822.dkr.ecr.us-east-1.amazonaws.com"
TIME, QUALITY = 1.2, 1.01
"""How much longer than the reference's a fit may take; a percent of quality is what a random start changes."""


@dataclass(frozen=True)
class Case:
    """One fit of one algorithm; `loss` is what it makes small."""

    repository: str
    data: str
    loss: str
    """Empty where the time alone has a target, since the reference is another algorithm: an isolation forest, Gibbs
    sampling."""
    given: tuple[tuple[str, object], ...]

    @property
    def title(self) -> str:
        """For the table."""
        return ", ".join([self.repository, self.data, *(f"{name}={value}" for name, value in self.given[:2])])


FIVES = (
    ("num_factors", 8),
    ("predictor_type", "binary_classifier"),
    ("epochs", 30),
    ("mini_batch_size", 100),
    ("linear_lr", 0.02),
    ("factors_lr", 0.02),
    ("factors_init_sigma", 0.1),
    ("factors_wd", 0.001),
)
"""As many rounds as reach what the reference library does on rows that neither has seen; a test holds that."""
CASES = (
    Case("kmeans", "wine", "msd", (("k", 10),)),
    Case("kmeans", "cancer", "msd", (("k", 10),)),
    Case("kmeans", "digits", "msd", (("k", 10),)),
    Case("kmeans", "million", "msd", (("k", 10),)),
    Case("kmeans", "million", "msd", (("k", 30),)),
    Case("kmeans", "million-cloud", "msd", (("k", 10),)),
    Case("pca", "wine", "unexplained", (("num_components", 10),)),
    Case("pca", "digits", "unexplained", (("num_components", 10),)),
    Case("pca", "million", "unexplained", (("num_components", 10),)),
    Case("pca", "million-wide", "unexplained", (("num_components", 5), ("algorithm_mode", "randomized"))),
    Case("randomcutforest", "tumors", "", (("num_trees", 100), ("num_samples_per_tree", 256))),
    Case("randomcutforest", "million", "", (("num_trees", 100), ("num_samples_per_tree", 256))),
    Case("factorization-machines", "fives", "", FIVES),
)

MODULES = {"randomcutforest": "random_cut_forest", "factorization-machines": "factorization_machines"}
"""Of algorithms whose image has another name."""


class Sides:
    """Runs fits on either side, each in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environments = Environments(default_cache_dir())
        newest = SCIKIT_LEARN.releases[-1].version
        choice = choose(SCIKIT_LEARN, newest, "3.11", lambda python: Pythons().find(python) is not None)
        if choice is None:
            raise RuntimeError(f"scikit-learn {newest} needs another Python than this machine has")
        self._reference = self._python(choice.environment())

    def _python(self, environment: Environment) -> str:
        return str(self._environments.ready(environment) or self._environments.build(environment, print))

    def _library(self, repository: str) -> str:
        return str(python_of("myfm")) if repository == "factorization-machines" else self._reference

    def data(self, name: str) -> Path:
        """The rows, made on first use."""
        path = self._folder / f"{name}.npy"
        if not path.exists():
            self._run([self._reference, SIDE, "data", name, path], {})
        return path

    def fit(self, case: Case, seed: int, *, ours: bool) -> dict[str, Any]:
        """Seconds, and the loss."""
        image = Catalogue().resolve(f"{ACCOUNT}/{case.repository}:1")
        python = self._python(image.environment) if ours else self._library(case.repository)
        side = f"clary.algorithms.{MODULES.get(case.repository, case.repository)}:ALGORITHM" if ours else "reference"
        words = [python, SIDE, "fit", side, case.repository, self.data(case.data), json.dumps(dict(case.given)), seed]
        return self._run(words, dict(image.env) if ours else {})

    def read(self, name: str, *, ours: bool) -> dict[str, Any]:
        """Seconds in which CSV becomes numbers."""
        image = Catalogue().resolve(f"{ACCOUNT}/kmeans:1")
        python = self._python(image.environment) if ours else self._reference
        return self._run([python, SIDE, "read", "ours" if ours else "reference", self.data(name)], {})

    def _run(self, words: Sequence[object], env: dict[str, str]) -> dict[str, Any]:
        done = subprocess.run(
            [str(word) for word in words],
            env={**os.environ, **env, "PYTHONPATH": str(SOURCES)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


def measure(names: Sequence[str], rounds: int) -> Iterator[Figure]:
    """Two figures of each case: time and quality."""
    with tempfile.TemporaryDirectory(prefix="clary-bench-") as folder:
        sides = Sides(Path(folder))
        for case in CASES:
            if case.repository in names:
                yield from _figures(sides, case, rounds)
        if "reading" in names:
            pairs = [(sides.read("million", ours=True), sides.read("million", ours=False)) for _ in range(rounds)]
            yield Figure("reading a million rows of CSV", _ratios(pairs, "seconds"), TIME, "×")


def _figures(sides: Sides, case: Case, rounds: int) -> Iterator[Figure]:
    pairs = [(sides.fit(case, seed, ours=True), sides.fit(case, seed, ours=False)) for seed in range(rounds)]
    for ours, reference in pairs:
        seconds = f"{ours['seconds']:.3f} s against {reference['seconds']:.3f} s"
        print(f"    {seconds}, {case.loss or 'loss'} {ours['loss']:.6g} against {reference['loss']:.6g}", flush=True)
    yield Figure(f"{case.title}: time", _ratios(pairs, "seconds"), TIME, "×")
    if case.loss:
        yield Figure(f"{case.title}: {case.loss}", _ratios(pairs, "loss"), QUALITY, "×")


def _ratios(pairs: Sequence[tuple[dict[str, Any], dict[str, Any]]], name: str) -> list[float]:
    return [ours[name] / reference[name] for ours, reference in pairs]


def main() -> int:
    every = [*dict.fromkeys(case.repository for case in CASES), "reading"]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.algorithms", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(every)}")
    parser.add_argument("--rounds", type=int, default=3, help="fits on each side; the median ratio counts")
    arguments = parser.parse_args()
    figures = []
    for figure in measure(arguments.names or every, arguments.rounds):
        print(figure.line(), flush=True)
        figures.append(figure)
    print("\n" + render(figures))
    return ended(figures)


if __name__ == "__main__":
    sys.exit(main())
