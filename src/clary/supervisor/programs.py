"""The processes of one Clary: how each is started, and which sockets it inherits."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clary.settings import Settings
from clary.supervisor.sockets import Sockets

_LAUNCHER = Path(__file__).parents[1] / "launcher" / "main.py"


@dataclass(frozen=True)
class Program:
    """One process. `argv` names the inherited `sockets` by their descriptors."""

    name: str
    argv: Sequence[str]
    sockets: Sequence[socket.socket]
    env: Mapping[str, str]
    tethered: bool = True
    """Whether it says on a tether that it is ready, and drains when the tether breaks; else it counts as ready at once,
    and ends with the supervisor."""


def programs(settings: Settings, sockets: Sockets) -> list[Program]:
    """In the order of their start; they are stopped in reverse."""
    return [
        _launcher(settings, sockets),
        composed("control", settings, [sockets.control]),
        composed("edge", settings, [sockets.tcp, sockets.api], names=sockets.names, secure=sockets.secure),
    ]


def composed(
    name: str, settings: Settings, listening: Sequence[socket.socket], **encrypted: socket.socket | None
) -> Program:
    """`clary.app.NAME`, on these sockets."""
    listens = [word for each in listening for word in ("--listen-fd", str(each.fileno()))]
    given = {kind: each for kind, each in encrypted.items() if each is not None}
    secure = [word for kind, each in given.items() for word in (f"--{kind}-fd", str(each.fileno()))]
    argv = [sys.executable, "-P", "-m", f"clary.app.{name}", "--settings", settings.dumps(), *listens, *secure]
    inherited = [*listening, *given.values()]
    return Program(name, argv, inherited, server_environment(os.environ))


def _launcher(settings: Settings, sockets: Sockets) -> Program:
    argv = [
        *(sys.executable, "-I", "-S", str(_LAUNCHER)),
        *("--listen-fd", str(sockets.launcher.fileno())),
        *("--containers", str(settings.containers_dir)),
        *("--api-socket", str(settings.run_dir / "api.sock")),
    ]
    return Program("launcher", argv, [sockets.launcher], server_environment(os.environ), tethered=False)


def server_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """The user's environment without what `clary env` or a cloud's tools put into it: the server is no client."""
    return {name: value for name, value in inherited.items() if not name.startswith(("AWS_", "SAGEMAKER_", "SM_"))}
