"""What of this host a container may see: programs and libraries, never anybody's files."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32")

_SETTINGS: tuple[str, ...] = (
    *("alternatives", "ca-certificates", "ca-certificates.conf", "crypto-policies", "debian_version", "default/locale"),
    *("fonts", "gai.conf", "glvnd", "host.conf", "inputrc", "java-11-openjdk", "java-17-openjdk", "java-21-openjdk"),
    *("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "locale.alias", "localtime", "magic", "magic.mime", "mime.types"),
    *("networks", "nvidia", "OpenCL", "os-release", "perl", "pip.conf", "pki", "profile", "profile.d", "protocols"),
    *("redhat-release", "rpc", "services", "shells", "skel", "ssl", "terminfo", "timezone", "vulkan", "bash.bashrc"),
)
"""Of /etc, only what programs need to run; who lives here, and how to reach what, stays outside."""

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_ACCELERATORS = ("/dev/nvidia*", "/dev/nvidia-caps/*", "/dev/dri/renderD*", "/dev/kfd")


@cache
def system_folders() -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The folders of programs and libraries: those that are folders, and those that are links, with their targets."""
    present = [path for path in _SYSTEM if os.path.lexists(path)]
    folders = tuple(path for path in present if not Path(path).is_symlink())
    links = tuple((path, str(Path(path).readlink())) for path in present if Path(path).is_symlink())
    return folders, links


@cache
def settings_files() -> tuple[tuple[str, str], ...]:
    """(source, target) of what is shown of /etc; links are followed."""
    found = (f"/etc/{name}" for name in _SETTINGS)
    return tuple((str(Path(path).resolve()), path) for path in found if Path(path).exists())


@cache
def devices() -> tuple[str, ...]:
    """Device files that every program may use."""
    return tuple(f"/dev/{name}" for name in _DEVICES if Path(f"/dev/{name}").exists())


@cache
def accelerators() -> tuple[str, ...]:
    """Device files of this machine's accelerators."""
    named = [path for pattern in _ACCELERATORS for path in sorted(glob.glob(pattern))]  # noqa: PTH207  absolute
    return tuple(path for path in named if not Path(path).is_dir())


@cache
def python_folders(python: str) -> tuple[str, ...]:
    """The folders that `python` needs, to be seen at their own paths: its environment, and every installation that its
    links lead through. Those below /usr are there anyway."""
    folders = {str(Path(step).parent.parent) for step in _links(python)}
    elsewhere = (folder for folder in folders if folder != "/" and not Path(folder).is_relative_to("/usr"))
    return tuple(sorted(folder for folder in elsewhere if Path(folder).is_dir()))


def _links(path: str) -> Iterator[str]:
    """`path`, and each path that its links lead through: links of folders on the way are followed too."""
    for _ in range(40):  # the kernel's own bound
        yield path
        yield str(Path(path).parent.resolve() / Path(path).name)
        if not Path(path).is_symlink():
            return
        path = os.path.normpath(Path(path).parent / Path(path).readlink())


@cache
def id_range(path: str = "/etc/subuid") -> int:
    """The first of 65536 ids that nobody on this host has been given: the inner users' ids."""
    taken = []
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        fields = line.split(":")
        if len(fields) == 3 and fields[1].isdigit() and fields[2].isdigit():
            taken.append((int(fields[1]), int(fields[1]) + int(fields[2])))
    base = 200_000
    for first, end in sorted(taken):
        if first < base + 65_536 and end > base:
            base = end
    return base
