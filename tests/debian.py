"""What tests build images of, without a registry: Debian by debootstrap, and wheels. Kept in the user's cache."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

RELEASE = "bookworm"
PYTHON = "3.11"
"""What that release has."""
_PACKAGES = "ca-certificates,nginx-light,python3-venv"
"""What Dockerfiles of tests install by apt-get: there already, it costs nothing each time."""
_FETCH_SECONDS = 280


def cache() -> Path:
    """A folder of this user for what takes long to make."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clary-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def base() -> Path:
    """A tar of a small Debian; skips the test where it is not there and cannot be had."""
    for tool in ("debootstrap", "podman"):
        if shutil.which(tool) is None or os.geteuid() != 0:
            pytest.skip(f"building images needs {tool}, as root (`apt-get install debootstrap podman`)")
    with _alone("debian"):
        kept = cache() / f"debian-{RELEASE}.tar"
        if not kept.exists():
            _debootstrap(kept)
        return kept


def _debootstrap(kept: Path) -> None:
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        made = Path(folder) / "root"
        _fetch(["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", RELEASE, str(made)])
        for path in (*made.glob("var/cache/apt/archives/*.deb"), *made.glob("var/lib/apt/lists/*Packages")):
            path.unlink()
        whole = Path(folder) / "debian.tar"
        subprocess.run(["tar", "-C", str(made), "-cf", str(whole), "."], check=True)
        whole.rename(kept)


def wheels(requirements: Path) -> Path:
    """A folder with the wheels that Debian's Python needs; skips the test where they cannot be had."""
    key = hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    kept = cache() / f"wheels-{PYTHON}-{key}"
    machine = platform.machine()
    platforms = [f"--platform=manylinux{version}_{machine}" for version in ("2014", "_2_17", "_2_24", "_2_28")]
    with _alone("wheels"):
        if not kept.exists():
            with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
                made = Path(folder) / "wheels"
                target = ["--only-binary=:all:", f"--python-version={PYTHON}", *platforms, f"--dest={made}"]
                _fetch(
                    [sys.executable, "-m", "pip", "download", "--quiet", *target, "--requirement", str(requirements)]
                )
                made.rename(kept)
    return kept


def _fetch(command: Sequence[str]) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False)
        if done.returncode == 0:
            return
        pytest.skip(f"not to be had: {' '.join(command)}\n{done.stdout[-500:]}{done.stderr[-500:]}")
    pytest.skip(f"not to be had in {_FETCH_SECONDS} s: {' '.join(command)}")


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    with (cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
