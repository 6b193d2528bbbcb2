"""Proposals in a process of their own, and a server that does not pay for them."""

from __future__ import annotations

import json
import math
import subprocess
import sys

from clary.tuning.search import Search
from tests.unit.tuning.requests import completed, request, running


def said(lines, *command):
    done = subprocess.run(
        [sys.executable, "-I", *command], input="".join(lines), capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.splitlines()


def test_it_answers_line_by_line_what_the_search_itself_would():
    trials = [completed(n, (n - 7.0) ** 2, {"x": str(n / 20)}, (1.0, 2.0)) for n in range(18)]
    trials += [completed(18, math.nan, {"x": "0.9"}, (math.nan,)), running(19, values={"x": "0.33"})]
    spec = request(jobs=100)
    asked = {"spec": spec, "trials": trials, "parents": [], "count": 2}
    first, second = said([json.dumps(asked) + "\n"] * 2, "-m", "clary.tuning")
    assert first == second
    assert json.loads(first) == [list(each) for each in Search(spec).propose(trials, 2)]


def test_all_but_proposing_does_without_optuna():
    program = "import sys, clary.tuning.search, clary.tuning.ranges; print({'optuna', 'numpy'} & set(sys.modules))"
    assert said([], "-c", program) == ["set()"]
