"""What a container costs: `python -m benchmarks.containers [ENVIRONMENT_PYTHON MODULE…]`.

Time from the request to the first line of a program (cold: `/bin/true` and `python -c`; warm: forked by a parent that
has imported the modules), one dial, and the memory of launcher, warm parent, shim and PID 1.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import clary
from clary.compute import record
from clary.compute.base import Container, Exited, Mount, Warm
from clary.compute.dial import SandboxDial
from clary.compute.sandbox import SandboxBackend
from clary.settings import Settings
from clary.telemetry.logfile import LogReader

_TIMES = 20
_SAY_WHEN = "import time; print(time.time(), flush=True)"
_WAIT = """
import socket
server = socket.create_server(("", 8080))
print("ready", flush=True)
while True:
    server.accept()[0].close()
"""


class _Bench:
    """A launcher, a backend, and a folder of modules."""

    def __init__(self, data_dir: Path, python: str, preload: tuple[str, ...]) -> None:
        self.settings = Settings(data_dir=data_dir)
        self.settings.containers_dir.mkdir(parents=True)
        self._python, self._preload = python, preload
        self._code = data_dir / "code"
        self._code.mkdir()
        (self._code / "when.py").write_text(_SAY_WHEN)
        (self._code / "wait.py").write_text(_WAIT)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.settings.run_dir / "launcher.sock"))
        listener.listen()
        main = Path(clary.__file__).parent / "launcher" / "main.py"
        options = ["--listen-fd", str(listener.fileno()), "--containers", str(self.settings.containers_dir)]
        self.launcher = subprocess.Popen(
            [sys.executable, "-I", "-S", str(main), *options], pass_fds=[listener.fileno()]
        )
        self.backend = SandboxBackend(self.settings)
        self.dial = SandboxDial(self.settings.containers_dir)

    def container(self, module: str, warm: bool) -> Container:
        hint = Warm(self._python, self._preload, module) if warm else None
        return Container(
            argv=(self._python, "-m", module),
            env={"PYTHONPATH": "/opt/code"},
            log="",
            mounts=(Mount(str(self._code), "/opt/code"),),
            listens=8080,
            warm=hint,
        )

    def start(self, name: str, container: Container) -> float:
        begun = time.time()
        self.backend.start(name, Container(**{**vars(container), "log": str(self.settings.logs_dir / name)}))
        return begun

    def end(self, name: str) -> Exited:
        while not isinstance(state := self.backend.poll(name), Exited):
            time.sleep(0.0002)
        return state

    def first_line(self, name: str) -> str:
        path = self.settings.logs_dir / name
        while not path.exists() or not (events := list(LogReader(path).forward(0))):
            time.sleep(0.0002)
        return events[0].message

    def request_to_end(self, name: str) -> float:
        begun = self.start(name, Container(argv=("true",), env={}, log=""))
        return self.end(name).at - begun

    def request_to_first_line(self, name: str, warm: bool) -> float:
        begun = self.start(name, self.container("when", warm))
        self.end(name)
        return float(self.first_line(name)) - begun


def _milliseconds(what: str, once: Callable[[str], float]) -> None:
    once(f"{what}-first".replace(" ", "-"))
    times = sorted(once(f"{what}-{n}".replace(" ", "-")) * 1000 for n in range(_TIMES))
    print(f"{what:<44} {statistics.median(times):7.1f} ms   fastest {times[0]:.1f}, slowest {times[-1]:.1f}")


def _dial(bench: _Bench) -> None:
    bench.start("replica", bench.container("wait", warm=True))
    bench.first_line("replica")
    times = []
    for _ in range(200):
        begun = time.perf_counter()
        bench.dial("replica").close()
        times.append((time.perf_counter() - begun) * 1e6)
    print(f"{'dial':<44} {statistics.median(times):7.0f} µs")


def _own_kib(pid: int) -> tuple[int, int, int]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return sizes["Rss"], sizes["Pss"], sizes["Private_Clean"] + sizes["Private_Dirty"]


def _memory(bench: _Bench) -> None:
    bench.start("cold", Container(argv=("sleep", "60"), env={}, log=""))
    while not (cold := record.read(str(bench.settings.containers_dir / "cold"), record.HANDLE)):
        time.sleep(0.001)
    time.sleep(0.5)
    replica = record.read(str(bench.settings.containers_dir / "replica"), record.HANDLE) or {}
    [parent] = _children(bench.launcher.pid, "warm.py")
    rows = [("launcher", bench.launcher.pid), ("warm parent", parent)]
    rows += [("shim, forked by the launcher", cold["pid"]), ("shim, forked by the warm parent", replica["pid"])]
    rows += [(f"{name}'s PID 1", _children(pid)[0]) for name, pid in rows[2:]]
    rows += [("program, forked warm, idle", _children(rows[-1][1])[0])]
    for name, pid in rows:
        rss, pss, own = _own_kib(pid)
        print(f"{name:<44} RSS {rss / 1024:6.1f}   PSS {pss / 1024:6.1f}   own {own / 1024:6.1f} MiB")


def _children(pid: int, with_word: str = "") -> list[int]:
    found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [child for child in found if with_word in Path(f"/proc/{child}/cmdline").read_text()]


def main() -> None:
    """Print the figures."""
    python, *preload = sys.argv[1:] or [sys.executable, "json"]
    with tempfile.TemporaryDirectory(prefix="clary-bench-") as folder:
        bench = _Bench(Path(folder), python, tuple(preload))
        try:
            _milliseconds("true, from request to exit record", bench.request_to_end)
            _milliseconds("python -m, to its first line", lambda name: bench.request_to_first_line(name, warm=False))
            _milliseconds("forked warm, to its first line", lambda name: bench.request_to_first_line(name, warm=True))
            _dial(bench)
            _memory(bench)
        finally:
            for container_id in bench.backend.list():
                bench.backend.remove(container_id)
            bench.launcher.kill()


if __name__ == "__main__":
    main()
