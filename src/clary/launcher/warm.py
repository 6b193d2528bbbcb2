"""A warm parent: `PYTHON -s …/launcher/warm.py CHANNEL-FD API-SOCKET MODULE…`, run by an environment's own Python.

It imports the modules and does nothing else with them: a parent that has *computed* once (OpenMP) hangs every child.
For each container the launcher sends, it forks a shim, whose container's program is a fork of this process too: with
everything imported, and nothing else different from a program started cold.
"""

# ruff: noqa: PTH100, PTH118, PTH120
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import os
import signal
import socket
import sys
import traceback
from typing import Any, List


def _cross_border() -> Any:  # noqa: ANN401  a type of a module that is found by its file
    """Import `clary.launcher` from beside this file, by the names that the inside of a container has for it."""
    here = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.spec_from_file_location("_clary_inside", os.path.join(here, "inside.py"))
    if spec is None or spec.loader is None:
        raise ImportError("inside.py is not beside warm.py")
    inside = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(inside)
    border = inside.Border(os.path.dirname(here))
    sys.meta_path.insert(0, border)
    return border


def _preload(modules: List[str]) -> None:
    """One that cannot be imported is left to the program, which will say so in its own log."""
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception:
            traceback.print_exc()


def _serve(channel: socket.socket, api_socket: str) -> None:
    """Fork for each request until the launcher closes the channel."""
    messages = importlib.import_module("clary.launcher.messages")
    fork = importlib.import_module("clary.launcher.forked")
    while True:
        try:
            message, (lock, listener) = messages.receive(channel)
        except EOFError:
            return
        with contextlib.suppress(OSError):  # the launcher has gone; what it had accepted is begun all the same
            messages.send(channel, {"taken": message["start"]})
        fork.fork_shim(message, lock, listener, api_socket)
        messages.close_all([lock, listener])


def _forget(channel: socket.socket) -> None:
    """What the parent and the shim had open is closed by its number; the objects that held it must go before the
    program opens files of its own, or they would close those."""
    channel.detach()
    gc.collect()


def main() -> None:
    """Import, then fork; in a container's program: run it."""
    del sys.path[0]  # this folder: its names are no top-level modules
    descriptor, api_socket, *modules = sys.argv[1:]
    channel = socket.socket(fileno=int(descriptor))
    channel.set_inheritable(False)
    border = _cross_border()
    forked = importlib.import_module("clary.launcher.forked")
    heap = importlib.import_module("clary.launcher.heap")
    border.keep_to_itself()
    hook = forked.customizing.prepared(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    _preload(modules)
    heap.fill_holes()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    try:
        _serve(channel, api_socket)
    except forked.Begin as begin:
        launch = begin.launch
    else:
        return
    _forget(channel)
    border.cross()
    forked.run_program(launch, hook)


if __name__ == "__main__":
    main()
