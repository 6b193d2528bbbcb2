"""The environments of real clients, each with its own SDK: `python -m tests.environments` builds what is missing.

A client runs in a Python of its own, as on a user's machine; only the server runs in the development environment.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import uv

ROOT = Path(__file__).parent.parent
LOCKS = ROOT / "tests" / "clients" / "environments"
NAMES = tuple(sorted(lock.stem for lock in LOCKS.glob("*.txt")))


def python_of(name: str) -> Path:
    """The interpreter of one client environment, built on first use."""
    return built(LOCKS / f"{name}.txt", Path(sys.executable))


def built(lock: Path, base: Path) -> Path:
    """The interpreter of the environment that `lock` describes, made of the Python `base`; built on first use."""
    folder = ROOT / ".cache" / lock.parent.parent.name / lock.stem
    python = folder / "bin" / "python"
    stamp = folder / f".{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    if not stamp.exists():
        _uv("venv", "--quiet", "--allow-existing", "--python", str(base), str(folder))
        _uv("pip", "sync", "--quiet", "--python", str(python), "--require-hashes", "--compile-bytecode", str(lock))
        stamp.touch()
    return python


def _uv(*arguments: str) -> None:
    subprocess.run([uv.find_uv_bin(), *arguments], check=True)


if __name__ == "__main__":
    for environment in NAMES:
        print(f"{environment}: {python_of(environment).parent.parent.relative_to(ROOT)}", flush=True)
