"""Tests that mount and listen where nobody else sees it."""

from __future__ import annotations

import shutil
import subprocess

import pytest


def alone(*more: str) -> list[str]:
    """The words before a command that runs with mounts of its own, and `more` that unshare(1) offers. Skips the test
    where this user may not have them: not root, or root in a container."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare (util-linux) is not installed")
    words = ["unshare", "--mount", *more]
    probe = subprocess.run([*words, "mount", "-t", "tmpfs", "probe", "/mnt"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("needs mounts (and a network) of its own, for which it takes root")
    return words
