"""From a forked child of the shim to PID 1 of its container."""

from __future__ import annotations

import os
import signal
import socket
import traceback
from typing import NoReturn, Optional

from clary.compute.launch import Launch
from clary.launcher import confine, ending, init, layers, messages, process, syscalls


class Begin(BaseException):
    """Raised in the program's own process by a warm parent's `begin`: unwinds to where the program is run."""

    def __init__(self, launch: Launch) -> None:
        super().__init__()
        self.launch = launch


def become_container(
    launch: Launch, channel: socket.socket, output: int, user_namespace: Optional[int], begin: init.Begin
) -> NoReturn:
    """`user_namespace` is what the container's own must be made in. Raises only Begin, in the program's process."""
    try:
        process.keep_only([channel.fileno(), output, *([] if user_namespace is None else [user_namespace])])
        if launch["confined"]:
            confine.become_init(channel, launch, user_namespace)
        else:
            _become_subreaper(launch, channel)
        init.run(channel, launch, output, begin)
    except Begin:
        raise
    except OSError as error:
        messages.send(channel, {"failed": str(error)})
    except BaseException as error:
        traceback.print_exc()
        messages.send(channel, {"failed": repr(error)})
    os._exit(ending.CANNOT_BEGIN)


def _become_subreaper(launch: Launch, channel: socket.socket) -> None:
    confine.prefer_for_oom()
    os.setsid()
    syscalls.adopt_orphans()
    syscalls.die_with_parent(signal.SIGKILL)
    confine.wait_for_shim(channel)
    for number, _ in enumerate(launch["mounts"]):
        layers.ask_for_copy(number, channel)
