"""From a container to its launch document: one list of mounts, in the order in which they are made."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from clary.compute import host, networks, record, ways_out
from clary.compute.authority import bundle
from clary.compute.base import Container, Mount, Warm
from clary.compute.launch import OVERLAY, TRUST, Identity, Launch, LaunchLimits, MountEntry, Program

_PACKAGE = Path(__file__).resolve().parent.parent
_INSIDE = "/opt/clary"
_SHOWN = ("__init__.py", "toolkit", "formats", "algorithms", "telemetry")
"""What of the package `clary` is seen inside; the rest is the server's."""

_STARTUP: tuple[str, ...] = (
    *("OMP_", "MKL_", "OPENBLAS_", "GOTO_", "NUMEXPR_", "KMP_", "GOMP_", "NUMBA_", "TF_", "TORCH_", "CUDA_", "ORT_"),
    *("LD_", "MALLOC_", "GLIBC_", "LANG", "LC_"),
    *("PYTHONHASHSEED", "PYTHONMALLOC", "PYTHONOPTIMIZE", "PYTHONWARNINGS", "PYTHONUTF8", "PYTHONIOENCODING"),
    *("PYTHONFAULTHANDLER", "PYTHONDEVMODE", "PYTHONTRACEMALLOC"),
)
"""Variables that are read when Python or a library starts: a fork of a parent without them would ignore them."""

_NUMBERS = re.compile(r"[0-9]{1,9}(,[0-9]{1,9}){0,3}", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9_.@-]{0,32}", re.ASCII)
_HARMLESS = {
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS"), _NUMBERS),
    **dict.fromkeys(("NUMEXPR_NUM_THREADS", "NUMEXPR_MAX_THREADS", "MALLOC_ARENA_MAX", "OMP_THREAD_LIMIT"), _NUMBERS),
    **dict.fromkeys(("OMP_WAIT_POLICY", "OMP_PROC_BIND", "OMP_DYNAMIC", "LANG", "LANGUAGE"), _WORD),
    **dict.fromkeys(("LC_ALL", "LC_COLLATE", "LC_CTYPE", "LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC", "LC_TIME"), _WORD),
    **dict.fromkeys(("PYTHONHASHSEED", "PYTHONIOENCODING", "PYTHONUTF8", "PYTHONOPTIMIZE"), _WORD),
}
"""Those among them that a warm parent may be started with. It runs outside, as the server's own user, and they come
from a request: each of the others (`LD_PRELOAD`, `OMP_TOOL_LIBRARIES`, `PYTHONWARNINGS`) may make it load foreign code.
"""

_FOLDERS: tuple[tuple[str, int], ...] = (
    ("/dev", 0o755),
    ("/etc", 0o755),
    ("/home", 0o755),
    ("/media", 0o755),
    ("/mnt", 0o755),
    ("/opt", 0o755),
    ("/opt/ml", 0o755),
    ("/proc", 0o755),
    ("/run", 0o755),
    ("/srv", 0o755),
    ("/sys", 0o755),
    ("/var", 0o755),
    ("/var/cache", 0o755),
    ("/var/lib", 0o755),
    ("/var/log", 0o755),
)

_SCRATCH = (("tmp", 0o1777, "/tmp"), ("home", 0o755, "/root"))  # noqa: S108  the container's own
"""Name in the container's folder, mode, and place inside."""

_LINKS = {
    "/dev/fd": "/proc/self/fd",
    "/dev/stdin": "/proc/self/fd/0",
    "/dev/stdout": "/proc/self/fd/1",
    "/dev/stderr": "/proc/self/fd/2",
    "/dev/ptmx": "pts/ptmx",
    "/etc/mtab": "/proc/self/mounts",
    "/var/run": "/run",
    "/var/tmp": "/tmp",  # noqa: S108
}

_USERS = """\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
sagemaker:x:1000:1000:SageMaker:/root:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
_GROUPS = "root:x:0:\ndaemon:x:1:\ntty:x:5:\nwww-data:x:33:\nusers:x:100:\nsagemaker:x:1000:\nnogroup:x:65534:\n"
_NAMES = "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"
_RESOLVER = (
    "# Names are resolved by the proxy that HTTPS_PROXY names; nothing answers here, at once.\nnameserver 127.0.0.1\n"
)


def identity(effective_uid: int) -> Identity:
    """Who a container's program is: root of a range of ids of its own where the server is root, else user 1000."""
    if effective_uid == 0:
        return Identity(uid=0, gid=0, base=host.id_range(), count=65_536)
    return alone()


def alone() -> Identity:
    """User 1000, who outside is the server's own user."""
    return Identity(uid=1000, gid=1000, base=os.geteuid(), count=1)


def launch(folder: Path, container: Container, who: Identity, names: Path | None = None) -> Launch:
    """The document for a container whose folder is `folder`, confined. `names` is the folder of the certificate for
    AWS's hosts; None: they are others'.

    Raises FileNotFoundError where a mount's source is not there.
    """
    return Launch(
        protocol=record.PROTOCOL,
        id=folder.name,
        argv=list(container.argv),
        env=environment(container, names is not None),
        workdir=container.workdir,
        hostname=container.hostname,
        log=container.log,
        port=container.listens,
        api=container.api,
        confined=True,
        identity=who,
        root=str(folder / record.ROOT),
        scratch=[(str(folder / name), mode) for name, mode, _ in _SCRATCH],
        directories=[*_FOLDERS, (container.workdir, 0o755)] if _is_new(container) else list(_FOLDERS),
        files=_files(container),
        links={**_LINKS, **dict(host.system_folders()[1])},
        mounts=[*_scratch_mounts(folder), *_mounts(container, names)],
        limits=limits(container),
        companions=[list(argv) for argv in container.companions],
        aws_names=str(names) if names else None,
        network=networks.place(container),
        warm=program(container.warm, container.env),
        engine=None,
    )


def _is_new(container: Container) -> bool:
    """Whether the working directory is neither part of the layout nor of a mount."""
    seen = [*host.system_folders()[0], *(mount.target for mount in container.mounts)]
    return not any(Path(container.workdir).is_relative_to(target) for target in (*seen, "/proc", "/sys"))


def limits(container: Container) -> LaunchLimits:
    """The limits that are not mounts."""
    wanted = asdict(container.limits)
    return LaunchLimits(
        memory_bytes=wanted["memory_bytes"],
        cpus=wanted["cpus"],
        processes=wanted["processes"],
        open_files=wanted["open_files"],
        file_bytes=wanted["file_bytes"],
        disk_bytes=wanted["disk_bytes"],
        gpus=wanted["gpus"],
    )


def program(warm: Warm | None, env: Mapping[str, str]) -> Program | None:
    """What a warm parent forks. Equal Python, packages and start-up variables share a parent; None where there may be
    none with these variables."""
    startup = {name: value for name, value in sorted(env.items()) if name.startswith(_STARTUP)}
    if warm is None or not all(_is_harmless(name, value) for name, value in startup.items()):
        return None
    return Program(
        key="\n".join([warm.python, *warm.preload, *(f"{name}={value}" for name, value in startup.items())]),
        python=warm.python,
        preload=list(warm.preload),
        startup={"LANG": "C.UTF-8", **startup},
        module=warm.module,
        args=list(warm.args),
    )


def _is_harmless(name: str, value: str) -> bool:
    return name in _HARMLESS and _HARMLESS[name].fullmatch(value) is not None


def environment(container: Container, trusting: bool = False) -> dict[str, str]:
    """The container's variables over the defaults of a machine: nothing of the server's own environment. `trusting`:
    it is shown which authorities to trust."""
    defaults = {"PATH": _search_path(container), "HOME": "/root", "HOSTNAME": container.hostname, "LANG": "C.UTF-8"}
    if container.api:
        defaults |= ways_out.of_sandbox(networks.members(container), trusting)
    if container.limits.gpus:
        defaults["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, range(container.limits.gpus)))
    given = [path for path in container.env.get("PYTHONPATH", "").split(":") if path]
    return {**defaults, **container.env, "PYTHONPATH": ":".join(dict.fromkeys([*given, _INSIDE]))}


def _search_path(container: Container) -> str:
    system = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return ":".join([*(str(Path(python).parent) for python in _pythons(container)[:1]), system])


def _pythons(container: Container) -> list[str]:
    """Pythons of environments that the container runs by: the program itself, and its warm parent's."""
    first = container.argv[0] if container.argv else ""
    found = [first] if first.startswith("/") and (Path(first).parent.parent / "pyvenv.cfg").is_file() else []
    return list(dict.fromkeys([*found, *([container.warm.python] if container.warm else [])]))


def _files(container: Container) -> dict[str, str]:
    return {
        "/etc/hosts": networks.hosts_file(container),
        "/etc/hostname": f"{container.hostname}\n",
        "/etc/resolv.conf": _RESOLVER,
        "/etc/nsswitch.conf": _NAMES,
        "/etc/passwd": _USERS,
        "/etc/group": _GROUPS,
    }


def _mounts(container: Container, names: Path | None) -> Iterator[MountEntry]:
    """Outer ones first: a mount covers what was mounted below its target before."""
    size = container.limits.shared_memory_bytes
    yield from (_bind(path, path) for path in host.system_folders()[0])
    yield from (_bind(source, target) for source, target in host.settings_files())
    yield _entry("proc", "/proc")
    yield _entry("sysfs", "/sys")
    devices = (*host.devices(), *(host.accelerators() if container.limits.gpus else ()))
    yield from (_bind(path, path, writable=True, devices=True) for path in devices)
    yield _entry("tmpfs", "/dev/shm", f"mode=1777,uid=0,gid=0,size={size}")  # noqa: S108
    yield _entry("devpts", "/dev/pts", "newinstance,ptmxmode=0666,mode=620", devices=True)
    wanted = {mount.target: mount for mount in (*_clary_mounts(names), *_python_mounts(container), *container.mounts)}
    yield from (_wanted(mount, mount in container.mounts) for mount in sorted(wanted.values(), key=_depth))


def _wanted(mount: Mount, own: bool) -> MountEntry:
    entry = _bind(mount.source, mount.target, mount.writable)
    if mount.copy_on_write:
        return {**entry, "kind": OVERLAY, "writable": True, "own": True}
    return {**entry, "own": own and not mount.writable}


def _scratch_mounts(folder: Path) -> Iterator[MountEntry]:
    for name, _, target in _SCRATCH:
        yield {**_entry("bind", target), "source": str(folder / name)}


def _depth(mount: Mount) -> int:
    return mount.target.rstrip("/").count("/")


def _clary_mounts(names: Path | None) -> Iterator[Mount]:
    if names:
        yield Mount(str(bundle(names)), TRUST)
    yield from (Mount(str(_PACKAGE / name), f"{_INSIDE}/clary/{name}") for name in _SHOWN)


def _python_mounts(container: Container) -> Iterator[Mount]:
    for python in _pythons(container):
        yield from (Mount(path, path) for path in host.python_folders(python))


def _entry(kind: str, target: str, data: str = "", devices: bool = False) -> MountEntry:
    return MountEntry(kind=kind, source=kind, target=target, writable=True, devices=devices, own=False, data=data)


def _bind(source: str, target: str, writable: bool = False, devices: bool = False) -> MountEntry:
    if not Path(source).exists():
        raise FileNotFoundError(f"cannot mount {source} at {target}: it is not there")
    return {**_entry("bind", target, devices=devices), "source": source, "writable": writable}
