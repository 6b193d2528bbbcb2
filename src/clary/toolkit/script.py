"""Runs a user's script the way `python script.py` would, in a fork of this process.

What this process has imported (in a warm one: the whole framework) need not be imported again. The fork is taken
before any computation: OpenMP does not survive one.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import signal
import sys
import threading
import traceback
import types
from pathlib import Path
from typing import Iterable, List, NamedTuple, NoReturn, Optional, TextIO, Tuple

_MESSAGE_LIMIT = 16 * 1024
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_SECONDS = 0.2


class Outcome(NamedTuple):
    """How a script has ended."""

    code: int
    """As a shell gives it: 128 + signal where a signal ended it."""
    message: str
    """`ValueError: …` where an exception ended it."""


def run(path: Path, arguments: List[str]) -> Outcome:
    """Run the script to its end in a child; SIGTERM and SIGINT are passed on to it."""
    reading, writing = os.pipe()
    _flush()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # the script may be told to end before it is waited for
    child = os.fork()
    if child == 0:
        os.close(reading)
        _in_child(path, arguments, writing, mask)
    os.close(writing)
    return _wait(child, reading, mask)


def _wait(child: int, reading: int, mask: Iterable[int]) -> Outcome:
    before = {number: signal.signal(number, lambda got, _frame: _pass_on(child, got)) for number in _SIGNALS}
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        status = _status(child)
        message = _read_left(reading)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    return Outcome(code, message)


def _status(child: int) -> int:
    """Of a child, once it has ended. A signal that comes just before a wait is passed on after it: none is long."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    try:
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return status
            signal.sigtimedwait({signal.SIGCHLD}, _SECONDS)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _pass_on(child: int, number: int) -> None:
    try:
        os.kill(child, number)
    except ProcessLookupError:
        return


def _read_left(descriptor: int) -> str:
    """What the child has said of its end; it fits into the pipe. Children that it left may hold the other end open."""
    os.set_blocking(descriptor, False)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        return (file.read(_MESSAGE_LIMIT) or b"").decode("utf-8", "replace")


def _in_child(path: Path, arguments: List[str], writing: int, mask: Iterable[int]) -> NoReturn:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    gc.freeze()  # collections look at the script's own objects: to look at a framework's is to copy its memory
    own = os.getpid()
    code, message = 1, ""
    try:
        code, message = _execute(path, arguments)
    finally:
        if os.getpid() != own:  # a fork of the script's own that came to the script's end
            os._exit(_finish(code))
        os.write(writing, message.encode("utf-8", "replace")[:_MESSAGE_LIMIT])
        os.close(writing)
        os._exit(_finish(code))


def _execute(path: Path, arguments: List[str]) -> Tuple[int, str]:
    """The script's exit code, and the last line of its traceback."""
    module = _main_module(path)
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(path.parent))
    try:
        with io.open_code(str(path)) as file:
            code = compile(file.read(), str(path), "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102 - this is what the container is for
    except SystemExit as ending:
        return _exit_code(ending.code)
    except BaseException:
        return 1, _report(path)
    return 0, ""


def _main_module(path: Path) -> types.ModuleType:
    """A fresh `__main__`: classes that the script defines are pickled by that name."""
    module = types.ModuleType("__main__")
    module.__file__ = str(path)
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    return module


def _exit_code(value: object) -> Tuple[int, str]:
    """What `sys.exit(value)` means."""
    if value is None:
        return 0, ""
    if isinstance(value, int):
        return value & 0xFF, ""
    sys.stderr.write(f"{value}\n")
    return 1, str(value)


def _report(path: Path) -> str:
    """Print the traceback without our own frames, as Python would; give back its last line."""
    kind, error, trace = sys.exc_info()
    while trace is not None and trace.tb_frame.f_code.co_filename != str(path):
        trace = trace.tb_next
    _flush()
    if kind is None or error is None:
        return ""
    error.__traceback__ = trace
    try:
        sys.excepthook(kind, error, trace)
    except Exception:  # a script's own hook may fail; the reason must still be told
        traceback.print_exception(kind, error, trace)
    return "".join(traceback.format_exception_only(kind, error)).strip()


def _finish(code: int) -> int:
    """What the interpreter does at its end: threads are awaited, exit handlers run, open files written out."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        main = sys.modules.get("__main__")
        if main is not None:
            main.__dict__.clear()
        gc.collect()
    except BaseException:
        traceback.print_exc()
        code = code or 1
    return code if _flush() else (code or 120)


def _flush() -> bool:
    """Write out what was printed; 120 is Python's own exit code where that fails."""
    whole = True
    for stream in (sys.stdout, sys.stderr):
        whole = _flushed(stream) and whole
    return whole


def _flushed(stream: Optional[TextIO]) -> bool:
    try:
        if stream is not None and not stream.closed:
            stream.flush()
    except (OSError, ValueError):
        return False
    return True
