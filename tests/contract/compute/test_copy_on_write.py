"""Folders that a container may write to without touching them: farms of hard links to the store's own files."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from clary.compute.base import Mount
from tests.slowness import slowness

TRAIN = "/opt/ml/input/data/train"

ROOT = "R=${SAGEMAKER_BASE_DIR%/opt/ml}\n"
"""Where an unconfined container has its own root; elsewhere it is empty."""


@pytest.fixture(params=[0o600, 0o644])
def farm(request, machine) -> Path:
    """A folder below the closed data folder whose files are other names of files in the store."""
    store, farm = machine.settings.data_dir / "objects", machine.settings.data_dir / "farm"
    for folder in (store, farm, farm / "sub"):
        folder.mkdir(mode=0o700)
    for name in ("a.csv", "sub/b.csv"):
        (store / name.replace("/", "-")).write_text(f"{name}\n")
        (store / name.replace("/", "-")).chmod(request.param)
        os.link(store / name.replace("/", "-"), farm / name)
    return farm


def _state(farm: Path) -> list[tuple[str, str, int, int, int]]:
    files = sorted(path for path in farm.parent.rglob("*.csv") if "containers" not in path.parts)
    return [(str(p), p.read_text(), p.stat().st_mode, p.stat().st_uid, p.stat().st_nlink) for p in files]


CHANGE = """
set -e
cd $R{target}
cat a.csv sub/b.csv
echo added >> a.csv; echo new > sub/new.csv; rm sub/b.csv; mkdir deep; mv sub/new.csv deep/
chmod +x a.csv; ls -l | grep -q x.*a.csv
[ "$(stat -c %u a.csv)" = "$(id -u)" ] && [ "$(stat -c %u deep)" = "$(id -u)" ] && [ "$(stat -c %u .)" = "$(id -u)" ]
cat a.csv deep/new.csv; ls
"""


def test_it_is_written_inside_and_the_source_stays_as_it_is(machine, farm):
    before = _state(farm)
    mounts = (Mount(str(farm), TRAIN, copy_on_write=True),)
    script = ROOT + CHANGE.replace("{target}", TRAIN)
    state, output = machine.run(script, mounts=mounts)
    assert (state.code, state.reason) == (0, ""), output
    assert output.split() == ["a.csv", "sub/b.csv", "a.csv", "added", "new", "a.csv", "deep", "sub"]
    assert _state(farm) == before


def test_two_containers_over_one_source_see_only_their_own_writing(machine, farm):
    mounts = (Mount(str(farm), TRAIN, copy_on_write=True),)
    for word in ("one", "two"):
        script = ROOT + f"cd $R{TRAIN} && echo {word} >> a.csv && cat a.csv"
        assert machine.run(script, mounts=mounts)[1].split() == ["a.csv", word]


def test_a_read_only_farm_is_read(machine, farm):
    before = _state(farm)
    _, output = machine.run(ROOT + f"cat $R{TRAIN}/*.csv $R{TRAIN}/sub/*", mounts=(Mount(str(farm), TRAIN),))
    assert output.split() == ["a.csv", "sub/b.csv"]
    assert _state(farm) == before


def test_a_farm_in_the_containers_own_folder_is_read(machine, farm):
    """A bundle lies there: what is given to the container must not take the store's files along."""
    bundle = machine.folder("run-0") / "bundle"
    bundle.mkdir(parents=True)
    os.link(farm / "a.csv", bundle / "a.csv")
    before = _state(farm)
    mounts = (Mount(str(bundle), TRAIN), Mount(str(bundle), "/opt/ml/code", copy_on_write=True))
    _, output = machine.run(ROOT + f"cat $R{TRAIN}/a.csv $R/opt/ml/code/a.csv", mounts=mounts)
    assert output.split() == ["a.csv", "a.csv"]
    assert _state(farm) == before


def test_read_only_data_cannot_be_written_to_even_without_a_sandbox(machine, farm):
    bundle = machine.folder("run-0") / "bundle"
    bundle.mkdir(parents=True)
    os.link(farm / "a.csv", bundle / "a.csv")
    before = _state(farm)
    machine.run(
        ROOT + f"echo more >> $R{TRAIN}/a.csv; chmod 777 $R{TRAIN}/a.csv; true", mounts=(Mount(str(bundle), TRAIN),)
    )
    assert _state(farm) == before


def test_what_it_may_write_is_not_the_stores(confined, tmp_path):
    """A writable folder is given to the container; a file in it with a second name elsewhere is parted from that."""
    (tmp_path / "object").write_text("kept")
    (tmp_path / "model").mkdir()
    os.link(tmp_path / "object", tmp_path / "model" / "restored")
    owner = (tmp_path / "object").stat().st_uid
    mounts = (Mount(str(tmp_path / "model"), "/opt/ml/model", writable=True),)
    confined.run("cat /opt/ml/model/restored", mounts=mounts)
    assert (tmp_path / "object").stat().st_uid == owner


def test_the_parts_are_not_seen_inside(confined, farm_of_one):
    mounts = (Mount(str(farm_of_one), TRAIN, copy_on_write=True),)
    _, output = confined.run("ls -a /; grep -c layers /proc/self/mounts", mounts=mounts)
    assert ".layers" not in output.split()


@pytest.fixture
def farm_of_one(tmp_path) -> Path:
    (tmp_path / "farm").mkdir()
    (tmp_path / "farm" / "a.csv").write_text("a\n")
    return tmp_path / "farm"


def test_a_start_does_not_wait_for_two_gigabytes(confined, tmp_path):
    """By overlay or by references it takes no time; where both are impossible, copying's."""
    (tmp_path / "big").mkdir()
    with (tmp_path / "big" / "data").open("wb") as file:
        file.truncate(2 * 2**30)
    mounts = (Mount(str(tmp_path / "big"), TRAIN, copy_on_write=True),)

    def seconds() -> float:
        slow = slowness()
        begun = time.time()
        state, output = confined.run(f"stat -c %s {TRAIN}/data", mounts=mounts)
        assert output == str(2 * 2**30)
        return (state.at - begun) / max(slow, slowness())

    assert any(seconds() < 2.0 for _ in range(5))  # what other tests do meanwhile is in each figure too


def test_mounts_below_it(confined, farm_of_one, tmp_path):
    (farm_of_one / "inner").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "b.csv").write_text("b\n")
    mounts = (
        Mount(str(farm_of_one), TRAIN, copy_on_write=True),
        Mount(str(tmp_path / "other"), f"{TRAIN}/inner"),
    )
    assert confined.run(f"cat {TRAIN}/a.csv {TRAIN}/inner/b.csv", mounts=mounts)[1].split() == ["a", "b"]


def test_nothing_is_copied_where_the_kernel_lays_folders_over_one_another(confined, farm_of_one):
    mounts = (Mount(str(farm_of_one), TRAIN, copy_on_write=True),)
    _, output = confined.run(f"grep ' {TRAIN} overlay ' /proc/self/mounts || echo copied", mounts=mounts)
    [layer] = (confined.folder("run-0") / "layers").iterdir()
    assert (layer / "copy").exists() == (output == "copied")
