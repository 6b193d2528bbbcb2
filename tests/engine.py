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
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from clary.compute import docker_socket, record
from clary.compute.docker_api import Engine
from clary.compute.docker_images import ImageStore
from clary.errors import ClaryError
from tests.running import wait_until

WANTED = "no container engine: start Docker, or install Podman and runc (`apt-get install podman runc`) as root"
UNFIT = "Podman cannot run containers here: "

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
    "which",
    "bash",
    "uname",
)
_BASE = f"clary-test-base-{zlib.crc32(repr((_TOOLS, sys.version, sys.base_prefix)).encode()):08x}"
"""Test processes of other versions may use the same engine."""

_LEFT_OUT = re.compile(r"/(site-packages|test|tests|idlelib|ensurepip|tkinter|lib2to3|config-[^/]*|__pycache__)(/|$)")


@contextlib.contextmanager
def engine(plain: str = "") -> Iterator[Engine]:
    """Skips the test where there is none and none can be started. From the registry `plain` (`127.0.0.1:PORT`) it pulls
    without TLS, as Docker does from all at 127.0.0.1; a Podman of the machine's would not, and that skips too."""
    try:
        found = ImageStore(docker_socket.find(os.environ))
        if plain and found.is_podman():
            pytest.skip(f"the Podman of this machine wants TLS from a registry at {plain}")
        yield found
        return
    except ClaryError:
        if shutil.which("podman") is None or os.geteuid() != 0:
            pytest.skip(WANTED)
    with _service(plain) as path:
        started = Engine(path)
        if reason := _unfit(started):
            pytest.skip(UNFIT + reason)
        yield started


@contextlib.contextmanager
def _service(plain: str) -> Iterator[str]:
    """Podman's API on a socket that is nobody else's, and that is killed without harm to anybody else.

    Storage and network are shared by all test processes of this machine, for the network has a fixed address; none of
    it is that of the machine's own Podman. The last one removes all of it.
    """
    shared = Path(tempfile.gettempdir()) / "podman-of-clarys-tests"
    shared.mkdir(mode=0o711, exist_ok=True)
    with (shared / "users").open("w") as users:
        with _alone(shared):
            fcntl.flock(users, fcntl.LOCK_SH)
            (shared / "containers.conf.new").write_text(_configuration())
            (shared / "containers.conf.new").replace(shared / "containers.conf")  # others' Podman may be reading it
            if reason := _failure(shared, "info"):
                pytest.skip(UNFIT + reason)
        own = Path(tempfile.mkdtemp(dir=shared, prefix="service-"))
        try:
            if plain:
                (own / "registries.conf").write_text(f'[[registry]]\nlocation = "{plain}"\ninsecure = true\n')
            start_service(own)
            yield str(own / "sock")
        finally:
            stop_service(own)
            shutil.rmtree(own)
            with _alone(shared):
                _clear_if_last(shared, users.fileno())


def _unfit(engine: Engine) -> str:
    """Why this machine's Podman cannot run a container by itself, in its own words: no control groups, no bridges…"""
    shared = Path(engine.path).parent.parent
    with _alone(shared):
        if not (shared / "unfit").exists():
            (shared / "unfit").write_text(_failure(shared, "run", "--rm", base(engine), "true"))
        return (shared / "unfit").read_text()


def _failure(shared: Path, *words: str) -> str:
    """What Podman complains of; empty where the command goes well."""
    env = {**os.environ, "CONTAINERS_CONF": str(shared / "containers.conf")}
    run = subprocess.run([*_podman(shared), *words], env=env, check=False, capture_output=True, text=True, timeout=120)
    return (run.stderr.strip() or f"exit code {run.returncode}") if run.returncode else ""


@contextlib.contextmanager
def _alone(shared: Path) -> Iterator[None]:
    with (shared / "alone").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _podman(shared: Path) -> list[str]:
    """Nothing is shared with other Podmans of the machine: `system reset` of one deletes the folder for temporary files
    and with it how the containers of all others ended."""
    places = {"root": "storage", "runroot": "run", "tmpdir": "tmp", "network-config-dir": "networks"}
    return ["podman", *(f"--{option}={shared / name}" for option, name in places.items())]


def start_service(own: Path) -> None:
    """Podman's API at `own`/sock."""
    shared = own.parent
    (own / "sock").unlink(missing_ok=True)
    own_registries = own / "registries.conf"
    registries = {"CONTAINERS_REGISTRIES_CONF": str(own_registries)} if own_registries.exists() else {}
    with (own / "service.log").open("ab") as log:
        service = subprocess.Popen(
            [*_podman(shared), "system", "service", "--time=0", f"unix://{own / 'sock'}"],
            env={**os.environ, "CONTAINERS_CONF": str(shared / "containers.conf"), **registries},
            cwd=own,  # where Podman 4.3 writes that memory was short
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (own / "pid").write_text(str(service.pid))
    wait_until(lambda: _answers(own / "sock"), 60, "Podman answers")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def stop_service(own: Path) -> None:
    """As at a crash: at once. Containers live on."""
    pid = int((own / "pid").read_text())
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _configuration() -> str:
    """Machines without systemd, and those where limits cannot be raised, run containers too."""
    files, processes = (resource.getrlimit(name)[1] for name in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC))
    files, processes = (4096 if limit == resource.RLIM_INFINITY else min(limit, 4096) for limit in (files, processes))
    runtime = "runc" if shutil.which("runc") else "crun"
    return (
        f'[containers]\ndefault_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]\n'
        f'[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "{runtime}"\n'
    )


def _clear_if_last(shared: Path, users: int) -> None:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    env = {**os.environ, "CONTAINERS_CONF": str(shared / "containers.conf")}
    for command in (["rm", "--all", "--force", "--time=0"], ["network", "prune", "--force"]):
        subprocess.run([*_podman(shared), *command], env=env, check=False, capture_output=True, timeout=120)
    for pid in _processes_of(shared):  # Podman keeps one beside each `exec` for five minutes
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for mount in _mounts_below(shared / "storage"):
        subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)
    for path in shared.iterdir():
        if path.name not in ("alone", "users"):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


def _processes_of(shared: Path) -> list[int]:
    """Podman's, not those in its containers."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            if f"{shared}/".encode() not in (path / "cmdline").read_bytes():
                continue
            if (path / "exe").readlink().name in ("conmon", "podman"):
                found.append(int(path.name))
    return found


def _mounts_below(folder: Path) -> list[str]:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return sorted((path for path in (line.split()[1] for line in lines) if path.startswith(f"{folder}/")), reverse=True)


def base(engine: Engine) -> str:
    """The name of an image of this machine's shell, some tools and Python."""
    if engine.image(f"localhost/{_BASE}") is None:
        _import_base(engine)
    return f"localhost/{_BASE}"


def image(engine: Engine, name: str, files: Mapping[str, str], changes: Sequence[str] = ()) -> str:
    """An image with `files` (executable) by path on top of the base; its name."""
    return layered(engine, name, _archive(files), changes)


def layered(engine: Engine, name: str, data: bytes, changes: Sequence[str] = ()) -> str:
    """An image with what a tar archive holds on top of the base; its name."""
    container = engine.create(f"clary-test-{os.urandom(8).hex()}", {"Image": base(engine), "Cmd": ["true"]})
    try:
        _ask(engine, "PUT", f"/containers/{container}/archive?path=/", _without_padding(data))
        query = [("container", container), ("repo", f"localhost/{name}"), ("tag", "latest")]
        _ask(engine, "POST", "/commit?" + urlencode([*query, *(("changes", change) for change in changes)]), b"{}")
    finally:
        engine.remove(container)
    return f"localhost/{name}"


def _without_padding(data: bytes) -> bytes:
    """An archive up to the two blocks of zeros that end it.

    What follows them fills a tape's record. Podman's reader leaves at the two blocks, and Podman, which goes on
    writing to it, answers "passing bulk input to subprocess: broken pipe" where the rest comes a moment later.
    """
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        archive.getmembers()
        end = archive.offset + 2 * tarfile.BLOCKSIZE
    return data[:end]


def _archive(files: Mapping[str, str]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for target, text in files.items():
            info = tarfile.TarInfo(target.lstrip("/"))
            info.mode, info.size = 0o755, len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return data.getvalue()


def _import_base(engine: Engine) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        _fill(archive)
    said = ["ENV PATH=/usr/local/bin:/usr/bin:/bin", "ENV LANG=C.UTF-8", "ENV HOME=/root"]
    query = [("fromSrc", "-"), ("repo", f"localhost/{_BASE}"), ("tag", "latest"), *(("changes", line) for line in said)]
    _ask(engine, "POST", "/images/create?" + urlencode(query), data.getvalue())


def _ask(engine: Engine, method: str, path: str, data: bytes | None = None) -> Any:
    connection = http.client.HTTPConnection("engine", timeout=300)
    with contextlib.closing(connection):
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(engine.path)
        connection.request(method, path, data, {"Content-Type": "application/x-tar"} if data else {})
        response = connection.getresponse()
        body = response.read()
        assert response.status < 300, body
    return json.loads(body) if body.startswith((b"{", b"[")) and b"\r\n" not in body else None


def _fill(archive: tarfile.TarFile) -> None:
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
    binaries = [path for path in wanted.values() if path.suffix != ".py" and is_elf(path)]
    for library in libraries(binaries):
        wanted.setdefault(library, Path(library).resolve())
    for target, source in sorted(wanted.items()):
        archive.add(source, target, recursive=False)
    _link(archive, "/bin/sh", "/usr/bin/sh")
    _link(archive, "/usr/bin/python3", str(python))


def _folder(archive: tarfile.TarFile, name: str) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
    archive.addfile(info)


def _link(archive: tarfile.TarFile, name: str, target: str) -> None:
    info = tarfile.TarInfo(name.lstrip("/"))
    info.type, info.linkname = tarfile.SYMTYPE, target
    archive.addfile(info)


def is_elf(path: Path) -> bool:
    """Whether it is a program or a library."""
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def libraries(binaries: Sequence[Path]) -> set[str]:
    """What they are linked to, on this machine."""
    said = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False).stdout
    found = (os.path.normpath(path) for path in re.findall(r"(/\S+\.so\S*)", said) if not path.endswith(":"))
    return {path for path in found if Path(path).is_file()}


def containers(engine: Engine, data_dir: Path) -> list[str]:
    """Names of the containers of the Clary in `data_dir`, living and ended."""
    known = _ask(engine, "GET", "/containers/json?all=1")
    names = [name.removeprefix("/") for each in known for name in each["Names"]]
    own = record.prefix(str(data_dir / "run" / "containers"))
    return sorted(name for name in names if name.startswith(own))


def is_own(engine: Engine) -> bool:
    """Whether tests have started it, and may restart it."""
    return Path(engine.path).name == "sock"


def open_to_all(engine: Engine) -> None:
    """Everybody may use it."""
    Path(engine.path).parent.chmod(0o711)
    Path(engine.path).chmod(0o666)
