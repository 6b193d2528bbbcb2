"""Whatever a container has left, its folder can be removed."""

from __future__ import annotations

import os

import pytest

from clary.compute.removal import remove


def _deep(path, depth, name, mode):
    path.mkdir()
    folder = os.open(path, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, 0o700, dir_fd=folder)
        inner = os.open(name, os.O_RDONLY, dir_fd=folder)
        os.fchmod(folder, mode)
        os.close(folder)
        folder = inner
    os.close(os.open("file", os.O_CREAT, dir_fd=folder))
    os.close(folder)


@pytest.mark.parametrize(
    ("depth", "name", "mode"), [(3000, "d", 0o700), (60, "n" * 200, 0o700), (300, "d", 0o500), (3, "d", 0)]
)
def test_no_folder_is_too_deep_or_closed(tmp_path, depth, name, mode):
    _deep(tmp_path / "c", depth, name, mode)
    remove(str(tmp_path / "c"))
    assert list(tmp_path.iterdir()) == []


def test_links_out_of_it_are_not_followed(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o500)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "link").symlink_to(kept)
    remove(str(tmp_path / "c"))
    assert [(path, path.stat().st_mode & 0o777) for path in tmp_path.iterdir()] == [(kept, 0o500)]
