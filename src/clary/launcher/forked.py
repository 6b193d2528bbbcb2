"""Becoming a program by being forked: the warm way to begin a container.

The fork makes itself what a fresh `python -m MODULE ARGS` would be: descriptors, signals, environment, streams, search
path, random numbers; then it runs the module as `__main__` and ends as the interpreter ends.
"""

from __future__ import annotations

import io
import os
import runpy
import signal
import socket
import sys
import time
import types
from typing import Any, List, NoReturn, Optional

from clary.compute.launch import Launch
from clary.launcher import customizing, messages, process, shares, shim, start, syscalls, threads
from clary.launcher.child import Begin

__all__ = ["Begin", "fork_shim", "run_program"]


def fork_shim(message: messages.Message, lock: int, listener: int, api_socket: str) -> None:
    """Fork the shim of one container. Returns in the parent only; raises Begin in the container's program, a process of
    its own."""
    sys.stdout.flush()
    if syscalls.fork() == 0:
        share = shares.Share(*message["share"])
        _be_shim(start.Start(message["start"], lock, socket.socket(fileno=listener), share), api_socket)


def _be_shim(started: start.Start, api_socket: str) -> NoReturn:

    def begin(launch: Launch, output: int, channel: socket.socket) -> None:
        try:
            _become(launch, output, channel)
        except (OSError, ValueError) as error:
            messages.send(channel, {"failed": str(error)})
            os._exit(126)
        channel.close()
        raise Begin(launch)

    shim.run(started, api_socket, begin)


def _become(launch: Launch, output: int, channel: socket.socket) -> None:
    process.wire_streams(output)
    process.keep_only([channel.fileno()])
    process.limit(launch["limits"])
    syscalls.set_dumpable(True)  # a program's usual state: it may trace itself and open its own /proc files
    os.chdir(launch["workdir"])


def run_program(launch: Launch, hook: Optional[types.ModuleType]) -> NoReturn:
    """Run the program's module as `python -m` would; `hook` is customizing's. Raises SystemExit, as its end."""
    program = launch["warm"]
    assert program is not None  # noqa: S101  what a warm parent is asked to fork has a program
    _python_signals()
    _take_environment(launch)
    _open_streams()
    customizing.customize(_python_path(launch), hook)
    _reseed()
    threads.follow_affinity()
    sys.argv = [program["module"], *program["args"]]
    try:
        _run(program["module"])
    except SystemExit:
        raise
    except BaseException as error:
        _end_by(error)
    sys.exit(0)


def _run(name: str) -> None:
    """As `__main__`. A module that the warm parent has imported is not made a second time, which would write to MiBs of
    pages that are shared with it: what is left of it is its `main`."""
    module = sys.modules.get(name)
    if module is None or not hasattr(module, "main"):
        runpy.run_module(name, run_name="__main__", alter_sys=True)
        return
    module.__name__ = "__main__"
    sys.modules["__main__"] = module
    sys.argv[0] = module.__file__ or name
    sys.exit(module.main())


def _end_by(error: BaseException) -> NoReturn:
    """As an uncaught exception ends a program: its traceback, without the frames that are ours."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == _end_by.__code__.co_filename:
        trace = trace.tb_next
    error = error.with_traceback(trace)
    sys.excepthook(type(error), error, error.__traceback__)
    sys.exit(130 if isinstance(error, KeyboardInterrupt) else 1)


def _python_signals() -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _take_environment(launch: Launch) -> None:
    os.environ.clear()
    os.environ.update(launch["env"])
    time.tzset()
    sys.path[:0] = [launch["workdir"], *_python_path(launch)]
    sys.dont_write_bytecode = bool(launch["env"].get("PYTHONDONTWRITEBYTECODE"))


def _python_path(launch: Launch) -> List[str]:
    return [path for path in launch["env"].get("PYTHONPATH", "").split(":") if path]


def _open_streams() -> None:
    unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(_binary(0, "rb", False), "utf-8")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _writer(1, "strict", unbuffered)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _writer(2, "backslashreplace", unbuffered)  # type: ignore[misc]


def _writer(descriptor: int, errors: str, unbuffered: bool) -> io.TextIOWrapper:
    binary = _binary(descriptor, "wb", unbuffered)
    return io.TextIOWrapper(binary, "utf-8", errors, line_buffering=descriptor == 2, write_through=unbuffered)


def _binary(descriptor: int, mode: str, unbuffered: bool) -> Any:  # noqa: ANN401  which stream it is, `open` decides
    return open(descriptor, mode, buffering=0 if unbuffered else -1, closefd=False)


def _reseed() -> None:
    """Forks of one parent must not draw the same numbers; Python's own `random` reseeds itself."""
    numpy_random: Optional[types.ModuleType] = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
    torch: Optional[types.ModuleType] = sys.modules.get("torch")
    if torch is not None:
        torch.seed()
