"""What the processes of a Clary do and wait for, drawn when one of its starts takes too long: a hang that was ended
without a look at it cannot be told from a machine that was busy."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.running import RunningClary

AFTER = 40.0
"""Seconds that whatever is waited for may take without a picture; another one follows after each as many."""

_LAST_LINES = 40


@contextmanager
def drawn_when_slow(clary: RunningClary, what: str, after: float = AFTER) -> Iterator[None]:
    """A picture on stderr each time that the body has lasted so many seconds more."""
    over = threading.Event()

    def watch() -> None:
        number = 0
        while not over.wait(after):
            number += 1
            print(f"\n{what}: not after {number * after:.0f} s\n{picture(clary)}", file=sys.stderr, flush=True)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()


def picture(clary: RunningClary) -> str:
    """All processes that name its data folder: each thread's place in the kernel and in Python; who holds which lock
    in the folder; how busy the machine is; the last words of the server's log."""
    own = sorted(_processes(str(clary.data_dir)))
    parts = [_machine(), *(_process(pid) for pid in own), _locks(clary.data_dir), _last_words(clary)]
    return "\n".join(parts)


def _processes(mark: str) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        if mark in _read(folder / "cmdline"):
            yield int(folder.name)


def _machine() -> str:
    pressure = " ".join(f"{name}: {_read(Path('/proc/pressure', name)).splitlines()[:1]}" for name in ("cpu", "io"))
    return f"load {_read(Path('/proc/loadavg')).strip()}; {pressure}"


def _process(pid: int) -> str:
    folder = Path(f"/proc/{pid}")
    words = _read(folder / "cmdline").replace("\0", " ")[:200]
    threads = [_thread(each) for each in sorted(folder.glob("task/[0-9]*"))]
    return "\n".join([f"--- {pid}: {words}", *threads, _python(pid)])


def _thread(folder: Path) -> str:
    """Its name, its state, and the kernel's functions in which it waits (root only; without them the outermost)."""
    name, state = _read(folder / "comm").strip(), _read(folder / "stat").rpartition(") ")[2][:1]
    kernel = _read(folder / "stack") or _read(folder / "wchan")
    where = " < ".join(line.partition("] ")[2].partition("+")[0] or line for line in kernel.splitlines()[:6])
    return f"  {folder.name} {name} {state} {where}"


def _python(pid: int) -> str:
    """Each thread's Python frames, by py-spy, where the machine has it."""
    spy = shutil.which("py-spy")
    if spy is None:
        return "  (no py-spy on the PATH: no Python frames)"
    with suppress(subprocess.TimeoutExpired):
        seen = subprocess.run([spy, "dump", "--pid", str(pid)], capture_output=True, text=True, timeout=30, check=False)
        return seen.stdout or seen.stderr
    return "  (py-spy saw nothing in 30 s)"


def _locks(folder: Path) -> str:
    inodes = {}
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.is_file():
                inodes[str(path.stat().st_ino)] = path.relative_to(folder)
    held = [line.split() for line in _read(Path("/proc/locks")).splitlines()]
    named = [(words, inodes.get(words[-3].rpartition(":")[2])) for words in held if len(words) > 6]
    return "locks:\n" + "\n".join(f"  {path}: {' '.join(words[1:])}" for words, path in named if path)


def _last_words(clary: RunningClary) -> str:
    log = _read(clary.data_dir / "server.log").splitlines()[-_LAST_LINES:]
    return "\n".join(["the log's last lines:", *(f"  {line}" for line in log)])


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
