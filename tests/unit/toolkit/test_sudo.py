"""`sudo` in a container: its only user has every right there is already."""

import subprocess
from pathlib import Path

import pytest

import clary.toolkit

SUDO = Path(clary.toolkit.__file__).parent / "bin" / "sudo"


@pytest.mark.parametrize(
    "arguments",
    [
        ["echo", "-n", "said"],
        ["-n", "echo", "-n", "said"],
        ["-E", "-u", "root", "--", "echo", "-n", "said"],
        ["WORD=said", "sh", "-c", "echo -n $WORD"],
    ],
    ids=["plain", "an option", "options with values", "a variable"],
)
def test_the_command_runs_as_it_is(arguments):
    assert subprocess.run([SUDO, *arguments], capture_output=True, check=True).stdout == b"said"


def test_its_exit_code_is_the_commands():
    assert subprocess.run([SUDO, "sh", "-c", "exit 7"], check=False).returncode == 7
    assert subprocess.run([SUDO, "-n"], check=False).returncode == 0
