"""A container engine for tests: this machine's, or a Podman service on a socket of its own; and images for it."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import io
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlencode

import pytest

from clary.compute import docker_socket
from clary.compute.docker_api import Engine
from clary.errors import ClaryError
from tests.running import wait_until

WANTED = "no container engine: start Docker, or install Podman and runc (`apt-get install podman runc`) as root"

_TOOLS = (
    "sh",
    "env",
    "true",
    "cut",
    "tail",
    "grep",
    "mv",
    "stty",
    "readlink",
    "hostname",
    "nproc",
    "find",
    "wc",
    "stat",
    "ln",
    "df",
    "date",
    "sleep",
    "cat",
    "head",
    "tr",
    "seq",
    "id",
    "ls",
    "mkdir",
    "rm",
    "chmod",
    "touch",
    "setsid",
    "dd",
)
_LEFT_OUT = re.compile(r"/(site-packages|test|tests|idlelib|ensurepip|tkinter|lib2to3|config-[^/]*|__pycache__)(/|$)")


@contextlib.contextmanager
def engine() -> Iterator[Engine]:
    """Skips the test where there is none and none can be started."""
    try:
        yield Engine(docker_socket.find(os.environ))
        return
    except ClaryError:
        if shutil.which("podman") is None or os.geteuid() != 0:
            pytest.skip(WANTED)
    with _service() as path:
        yield Engine(path)


@contextlib.contextmanager
def _service() -> Iterator[str]:
    """One for all test processes of this machine: its network has a fixed address. The last one ends it."""
    folder = Path(tempfile.gettempdir()) / "clary-test-engine"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "users").open("w") as users:
        with _starting(folder):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not _answers(folder):
                start_service(folder)
        try:
            yield str(folder / "sock")
        finally:
            with _starting(folder):
                _end_if_last(folder, users.fileno())


@contextlib.contextmanager
def _starting(folder: Path) -> Iterator[None]:
    with (folder / "starting").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _answers(folder: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(folder / "sock")) == 0


def start_service(folder: Path) -> None:
    """Podman's API at `folder`/sock, with storage of its own."""
    (folder / "containers.conf").write_text(_configuration())
    (folder / "sock").unlink(missing_ok=True)
    with (folder / "service.log").open("ab") as log:
        service = subprocess.Popen(
            [
                *("podman", "--root", str(folder / "storage"), "--runroot", str(folder / "run")),
                *("--network-config-dir", str(folder / "networks")),
                *("system", "service", "--time=0", f"unix://{folder / 'sock'}"),
            ],
            env={**os.environ, "CONTAINERS_CONF": str(folder / "containers.conf")},
            cwd=folder,  # where Podman 4.3 writes that memory was short
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (folder / "pid").write_text(str(service.pid))
    wait_until(lambda: _answers(folder), 30, "Podman answers")


def _configuration() -> str:
    """Machines without systemd, and those where limits cannot be raised, run containers too."""
    files, processes = (resource.getrlimit(name)[1] for name in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC))
    files, processes = (4096 if limit == resource.RLIM_INFINITY else min(limit, 4096) for limit in (files, processes))
    runtime = "runc" if shutil.which("runc") else "crun"
    return (
        f'[containers]\ndefault_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]\n'
        f'[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "{runtime}"\n'
    )


def stop_service(folder: Path) -> None:
    """As at a crash: at once. Containers live on."""
    pid = int((folder / "pid").read_text())
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _end_if_last(folder: Path, users: int) -> None:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    command = ["podman", "--root", str(folder / "storage"), "--runroot", str(folder / "run")]
    env = {**os.environ, "CONTAINERS_CONF": str(folder / "containers.conf")}
    networks = ["--network-config-dir", str(folder / "networks")]
    subprocess.run(
        [*command, *networks, "rm", "--all", "--force", "--time=0"], env=env, check=False, capture_output=True
    )
    stop_service(folder)
    subprocess.run([*command, *networks, "system", "reset", "--force"], env=env, check=False, capture_output=True)
    for name in ("storage", "run", "networks", "containers.conf", "sock", "service.log", "pid"):
        path = folder / name
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def image(engine: Engine, name: str, files: Mapping[str, str] | None = None, changes: Sequence[str] = ()) -> str:
    """An image of this machine's shell, some tools and Python, with `files` (executable) by path; its name."""
    full = f"localhost/{name}"
    known = engine.image(full)
    if known is None or files:
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as archive:
            _fill(archive, files or {})
        said = ["ENV PATH=/usr/local/bin:/usr/bin:/bin", "ENV LANG=C.UTF-8", "ENV HOME=/root", *changes]
        _import(engine.path, full, data.getvalue(), said)
    return full


def _fill(archive: tarfile.TarFile, files: Mapping[str, str]) -> None:
    for folder in ("tmp", "root", "opt/ml", "usr/bin", "bin", "var", "dev", "proc", "sys", "etc"):
        _folder(archive, folder)
    wanted: dict[str, Path] = {}
    for tool in _TOOLS:
        found = shutil.which(tool)
        if found:
            wanted[f"/usr/bin/{tool}"] = Path(found).resolve()
    python = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}").resolve()
    wanted[str(python)] = python
    modules = Path(sys.base_prefix, "lib", f"python3.{sys.version_info.minor}")
    for path in modules.rglob("*"):
        if path.is_file() and not _LEFT_OUT.search(str(path.relative_to(modules.parent))):
            wanted[str(path)] = path
    binaries = [path for path in wanted.values() if path.suffix != ".py" and _is_elf(path)]
    for library in _libraries(binaries):
        wanted.setdefault(library, Path(library).resolve())
    for target, source in sorted(wanted.items()):
        archive.add(source, target, recursive=False)
    _link(archive, "/bin/sh", "/usr/bin/sh")
    _link(archive, "/usr/bin/python3", str(python))
    for target, text in files.items():
        info = tarfile.TarInfo(target.lstrip("/"))
        info.mode, info.size = 0o755, len(text.encode())
        archive.addfile(info, io.BytesIO(text.encode()))


def _folder(archive: tarfile.TarFile, name: str) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
    archive.addfile(info)


def _link(archive: tarfile.TarFile, name: str, target: str) -> None:
    info = tarfile.TarInfo(name.lstrip("/"))
    info.type, info.linkname = tarfile.SYMTYPE, target
    archive.addfile(info)


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _libraries(binaries: Sequence[Path]) -> set[str]:
    said = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False).stdout
    found = (os.path.normpath(path) for path in re.findall(r"(/\S+\.so\S*)", said) if not path.endswith(":"))
    return {path for path in found if Path(path).is_file()}


def _import(path: str, name: str, data: bytes, changes: Sequence[str]) -> None:
    query = urlencode([("fromSrc", "-"), ("repo", name.partition(":")[0]), ("tag", name.partition(":")[2] or "latest")])
    query += "".join("&" + urlencode({"changes": change}) for change in changes)
    connection = http.client.HTTPConnection("engine", timeout=120)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(path)
    connection.request("POST", f"/images/create?{query}", data, {"Content-Type": "application/x-tar"})
    response = connection.getresponse()
    assert response.status == 200, response.read()
    response.read()
    connection.close()


def containers(engine: Engine) -> list[str]:
    """Names of Clary's containers, living and ended."""
    connection = http.client.HTTPConnection("engine", timeout=30)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(engine.path)
    connection.request("GET", "/containers/json?all=1")
    found = json.loads(connection.getresponse().read())
    connection.close()
    names = [name.removeprefix("/") for each in found for name in each["Names"]]
    return sorted(name for name in names if name.startswith("clary-"))


def is_own(engine: Engine) -> bool:
    """Whether tests have started it, and may restart it."""
    return Path(engine.path).name == "sock"
