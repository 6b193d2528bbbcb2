"""Thread pools of numeric libraries: they counted the machine's cores when the warm parent loaded them, and a container
may have fewer."""

# ruff: noqa: PTH119, PTH123
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import ctypes
import os
from typing import Iterator, Tuple

_SETTERS: Tuple[Tuple[str, Tuple[str, ...]], ...] = (
    ("libgomp", ("omp_set_num_threads",)),
    ("libomp", ("omp_set_num_threads",)),
    ("libiomp", ("omp_set_num_threads",)),
    ("libmkl_rt", ("MKL_Set_Num_Threads",)),
    (
        "openblas",
        (
            "openblas_set_num_threads",
            "openblas_set_num_threads64_",
            "scipy_openblas_set_num_threads",
            "scipy_openblas_set_num_threads64_",
        ),
    ),
)
"""A part of the library's file name, and what its function may be called."""


def follow_affinity() -> None:
    """Let libraries that are loaded use as many threads as this process has cores; fewer where a variable that their
    users know has said so at their load."""
    cores = len(os.sched_getaffinity(0))
    if cores < (os.cpu_count() or 1) and "OMP_NUM_THREADS" not in os.environ:
        for path, names in _loaded():
            _set(path, names, cores)


def _loaded() -> Iterator[Tuple[str, Tuple[str, ...]]]:
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as file:
        paths = {line.split(None, 5)[5].rstrip("\n") for line in file if ".so" in line}
    for path in sorted(paths):
        for part, names in _SETTERS:
            if part in os.path.basename(path):
                yield path, names


def _set(path: str, names: Tuple[str, ...], cores: int) -> None:
    with contextlib.suppress(OSError):  # a file that was replaced since it was loaded
        library = ctypes.CDLL(path)
        for name in names:
            if hasattr(library, name):
                getattr(library, name)(ctypes.c_int(cores))
