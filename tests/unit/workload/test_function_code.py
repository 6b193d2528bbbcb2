"""Zips from strangers: unpacked below their folder, or not at all."""

from __future__ import annotations

import zipfile

import pytest

from clary.workload.errors import WorkloadError
from clary.workload.functions import zips
from clary.workload.functions.code import CodeStore


def written(folder, files, name="a.zip"):
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in files.items():
            archive.writestr(member, text)
    return path


@pytest.mark.parametrize("name", ["../outside.py", "/outside.py", "a/../../outside.py"])
def test_a_name_that_leads_out_is_refused(tmp_path, name):
    with pytest.raises(zips.BadZip, match="leads out"):
        zips.unpack(written(tmp_path, {name: "x"}), tmp_path / "into")
    assert not (tmp_path / "outside.py").exists()


def test_what_is_larger_than_it_may_be_is_refused_while_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(zips, "UNZIPPED_BYTES", 2**20)
    with pytest.raises(zips.BadZip, match="bytes"):
        zips.unpack(written(tmp_path, {"zeros": "0" * 2**21}), tmp_path / "into")


def test_permissions_to_execute_are_kept(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("bin/run")
        info.external_attr = 0o755 << 16
        archive.writestr(info, "#!/bin/sh\n")
        archive.writestr("plain.py", "")
    zips.unpack(path, tmp_path / "into")
    assert (tmp_path / "into/bin/run").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "into/plain.py").stat().st_mode & 0o777 == 0o644


def test_layers_lie_over_one_another_and_the_last_one_wins(tmp_path):
    store = CodeStore(tmp_path / "functions")
    first = store.put([written(tmp_path, {"python/a.py": "1", "python/b.py": "1"}, "1.zip").read_bytes()])
    second = store.put([written(tmp_path, {"python/b.py": "2"}, "2.zip").read_bytes()])
    merged = store.merged([first, second])
    assert (merged / "python/a.py").read_text() == "1"
    assert (merged / "python/b.py").read_text() == "2"
    assert (store.tree(first) / "python/b.py").read_text() == "1"


def test_what_cannot_be_unpacked_leaves_nothing(tmp_path):
    store = CodeStore(tmp_path / "functions")
    digest = store.put([b"no zip at all"])
    with pytest.raises(WorkloadError, match="Could not unzip"):
        store.tree(digest)
    assert not list((tmp_path / "functions/trees").iterdir())
