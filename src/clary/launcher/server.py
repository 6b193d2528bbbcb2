"""The launcher's loop: accepts requests to start containers, and forks a shim for each, itself or by a warm parent.

One thread, no secrets, nothing to remember: killed and started anew, it has lost nothing.
"""

# ruff: noqa: PTH118
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from typing import Any, Callable, Dict, NoReturn

from clary.compute import record
from clary.compute.launch import Launch
from clary.launcher import cgroup, execute, network, shares, shim
from clary.launcher.disk_watch import DiskWatch
from clary.launcher.start import Start
from clary.launcher.warm_parents import WarmParent, WarmParents

_TICK_SECONDS = 5.0
_MAX_REQUEST = 65_536


class Launcher:
    """Serves `listener` (a Unix stream socket): one JSON line asks, one answers.

    {"op": "start", "id": ID} → {"started": true}, or false where it was started before; {"op": "ping"} → {"pid": PID};
    {"error": TEXT} where a request cannot be carried out.
    """

    def __init__(
        self, listener: socket.socket, containers: str, api_socket: str, parents: WarmParents, disk: DiskWatch
    ) -> None:
        self._containers = containers
        self._api_socket = api_socket
        self._parents = parents
        self._shares = shares.Shares(containers)
        self._disk = disk
        self._next_sweep = 0.0
        self._buffers: Dict[socket.socket, bytes] = {}
        self._selector = selectors.DefaultSelector()
        self._operations: Dict[str, Callable[[Dict[str, Any]], Dict[str, Any]]] = {
            "ping": lambda request: {"pid": os.getpid()},
            "start": lambda request: {"started": self._start(str(request["id"]))},
        }
        listener.setblocking(False)
        self._watch(listener, self._accept)
        parents.on_new = lambda parent: self._watch(parent.channel, lambda _: self._hear(parent))
        parents.on_gone = lambda parent: self._unwatch(parent.channel)

    def serve(self) -> None:
        """Until a signal ends the process; containers live on."""
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # shims are not waited for: they leave records
        while True:
            ready = self._selector.select(min(_TICK_SECONDS, max(0.0, self._disk.due - time.monotonic())))
            if time.monotonic() >= self._disk.due:
                self._disk.look()
            for key, _ in ready:
                if key.fileobj in self._selector.get_map():
                    key.data(key.fileobj)
            if time.monotonic() >= self._next_sweep:
                self._next_sweep = time.monotonic() + _TICK_SECONDS
                self._parents.retire_idle()
                cgroup.sweep(self._containers)
                network.sweep(self._containers)

    def _watch(self, source: socket.socket, on_ready: Callable[[Any], None]) -> None:
        self._selector.register(source, selectors.EVENT_READ, on_ready)

    def _unwatch(self, source: socket.socket) -> None:
        self._selector.unregister(source)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            connection, _ = listener.accept()
            connection.settimeout(5.0)
            self._buffers[connection] = b""
            self._watch(connection, self._read)

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(_MAX_REQUEST)
        except OSError:
            data = b""
        self._buffers[connection] += data
        if not data or len(self._buffers[connection]) > _MAX_REQUEST:
            self._drop(connection)
            return
        *lines, self._buffers[connection] = self._buffers[connection].split(b"\n")
        for line in lines:
            self._reply(connection, self._carry_out(line))

    def _reply(self, connection: socket.socket, answer: Dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # who has gone will ask again
            connection.sendall(json.dumps(answer).encode() + b"\n")

    def _drop(self, connection: socket.socket) -> None:
        self._unwatch(connection)
        del self._buffers[connection]
        connection.close()

    def _carry_out(self, line: bytes) -> Dict[str, Any]:
        try:
            request = json.loads(line)
            return self._operations[request["op"]](request)
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            return {"error": "{}: {}".format(type(error).__name__, error)}

    def _start(self, container_id: str) -> bool:
        if "/" in container_id or container_id in ("", ".", ".."):
            raise ValueError("not a container's id: {!r}".format(container_id))
        folder = os.path.join(self._containers, container_id)
        launch: Any = record.read(folder, record.LAUNCH)
        if launch is None:
            raise FileNotFoundError("{} has no {}".format(container_id, record.LAUNCH))
        lock = record.take_lock(folder)
        if lock is None:
            return False
        if record.read(folder, record.EXIT) or (record.read(folder, record.HANDLE) and not launch.get("engine")):
            os.close(lock)
            return False
        self._begin(launch, self._held(folder, lock, launch))
        return True

    def _held(self, folder: str, lock: int, launch: Launch) -> Start:
        """All that its shim is given. A lock that stayed here would look like a container that runs."""
        try:
            return Start(folder, lock, listen(folder), self._shares.take(folder, launch))
        except BaseException:
            os.close(lock)
            raise

    def _begin(self, launch: Launch, start: Start) -> None:
        if launch.get("engine"):
            self._begin_keeper(start)
        elif launch["warm"] is None or not self._parents.start(launch["warm"], start):
            self._begin_cold(start)

    def _begin_keeper(self, start: Start) -> None:
        """An engine runs it. What only keepers need is imported in the fork: it does not lie in the launcher."""
        try:
            if os.fork() == 0:
                _be_keeper(start, self._api_socket)
        finally:
            start.close()

    def _begin_cold(self, start: Start) -> None:
        try:
            if os.fork() == 0:
                shim.run(start, self._api_socket, execute.begin)
        finally:
            start.close()

    def _hear(self, parent: WarmParent) -> None:
        for start in self._parents.heard(parent):
            sys.stderr.write("launcher: a warm parent has gone, starting {} cold\n".format(start.folder))
            self._begin_cold(start)


def _be_keeper(start: Start, api_socket: str) -> NoReturn:
    try:
        importlib.import_module("clary.launcher.keeper").run(start, api_socket)
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def listen(folder: str) -> socket.socket:
    """The container's socket: bound here, so that whoever asks before its shim is ready waits in the queue."""
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(record.SOCKET, dir_fd=directory)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # A socket's address holds 107 bytes, a data folder's path may be longer: go by the descriptor.
        listener.bind("/proc/self/fd/{}/{}".format(directory, record.SOCKET))
        listener.listen(128)
        return listener
    finally:
        os.close(directory)


def probe(folder: str) -> None:
    """Be the shim of the container in `folder`; returns never."""
    lock = record.take_lock(folder)
    if lock is None:
        raise BlockingIOError("{} is in use".format(folder))
    shim.run(Start(folder, lock, listen(folder), shares.NONE), "", execute.begin)
