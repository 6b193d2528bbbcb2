"""Clary as `make wheel` builds it, with its edge compiled: `python -m tests.wheel FOLDER`."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import uv

ROOT = Path(__file__).parent.parent
_LOCK = ROOT / "requirements.lock"
_CACHE = ROOT / ".cache" / "wheels"


def built() -> Path:
    """The wheel of the sources as they are; built where nobody has: it takes some minutes of a core."""
    folder = _CACHE / _digest()
    wheels = list(folder.glob("*.whl"))
    return wheels[0] if wheels else _build(folder)


def _build(folder: Path) -> Path:
    """By the development environment's own compiler, whose version is locked. Raises AssertionError where sources are
    changed meanwhile."""
    part = folder.with_name(f"{folder.name}.{os.getpid()}")
    command = ["build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable]
    asked = os.environ | {"HATCH_BUILD_HOOK_ENABLE_CUSTOM": "true"}
    _uv(*command, "--out-dir", str(part), str(ROOT), environment=asked)
    assert folder.name == _digest(), "sources have changed while they were compiled"
    wheel = next(part.glob("*.whl"))
    folder.mkdir(parents=True, exist_ok=True)
    place = wheel.replace(folder / wheel.name)
    shutil.rmtree(part)
    return place


def installed(folder: Path) -> Path:
    """The interpreter of a new environment with the wheel, and with what the tests need."""
    python = folder / "bin" / "python"
    to = ["--quiet", "--python", str(python)]
    _uv("venv", "--quiet", "--python", sys.executable, str(folder))
    _uv("pip", "sync", *to, "--require-hashes", "--compile-bytecode", str(_LOCK))
    _uv("pip", "install", *to, "--no-deps", "--compile-bytecode", str(built()))
    return python


def _digest() -> str:
    """Of all that the wheel comes from."""
    found = hashlib.sha256(sys.version.encode())
    for file in _sources():
        found.update(f"{file.relative_to(ROOT)}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return found.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    yield from (ROOT / "pyproject.toml", ROOT / "hatch_build.py", _LOCK)
    below = (ROOT / "src").rglob("*")
    yield from sorted(file for file in below if file.is_file() and "__pycache__" not in file.parts)


def _uv(*arguments: str, environment: dict[str, str] | None = None) -> None:
    subprocess.run([uv.find_uv_bin(), *arguments], check=True, env=environment)


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(exist_ok=True)
    print(shutil.copy(built(), sys.argv[1]))
