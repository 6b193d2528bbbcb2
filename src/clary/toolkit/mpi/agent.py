"""How `mpirun` reaches the other hosts of a job: over the job's own network, which nobody else is in, without ssh.

`agent.py serve PORT` answers on such a host until the first host says that all is done. `agent.py PORT HOST COMMAND…`
is what mpirun starts in place of ssh; it ends as the command ends there. A line of JSON is asked, a number answered.

It is run by its path: a user's folder, where a script may have any name, is not searched for modules.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any, Dict, List

DONE = b"done\n"
"""What the first host says on the line that it holds, where mpirun has ended well."""

_FAILED = "mpirun on {} has not ended well; the log of that host says why.\n"
_FIRST_HOST_SECONDS = 10.0
"""How long the first host may take to end, and its reason to be the job's; then all other hosts are ended anyway."""
_NO_ANSWER = 255
_MAX_LINE = 2**20


def hold(descriptor: int, host: str) -> None:
    """Ask a serving host to serve until this connection ends."""
    os.write(descriptor, _line({"hold": host}))


def ask(port: int, host: str, command: List[str]) -> int:
    """Run a command, as a shell there reads it, on another host; its exit code, or 255 where there is no answer."""
    with socket.create_connection((host, port)) as connection:
        connection.sendall(_line({"run": " ".join(command)}))
        answer = connection.makefile("rb").readline(_MAX_LINE)
    return int(answer) if answer.strip().isdigit() else _NO_ANSWER


def serve(port: int) -> int:
    """Run what is asked for until whoever holds this host lets go; 0 where that ended well."""
    with socket.create_server(("", port)) as listener:
        while True:
            connection, _ = listener.accept()
            request = json.loads(connection.makefile("rb").readline(_MAX_LINE))
            if "hold" in request:
                threading.Thread(target=_held, args=(connection, request["hold"]), daemon=True).start()
            else:
                threading.Thread(target=_run, args=(connection, request["run"]), daemon=True).start()


def _held(connection: socket.socket, host: str) -> None:
    """End this process when the line is dropped; all that it has started ends with its container."""
    said = b""
    with suppress(OSError):
        said = connection.makefile("rb").read()
    if said != DONE:
        time.sleep(_FIRST_HOST_SECONDS)
        sys.stderr.write(_FAILED.format(host))
        sys.stderr.flush()
    os._exit(0 if said == DONE else 1)


def _run(connection: socket.socket, command: str) -> None:
    code = subprocess.call(["/bin/sh", "-c", command], stdin=subprocess.DEVNULL)
    with connection, suppress(OSError):
        connection.sendall(b"%d\n" % (128 - code if code < 0 else code))


def _line(request: Dict[str, Any]) -> bytes:
    return json.dumps(request).encode("utf-8") + b"\n"


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        sys.exit(serve(int(sys.argv[2])))
    sys.exit(ask(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
