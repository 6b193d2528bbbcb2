"""Counting and removing what hostile programs leave."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clary.compute.removal import remove
from clary.launcher import copying, disk


def _deep(folder: Path, levels: int) -> None:
    """Deeper than a path may be long."""
    at = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=at)
        below = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    file = os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=at)
    os.write(file, bytes(10_000))
    os.close(file)
    os.close(at)


def test_what_is_too_deep_counts_as_everything_and_is_removed(tmp_path):
    (tmp_path / "x").mkdir()
    _deep(tmp_path / "x", 50)
    assert 10_000 < disk.used_bytes([str(tmp_path / "x")]) < 10**6
    (tmp_path / "y").mkdir()
    _deep(tmp_path / "y", 1500)
    assert disk.used_bytes([str(tmp_path / "y")]) == disk.WITHOUT_END
    for name in ("x", "y"):
        remove(str(tmp_path / name))
        assert not (tmp_path / name).exists()


def test_a_file_of_many_names_is_counted_once(tmp_path):
    (tmp_path / "file").write_bytes(bytes(1_000_000))
    alone = disk.used_bytes([str(tmp_path)])
    for number in range(99):
        (tmp_path / str(number)).hardlink_to(tmp_path / "file")
    assert disk.used_bytes([str(tmp_path)]) < 2 * alone


def test_a_count_that_takes_too_long_is_given_up(tmp_path):
    (tmp_path / "file").write_bytes(bytes(10_000))
    assert disk.used_bytes([str(tmp_path)], until=float("inf")) > 0
    with pytest.raises(disk.TooMany):
        disk.used_bytes([str(tmp_path)], until=0.0)


def test_links_are_removed_and_not_followed(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("x")
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "link").symlink_to(tmp_path / "kept")
    (tmp_path / "self").symlink_to(tmp_path / "kept")
    remove(str(tmp_path / "gone"))
    remove(str(tmp_path / "self"))
    assert (tmp_path / "kept" / "file").exists()
    assert not (tmp_path / "gone").exists()


def test_what_has_gone_is_nothing(tmp_path):
    remove(str(tmp_path / "never"))
    assert disk.used_bytes([str(tmp_path / "never")]) == 0


def test_a_copy_has_modes_times_and_links_and_no_bits_that_give_rights(tmp_path):
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "sub" / "run").write_text("data")
    (source / "sub" / "run").chmod(0o4750)
    os.utime(source / "sub" / "run", ns=(10**18, 10**18))
    (source / "link").symlink_to("sub/run")
    os.mkfifo(source / "pipe")
    copying.copy_tree(str(source), str(tmp_path / "copy"))
    copied = tmp_path / "copy" / "sub" / "run"
    assert copied.read_text() == "data"
    assert copied.stat().st_mode & 0o7777 == 0o750
    assert copied.stat().st_mtime_ns == 10**18
    assert (tmp_path / "copy" / "link").readlink().as_posix() == "sub/run"
    assert not (tmp_path / "copy" / "pipe").exists()
