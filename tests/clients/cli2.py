"""The AWS CLI v2, which no package index has: Debian builds it, as the package `awscli`."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from tests.environments import python_of

PACKAGE = "awscli"


@cache
def command() -> tuple[str, ...] | None:
    """What starts it; None where there is no Debian to get it from."""
    python = python_of("cli2")
    [site] = (python.parent.parent / "lib").glob("python*/site-packages")
    if not (site / PACKAGE).exists() and not _fetched(site):
        return None
    return (str(python), "-c", "import sys, awscli.clidriver; sys.exit(awscli.clidriver.main())")


def _fetched(site: Path) -> bool:
    """Put the package beside what it needs; False where that cannot be had."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        got = subprocess.run(["apt-get", "download", PACKAGE], cwd=folder, capture_output=True, check=False)
        archives = list(Path(folder).glob("*.deb"))
        if got.returncode or not archives:
            return False
        subprocess.run(["dpkg-deb", "-x", archives[0], folder], check=True)
        fresh = site / f".{PACKAGE}"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(Path(folder) / "usr" / "lib" / "python3" / "dist-packages" / PACKAGE, fresh)
        fresh.rename(site / PACKAGE)
    return True
