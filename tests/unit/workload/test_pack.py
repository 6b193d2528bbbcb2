"""Archives: what goes in comes out; what would climb out, or is no file, does not."""

from __future__ import annotations

import gzip
import io
import os
import select
import stat
import subprocess
import sys
import tarfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clary.workload.children import SMALL_FILES, make_archive, unpack_archive
from clary.workload.errors import WorkloadError
from clary.workload.pack import Refused, make, unpack


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "model"
    made.mkdir()
    return made


@pytest.fixture
def target(tmp_path):
    made = tmp_path / "target"
    made.mkdir()
    return made


def tar(path, *members):
    """An archive of (TarInfo, bytes)."""
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def member(name, kind=tarfile.REGTYPE, link="", content=b"x"):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, content if kind == tarfile.REGTYPE else b""


def read(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


names = st.from_regex(r"[a-zé][a-z0-9._ -]{0,8}", fullmatch=True).filter(lambda name: name.strip(".") == name)
trees = st.dictionaries(st.tuples(names, names).map("/".join), st.binary(max_size=200), max_size=6)


@given(trees)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_packed_is_unpacked(tmp_path_factory, tree):
    base = tmp_path_factory.mktemp("trip")
    source, packed, target = base / "source", base / "m.tar.gz", base / "target"
    source.mkdir(), target.mkdir()
    for name, content in tree.items():
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_bytes(content)
    make([source], packed)
    unpack(packed, target)
    assert read(target) == tree


def test_names_and_owners_are_plain(folder, tmp_path):
    (folder / "xgboost-model").write_bytes(b"m")
    make([folder], tmp_path / "m.tar.gz")
    with tarfile.open(tmp_path / "m.tar.gz") as archive:
        (only,) = archive.getmembers()
    assert (only.name, only.uid, only.uname) == ("xgboost-model", 0, "root")


def test_nothing_outside_is_packed(folder, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "file").write_bytes(b"x")
    os.mkfifo(folder / "fifo")
    for name, link in [("up", "../secret"), ("abs", str(tmp_path / "secret")), ("round", "file/../../secret")]:
        (folder / name).symlink_to(link)
    (folder / "good").symlink_to("file")
    os.link(folder / "file", folder / "twin")
    make([folder], tmp_path / "m.tar.gz")
    with tarfile.open(tmp_path / "m.tar.gz") as archive:
        found = {entry.name: entry.type for entry in archive.getmembers()}
    assert found == {"file": tarfile.REGTYPE, "twin": tarfile.REGTYPE, "good": tarfile.SYMTYPE}


@pytest.mark.parametrize(
    "members",
    [
        [member("../up")],
        [member("a/../../up")],
        [member("/abs")],
        [member("link", tarfile.SYMTYPE, "/etc"), member("link/passwd")],
        [member("link", tarfile.SYMTYPE, "..")],
        [member("in", tarfile.SYMTYPE, "."), member("link", tarfile.SYMTYPE, "in/../..")],
        [member("d", tarfile.DIRTYPE), member("l", tarfile.SYMTYPE, "d"), member("l/file")],
        [member("hard", tarfile.LNKTYPE, "../../etc/passwd")],
        [member("hard", tarfile.LNKTYPE, "nothing")],
        [member("device", tarfile.CHRTYPE)],
        [member("fifo", tarfile.FIFOTYPE)],
        [member("a"), member("a/b")],
        [member("a", tarfile.DIRTYPE), member("a")],
    ],
)
def test_members_that_climb_out_or_are_no_files_are_refused(members, target, tmp_path):
    with pytest.raises(Refused):
        unpack(tar(tmp_path / "m.tar.gz", *members), target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.tar.gz", "target"]


@pytest.mark.parametrize("content", [b"", b"no archive", gzip.compress(b"no tar", mtime=0), b"\x1f\x8b\x08\x00broken"])
def test_what_is_no_archive_is_refused(content, target, tmp_path):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(Refused):
        unpack(tmp_path / "m", target)


def test_cut_off_archive_is_refused(folder, target, tmp_path):
    (folder / "big").write_bytes(os.urandom(100_000))
    make([folder], tmp_path / "m")
    (tmp_path / "m").write_bytes((tmp_path / "m").read_bytes()[:50_000])
    with pytest.raises(Refused):
        unpack(tmp_path / "m", target)


def test_unpacked_files_can_be_changed_by_anybody_and_keep_their_x(target, tmp_path):
    info, content = member("bin/run")
    info.mode = 0o755
    unpack(tar(tmp_path / "m", (info, content), member("./in", tarfile.SYMTYPE, "bin"), member("bin/run2")), target)
    assert stat.S_IMODE((target / "bin" / "run").stat().st_mode) == 0o777
    assert stat.S_IMODE((target / "bin").stat().st_mode) == 0o777
    assert (target / "in" / "run2").read_bytes() == b"x"


def test_the_child_says_in_one_line_why(tmp_path, target):
    packed = tar(tmp_path / "m.tar.gz", member("../up"))
    with pytest.raises(WorkloadError) as raised:
        unpack_archive(packed, target, "s3://b/m.tar.gz")
    assert "climbs out of the archive" in raised.value.reason
    assert 's3://b/m.tar.gz"' in raised.value.reason
    command = [sys.executable, "-I", "-m", "clary.workload.pack", "unpack", str(target), str(packed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n"), "Traceback" in done.stderr) == (2, 1, False)


@pytest.mark.parametrize("files", [1, SMALL_FILES + 1])
def test_small_and_large_folders_are_packed_alike(folder, target, tmp_path, files):
    for number in range(files):
        (folder / str(number)).write_text(str(number))
    make_archive([folder], tmp_path / "m.tar.gz")
    unpack(tmp_path / "m.tar.gz", target)
    assert len(read(target)) == files


def test_nothing_is_packed_or_unpacked_on_after_its_parent(tmp_path):
    """The next control begins the same work anew, in the same folder."""
    os.mkfifo(tmp_path / "endless")
    program = "import sys; from pathlib import Path; from clary.workload.children import unpack_archive as f;"
    program += " f(Path(sys.argv[1]), Path(sys.argv[2]), '')"
    parent = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "endless"), str(tmp_path)])
    with (tmp_path / "endless").open("wb", buffering=0) as pipe:  # the child has opened it
        parent.kill()
        parent.wait()
        gone = select.poll()
        gone.register(pipe, 0)
        assert gone.poll(5000), "it reads on"
