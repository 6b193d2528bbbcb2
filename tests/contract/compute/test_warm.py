"""Forked warm or run cold: a program must not be able to tell, and must never be harmed by its parent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from clary.compute import record
from clary.compute.base import Container, Mount, Running
from tests.contract.compute.conftest import until, warm

LOOK = """
import atexit, json, os, resource, signal, sys, threading
seen = {
    "name": __name__, "file": __file__, "argv": sys.argv, "path0": sys.path[:2], "cwd": os.getcwd(),
    "env": sorted(n for n in os.environ if n not in ("_", "SHLVL")), "threads": threading.active_count(),
    "main": sys.modules["__main__"].__dict__["LOOK"] if "LOOK" in globals() else None,
    "signals": [str(signal.getsignal(n)) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGPIPE, signal.SIGCHLD)],
    "fds": len(os.listdir("/proc/self/fd")), "clary": sorted(n for n in sys.modules if n.startswith("clary")),
    "uid": os.getuid(), "umask": os.umask(0o22), "encoding": sys.stdout.encoding, "stdin": sys.stdin.read(),
    "bytecode": sys.dont_write_bytecode, "nofile": resource.getrlimit(resource.RLIMIT_NOFILE),
    "caps": [l for l in open("/proc/self/status") if l.startswith(("Cap", "NoNew"))], "pid": os.getpid() < 5,
    "flags": str(sys.flags), "executable": sys.executable, "prefix": sys.prefix,
}
print(json.dumps(seen))
import clary.formats
print(clary.formats.__file__)
atexit.register(print, "at exit")
"""


@pytest.fixture
def code(tmp_path) -> Path:
    """A folder of modules that containers see at /opt/code."""
    (tmp_path / "code").mkdir()
    return tmp_path / "code"


def _container(code: Path, source: str, *args: str, **env: str) -> Container:
    (code / "job.py").write_text(source)
    container = warm("job", *args, preload=("json", "ctypes"), env={"PYTHONPATH": "/opt/code", **env})
    return replace(container, mounts=(Mount(str(code), "/opt/code"),), workdir="/opt/ml")


def _both(machine, container: Container) -> tuple[str, str]:
    """Output of the same container, forked warm and run cold."""
    for name, each in (("warm", container), ("cold", replace(container, warm=None))):
        machine.start(name, each)
        machine.end(name)
    assert _warm_parents(machine), "nothing was forked warm"
    return machine.output("warm"), machine.output("cold")


def _warm_parents(machine) -> list[int]:
    path = Path(f"/proc/{machine.launcher.pid}/task/{machine.launcher.pid}/children")
    return [int(pid) for pid in path.read_text().split() if b"warm.py" in _command(pid)]


def _command(pid: str) -> bytes:
    """Nothing of one that has just ended, as shims do."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_a_program_cannot_tell_how_it_began(confined, code):
    warm_output, cold_output = _both(confined, _container(code, LOOK, "--alpha", "1"))
    seen = [json.loads(output.splitlines()[0]) for output in (warm_output, cold_output)]
    differ = {name: (seen[0][name], seen[1][name]) for name in seen[0] if seen[0][name] != seen[1][name]}
    differ.pop("flags")  # no_user_site: the parent must not look into the server's home
    assert differ == {}
    assert (
        warm_output.splitlines()[1:]
        == cold_output.splitlines()[1:]
        == ["/opt/clary/clary/formats/__init__.py", "at exit"]
    )


@pytest.mark.parametrize(
    "end", ["sys.exit(3)", "sys.exit('a reason')", "raise ValueError('x')", "os._exit(4)", "os.abort()"]
)
def test_its_end_is_the_same(confined, code, end):
    container = _container(code, f"import os, sys\nprint('begun', flush=True)\ndef f():\n    {end}\nf()\n")
    warm_output, cold_output = _both(confined, container)
    assert warm_output.splitlines()[-1] == cold_output.splitlines()[-1]
    assert ('File "/opt/code/job.py", line 4, in f' in warm_output) == ("Traceback" in cold_output)
    assert "launcher" not in warm_output
    assert replace(confined.backend.poll("warm"), at=0, since=0) == replace(
        confined.backend.poll("cold"), at=0, since=0
    )


def test_nothing_that_the_parent_had_open_closes_a_file_of_the_program(confined, code):
    """Objects of the shim live on in its fork, whose descriptors were closed by number: none may close them again."""
    source = """
import atexit, gc, os
files = [os.open(os.devnull, os.O_RDONLY) for _ in range(64)]
gc.collect()

def lost():
    found = []
    for number in files:
        try:
            os.fstat(number)
        except OSError:
            found.append(number)
    return found

print(lost())
class Last:
    def __del__(self, lost=lost, print=print):
        print(lost())
import sys
sys.modules["last"] = Last()
"""
    assert _both(confined, _container(code, source)) == ("[]\n[]", "[]\n[]")


def test_a_program_that_its_parent_has_imported_is_the_main_module_all_the_same(confined, code):
    look = "import sys, __main__ as m; print(m.__name__, m.__spec__.name, m.__file__, sys.argv[0], sys.argv[1:3])"
    container = warm("timeit", "-n1", "-r1", look, preload=("timeit",))
    warm_output, cold_output = _both(confined, container)
    assert warm_output.splitlines()[0] == cold_output.splitlines()[0]
    assert warm_output.startswith("__main__ timeit ")


def test_what_a_preloaded_program_raises_is_told_as_of_one_run_cold(confined, code):
    warm_output, cold_output = _both(confined, warm("timeit", "-n1", "-r1", "1 / 0", preload=("timeit",)))
    assert warm_output.splitlines()[-4:] == cold_output.splitlines()[-4:]
    assert "launcher" not in warm_output


def test_forks_of_one_parent_are_strangers(confined, code):
    source = "import random, os, uuid; open('/tmp/mine', 'x').close(); print(random.random(), uuid.uuid4())"
    container = _container(code, source)
    outputs = set()
    for name in ("a", "b", "c"):
        confined.start(name, container)
        assert confined.end(name).code == 0
        outputs |= set(confined.output(name).split())
    assert len(outputs) == 6
    assert len(_warm_parents(confined)) == 1


def test_a_parent_has_one_thread_and_computes_nothing(confined, code):
    confined.start("a", _container(code, "pass"))
    confined.end("a")
    [parent] = _warm_parents(confined)
    assert len(list(Path(f"/proc/{parent}/task").iterdir())) == 1


def test_startup_variables_reach_a_parent_of_their_own(confined, code):
    source = "import os, sys; print(os.environ.get('PYTHONHASHSEED'), hash('x') == int(sys.argv[1]))"
    command = [sys.executable, "-c", "print(hash('x'))"]
    expected = subprocess.run(command, env={"PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True).stdout
    confined.start("plain", _container(code, "pass"))
    confined.end("plain")
    confined.start("seeded", _container(code, source, expected.strip(), PYTHONHASHSEED="7"))
    confined.end("seeded")
    assert confined.output("seeded") == "7 True"
    assert len(_warm_parents(confined)) == 2


def test_unbuffered_output_is_unbuffered(confined, code):
    confined.start("u", _container(code, "import time\nprint('now')\ntime.sleep(600)", PYTHONUNBUFFERED="1"))
    confined.says("u", "now")


def test_a_parent_killed_is_replaced_and_its_containers_live(confined, code):
    container = _container(code, "import signal\nprint('ready', flush=True)\nsignal.pause()")
    confined.start("first", container)
    confined.says("first", "ready")
    [parent] = _warm_parents(confined)
    os.kill(parent, signal.SIGKILL)
    until(lambda: not _warm_parents(confined))
    assert isinstance(confined.backend.poll("first"), Running)
    confined.start("second", container)
    confined.says("second", "ready")


def test_a_parent_that_cannot_be_had_is_a_cold_start(confined, code):
    container = _container(code, "print('cold')")
    broken = replace(container, warm=replace(container.warm, python="/no/such/python"))
    confined.start("cold", broken)
    confined.end("cold")
    assert confined.output("cold") == "cold"


@pytest.fixture
def on_disk():
    """A container sees its Python at that Python's own path, and has a /dev/shm of its own."""
    with tempfile.TemporaryDirectory(prefix="clary-test-") as folder:
        yield Path(folder)


def test_a_parent_that_dies_while_importing_is_a_cold_start(confined, code, on_disk):
    on_disk.chmod(0o755)
    python = on_disk / "python"
    python.write_text(f'#!/bin/sh\ncase $2 in *warm.py) sleep 0.2; exit 1;; esac\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    container = _container(code, "print('cold')")
    confined.start("cold", replace(container, warm=replace(container.warm, python=str(python))))
    confined.end("cold")
    assert confined.output("cold") == "cold"


def test_the_launcher_killed_while_a_parent_imports_loses_nothing_it_had_accepted(confined, code):
    confined.start("accepted", _container(code, "print('ran')"))
    confined.launcher.kill()
    confined.launcher.wait()
    confined.start_launcher()
    confined.end("accepted")
    assert confined.output("accepted") == "ran"


def test_a_program_imports_a_missing_preload_itself(confined, code):
    container = _container(code, "import no_such_module")
    container = replace(container, warm=replace(container.warm, preload=("no_such_module",)))
    confined.start("a", container)
    assert confined.end("a").code == 1
    assert confined.lines("a")[-1] == "ModuleNotFoundError: No module named 'no_such_module'"


def test_parents_end_with_their_launcher(confined, code):
    confined.start("a", _container(code, "pass"))
    confined.end("a")
    [parent] = _warm_parents(confined)
    confined.launcher.kill()
    until(lambda: not Path(f"/proc/{parent}").exists())
    assert record.read(str(confined.folder("a")), record.EXIT)["code"] == 0


def test_a_library_that_a_request_names_is_loaded_inside_only(confined, code):
    """A warm parent runs outside: started with a request's LD_PRELOAD it would run that library as the server."""
    library = "/nowhere/evil.so"
    confined.start("a", _container(code, "import os; print(os.environ['LD_PRELOAD'])", LD_PRELOAD=library))
    assert confined.end("a").code == 0
    assert confined.lines("a")[-1] == library
    assert _warm_parents(confined) == []


def test_a_sitecustomize_on_the_path_has_run(confined, code):
    (code / "sitecustomize.py").write_text("import sys\nsys.customized = True\nprint('customized')\n")
    warm_output, cold_output = _both(
        confined, _container(code, "import sys; print(sys.customized, 'sitecustomize' in sys.modules)")
    )
    assert warm_output == cold_output == "customized\nTrue True"
