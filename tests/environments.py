"""The environments of real clients, each with its own SDK: `python -m tests.environments` builds what is missing.

A client runs in a Python of its own, as on a user's machine; only the server runs in the development environment.
Building is mostly waiting for the package index: two are built at a time, and in a fresh clone tests are compiled
meanwhile, which each worker would do otherwise.
"""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uv

ROOT = Path(__file__).parent.parent
LOCKS = ROOT / "tests" / "clients" / "environments"
NAMES = tuple(sorted(lock.stem for lock in LOCKS.glob("*.txt")))
AT_A_TIME = 2
UV = uv.find_uv_bin()
"""Found before there are threads: it asks `sysconfig`, which two may not ask first."""


def python_of(name: str) -> Path:
    """The interpreter of one client environment, built on first use."""
    return built(LOCKS / f"{name}.txt", Path(sys.executable))


def built(lock: Path, base: Path) -> Path:
    """The interpreter of the environment that `lock` describes, made of the Python `base`; built on first use."""
    folder = _folder(lock)
    python = folder / "bin" / "python"
    stamp = _stamp(lock)
    if not stamp.exists():
        _uv("venv", "--quiet", "--allow-existing", "--python", str(base), str(folder))
        _uv("pip", "sync", "--quiet", "--python", str(python), "--require-hashes", "--compile-bytecode", str(lock))
        stamp.touch()
    return python


def _folder(lock: Path) -> Path:
    return ROOT / ".cache" / lock.parent.parent.name / lock.stem


def _stamp(lock: Path) -> Path:
    """What is there when the environment is as the lock says."""
    return _folder(lock) / f".{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"


def _uv(*arguments: str) -> None:
    subprocess.run([UV, *arguments], check=True)


def _told(name: str) -> None:
    """Build one, and say so."""
    print(f"{name}: building…", flush=True)
    began = time.monotonic()
    folder = python_of(name).parent.parent.relative_to(ROOT)
    print(f"{name}: {folder}, {time.monotonic() - began:.0f} s", flush=True)


@contextlib.contextmanager
def _compiling() -> Iterator[None]:
    """Tests are collected in the meantime, so that their compiled files lie there; what is wrong with them, the run of
    the tests says."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qq"]
    collecting = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        collecting.wait()


def main() -> None:
    """Build what is missing, and show how far it is."""
    missing = [name for name in NAMES if not _stamp(LOCKS / f"{name}.txt").exists()]
    for name in NAMES:
        if name not in missing:
            print(f"{name}: {_folder(LOCKS / f'{name}.txt').relative_to(ROOT)}", flush=True)
    if missing:
        with _compiling(), ThreadPoolExecutor(AT_A_TIME) as builders:
            list(builders.map(_told, missing))


if __name__ == "__main__":
    main()
