"""Thread pools of libraries that a warm parent has loaded."""

from __future__ import annotations

import ctypes.util
import os
import subprocess
import sys

import pytest

from clary.settings import default_cache_dir

_LOOK = """
import ctypes, os, sys
from clary.launcher import threads
library = ctypes.CDLL(sys.argv[1])
before = library.omp_get_max_threads()
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
threads.follow_affinity()
print(before, library.omp_get_max_threads())
"""


def _openmp() -> str:
    beside = [
        str(path) for path in default_cache_dir().glob("environments/*/lib/python*/site-packages/*.libs/libgomp*")
    ]
    found = next(iter(beside), ctypes.util.find_library("gomp"))
    if not found:
        pytest.skip("no OpenMP library here")
    return found


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core")
@pytest.mark.parametrize(("variables", "after"), [({}, 1), ({"OMP_NUM_THREADS": "2"}, 2)])
def test_they_follow_the_processors_of_a_fork(variables, after):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    done = subprocess.run(
        [sys.executable, "-c", _LOOK, _openmp()], env=clean | variables, capture_output=True, text=True, check=True
    )
    assert int(done.stdout.split()[1]) == after
