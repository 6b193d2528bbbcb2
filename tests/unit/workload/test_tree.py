"""Folders that hostile programs have filled: nothing is followed, nothing waits, nothing of another's is read."""

from __future__ import annotations

import multiprocessing
import os
import socket
import tarfile
import tempfile
from pathlib import Path

import pytest

from clary.workload.pack import LARGEST_HOLE, Refused, make, unpack
from clary.workload.tree import DEEPEST, merged, walk


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "model"
    made.mkdir()
    return made


def paths(*roots):
    return [entry.path for entry in merged(roots)]


def members(archive):
    with tarfile.open(archive) as opened:
        return {member.name: member for member in opened}


def test_in_the_order_of_names_folders_before_what_is_in_them(folder):
    for name in ("b/2", "b/1", "a", "c"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    assert paths(folder) == ["a", "b", "b/1", "b/2", "c"]


@pytest.mark.parametrize("make_root", [lambda p: p.symlink_to("/etc"), os.mkfifo, lambda p: p.touch(), lambda p: None])
def test_a_root_that_is_no_folder_has_nothing(tmp_path, make_root):
    make_root(tmp_path / "root")
    assert paths(tmp_path / "root") == []


def test_links_to_folders_are_not_followed(folder):
    (folder / "etc").symlink_to("/etc")
    (folder / "self").symlink_to(".")
    assert paths(folder) == ["etc", "self"]


def test_a_file_that_became_something_else_meanwhile_is_not_read(folder, tmp_path):
    for name in ("fifo", "link", "gone"):
        (folder / name).write_text("x")
    (tmp_path / "secret").write_text("secret")
    kept = {}
    for entry in walk(folder):
        (folder / entry.name).unlink()
        if entry.name == "fifo":
            os.mkfifo(folder / "fifo")
        if entry.name == "link":
            (folder / "link").symlink_to(tmp_path / "secret")
        with pytest.raises(OSError) as kept[entry.name]:
            entry.open()
    assert len(kept) == 3


def test_a_folder_that_becomes_a_link_meanwhile_is_not_entered(folder, tmp_path):
    (folder / "a").touch()
    (folder / "b").mkdir()
    (folder / "b" / "inside").touch()
    seen = []
    for entry in walk(folder):
        seen.append(entry.path)
        if entry.path == "a":
            (folder / "b").rename(tmp_path / "moved")
            (folder / "b").symlink_to("/etc")
    assert seen == ["a", "b"]


def test_what_its_mode_closes_is_read_all_the_same(folder):
    (folder / "closed").mkdir()
    (folder / "closed" / "file").write_text("x")
    (folder / "closed" / "file").chmod(0)
    (folder / "closed").chmod(0)
    found = {entry.path: entry.open().read() for entry in walk(folder) if entry.is_file}
    assert found == {"closed/file": b"x"}


def test_folders_in_folders_without_end(folder):
    here = os.open(folder, os.O_RDONLY)
    for _ in range(2 * DEEPEST):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    assert len(paths(folder)) == DEEPEST


def test_of_several_hosts_each_path_comes_once_from_the_first(tmp_path):
    for host, names in {"1": ["same", "only-1", "mixed"], "2": ["same", "only-2", "mixed/in", "sub/x"]}.items():
        for name in names:
            (tmp_path / host / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / host / name).write_text(host)
    make([tmp_path / "1", tmp_path / "2"], tmp_path / "m.tar.gz")
    (tmp_path / "out").mkdir()
    unpack(tmp_path / "m.tar.gz", tmp_path / "out")
    found = {str(p.relative_to(tmp_path / "out")): p.read_text() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert found == {"same": "1", "only-1": "1", "mixed": "1", "only-2": "2", "sub/x": "2"}


def test_pipes_devices_and_sockets_are_left_out(folder, tmp_path, monkeypatch):
    os.mkfifo(folder / "fifo")
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        (folder / "file").touch()
        make([folder], tmp_path / "m.tar.gz")
    assert list(members(tmp_path / "m.tar.gz")) == ["file"]


def test_names_of_any_bytes_come_back(folder, tmp_path):
    name = os.fsdecode(b"\xff\xfe name\n")
    (folder / name).write_text("x")
    make([folder], tmp_path / "m.tar.gz")
    (tmp_path / "out").mkdir()
    unpack(tmp_path / "m.tar.gz", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


def test_a_file_that_is_almost_only_a_hole_is_refused_at_once(folder, tmp_path):
    with (folder / "sparse").open("wb") as file:
        file.truncate(LARGEST_HOLE + 2**20)
    with pytest.raises(Refused, match="only 0 were written"):
        make([folder], tmp_path / "m.tar.gz")
    assert not list(tmp_path.glob("*.part"))


def test_many_files_are_packed_in_the_time_of_their_number(folder, tmp_path):
    for number in range(5000):
        (folder / str(number)).touch()
    make([folder], tmp_path / "m.tar.gz")
    assert len(members(tmp_path / "m.tar.gz")) == 5000


@pytest.mark.parametrize("size", [0, 1, 2**20 - 1, 2**20, 5 * 2**20 + 3])
def test_blocks_of_several_threads_are_one_gzip_file(folder, tmp_path, size):
    content = os.urandom(size // 2) + bytes(size - size // 2)
    (folder / "file").write_bytes(content)
    make([folder], tmp_path / "m.tar.gz")
    make([folder], tmp_path / "again.tar.gz")
    with tarfile.open(tmp_path / "m.tar.gz") as archive:
        assert archive.extractfile("file").read() == content
    assert (tmp_path / "m.tar.gz").read_bytes() == (tmp_path / "again.tar.gz").read_bytes()


def _pack_closed(home: Path) -> None:
    os.setgid(1234)
    os.setuid(1234)
    model = home / "model"
    (model / "closed").mkdir(parents=True)
    (model / "closed" / "file").write_text("x")
    for path in (model / "closed" / "file", model / "closed", model):
        path.chmod(0)
    make([model], home / "m.tar.gz")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_packs_what_a_container_of_its_own_has_closed():
    with tempfile.TemporaryDirectory(prefix="clary-user-") as folder:
        home = Path(folder)
        home.chmod(0o777)
        other = multiprocessing.get_context("fork").Process(target=_pack_closed, args=(home,))
        other.start()
        other.join()
        assert other.exitcode == 0
        assert list(members(home / "m.tar.gz")) == ["closed", "closed/file"]
