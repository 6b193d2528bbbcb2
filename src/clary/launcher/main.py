"""`python -I -S …/launcher/main.py --listen-fd N --containers DIR --api-socket PATH`: the launcher's process.

Isolated from every site-packages: what it forks shall hold nothing but the standard library. So the package `clary` is
found by this file's own place. With `--probe FOLDER` it is the shim of that one container instead, in this very
process: so one finds out whether this machine can run any.
"""

# ruff: noqa: PTH100, PTH118, PTH120
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import socket
import sys
from types import ModuleType

_IDLE_SECONDS = 900.0


def find_package() -> None:
    """Make `clary` importable from where this file lies, and from nowhere else."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    spec = importlib.util.spec_from_file_location(
        "clary", os.path.join(root, "__init__.py"), submodule_search_locations=[root]
    )
    if spec is None or spec.loader is None:
        raise ImportError("no package clary in {}".format(root))
    package = importlib.util.module_from_spec(spec)
    sys.modules["clary"] = package
    spec.loader.exec_module(package)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Clary's launcher of containers; started by clary up.")
    parser.add_argument("--listen-fd", type=int, help="a listening Unix stream socket")
    parser.add_argument("--containers", help="the folder of all containers")
    parser.add_argument("--api-socket", default="", help="the API's Unix socket, for containers")
    parser.add_argument("--warm-idle-seconds", type=float, default=_IDLE_SECONDS, help="keep an unused warm parent")
    parser.add_argument("--keep-free", type=int, help="bytes of the disk that containers leave; 512 MiB if not said")
    parser.add_argument("--probe", metavar="FOLDER", help="run the container of this folder once, then exit")
    return parser.parse_args()


def _serve(options: argparse.Namespace, server: ModuleType) -> None:
    listener = socket.socket(fileno=options.listen_fd)
    listener.set_inheritable(False)
    parents = importlib.import_module("clary.launcher.warm_parents")
    warm = parents.WarmParents(options.api_socket, options.warm_idle_seconds)
    disk = importlib.import_module("clary.launcher.disk_watch").DiskWatch(options.containers, options.keep_free)
    server.Launcher(listener, options.containers, options.api_socket, warm, disk).serve()


def main() -> None:
    """Serve, or probe."""
    options = _arguments()
    find_package()
    server = importlib.import_module("clary.launcher.server")
    if options.probe:
        server.probe(options.probe)
    else:
        _serve(options, server)


if __name__ == "__main__":
    main()
