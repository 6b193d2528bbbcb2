"""A Clary whose disk is full: on a small file system of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.namespaces import alone

ROOT = Path(__file__).parents[2]

PUSH = """
import os, pathlib, sys
from clary.clients.registry import RegistryClient
from clary.errors import ClaryError
from tests.running import RunningClary

def kept(folder):
    found = [path.stat() for path in folder.rglob("*") if path.is_file()]
    return sum({each.st_ino: each.st_size for each in found}.values())  # a layer's file may have two names

with RunningClary(pathlib.Path("small/data")) as clary:
    ecr = clary.client("ecr")
    ecr.create_repository(repositoryName="bench")
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    before = kept(clary.data_dir / "objects" / "files")
    try:
        client = RegistryClient("127.0.0.1", clary.port, "bench", token)
        client.upload((os.urandom(2**20) for _ in range(100)), 100 * 2**20)
    except ClaryError as error:
        print(error)
    client = RegistryClient("127.0.0.1", clary.port, "bench", token)
    blob = client.upload(iter([bytes(2**20)]), 2**20)
    print(client.has(blob.digest), kept(clary.data_dir / "objects" / "files") - before)
"""


def on_a_small_disk(folder: Path, *arguments: str) -> list[str]:
    """What Python prints, run with those arguments beside a file system `small` of 64 MiB."""
    (folder / "small").mkdir()
    mount = "mount --make-rprivate / && mount -t tmpfs -o size=64m small small"
    done = subprocess.run(
        [*alone(), "sh", "-ec", f'{mount}\nexec "$@"', "sh", sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_what_finds_no_space_is_refused_and_goes_on_when_there_is_space_again(tmp_path: Path) -> None:
    assert on_a_small_disk(tmp_path, "-m", "tests.durability.fullness", "small") == []


def test_a_push_that_fills_the_disk_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    assert on_a_small_disk(tmp_path, "-c", PUSH) == [
        "The registry refuses: No space is left on the disk where Clary keeps its data",
        f"True {2**20}",
    ]
