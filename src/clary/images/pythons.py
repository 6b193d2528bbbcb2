"""The Pythons that this machine has. None is ever downloaded."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

_EXECUTABLE = re.compile(r"python(3\.\d+)\Z")
_PROBE = "import bz2, ctypes, lzma, sqlite3, ssl, sys, zlib; print('%d.%d' % sys.version_info[:2])"
_PROBE_SECONDS = 20.0


def _folders(home: Path, path: str) -> Iterator[Path]:
    """Where Pythons live: first those made for choosing a version, then PATH."""
    yield Path(getattr(sys, "_base_executable", sys.executable)).parent
    for pattern in (
        ".pyenv/versions/*/bin",
        ".local/share/uv/python/*/bin",
        "miniconda3/envs/*/bin",
        "miniforge3/envs/*/bin",
    ):
        yield from sorted(home.glob(pattern), reverse=True)
    yield from sorted(Path("/opt/python").glob("*/bin"), reverse=True)
    for entry in path.split(os.pathsep):
        # pyenv's shims answer only for the version chosen in a folder; the real ones stand in `versions`
        if entry and not entry.endswith(".pyenv/shims"):
            yield Path(entry)
    yield Path("/usr/local/bin")
    yield Path("/usr/bin")


def _executables(folder: Path) -> Iterator[tuple[str, Path]]:
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return
    for name in names:
        found = _EXECUTABLE.match(name)
        if found and os.access(folder / name, os.X_OK):
            yield found.group(1), folder / name


def _works(version: str, executable: Path) -> bool:
    """Whether it starts, is the version that its name says, and has the modules that frameworks import."""
    try:
        answer = subprocess.run(
            [str(executable), "-I", "-S", "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return answer.returncode == 0 and answer.stdout.strip() == version


class Pythons:
    """Finds Pythons by version (`3.9`). Names are listed once; an executable is started only before it is chosen."""

    def __init__(self, folders: Iterable[Path] | None = None) -> None:
        self._given = tuple(folders) if folders is not None else None
        self._candidates: dict[str, list[Path]] | None = None
        self._checked: dict[str, Path | None] = {}

    def find(self, version: str) -> Path | None:
        """A working Python of that version, or None."""
        if version not in self._checked:
            candidates = self._listed().get(version, [])
            self._checked[version] = next((path for path in candidates if _works(version, path)), None)
        return self._checked[version]

    def versions(self) -> tuple[str, ...]:
        """Versions of which an executable lies here (it may turn out not to work), oldest first."""
        return tuple(sorted(self._listed(), key=minor))

    def _listed(self) -> Mapping[str, list[Path]]:
        if self._candidates is None:
            candidates: dict[str, list[Path]] = {}
            seen: set[Path] = set()
            folders = self._given or tuple(_folders(Path.home(), os.environ.get("PATH", "")))
            for folder in folders:
                for version, executable in _executables(folder):
                    real = executable.resolve()
                    if real not in seen:
                        seen.add(real)
                        candidates.setdefault(version, []).append(executable)
            self._candidates = candidates
        return self._candidates


def minor(version: str) -> tuple[int, int]:
    """`3.9` as numbers, for comparing."""
    major, _, rest = version.partition(".")
    return int(major), int(rest)
