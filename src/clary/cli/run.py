"""`clary run -- COMMAND`: a program that asks AWS's own hosts is answered by Clary."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from typing import Annotated

import typer

from clary.cli import options
from clary.cli.env import client_variables, trusting
from clary.clients.environment import CONFLICTING
from clary.compute.authority import Authority, for_users
from clary.errors import ClaryError
from clary.launcher.aws_front import AwsFront
from clary.launcher.proxy import proxy
from clary.launcher.relay import Acceptor
from clary.settings import Settings

_WAITING = 64
_SIGNALLED = 128
"""What shells add to the number of the signal that has ended a program."""


def run(
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND…", help="A program and its arguments.")],
    data_dir: options.DataDir = None,
) -> None:
    """Run a program with `clary env`, and with a proxy that answers AWS's own hosts by Clary.

    For programs that do not know AWS_ENDPOINT_URL, or have addresses of AWS in them. They reach others as ever.

    Examples:

        clary run -- ./train.sh

        clary run -- curl https://sts.us-east-1.amazonaws.com
    """
    settings = options.required(data_dir).settings
    trusted = trusting(settings)
    with socket.create_server(("127.0.0.1", 0), backlog=_WAITING) as listening:
        place = Authority(settings.authority_dir).place()
        api = str(settings.run_dir / "api.sock")
        Acceptor(listening, proxy(os.environ, AwsFront(str(place), api, str(for_users(settings.authority_dir)))))
        raise typer.Exit(_run(command, _environment(settings, trusted, listening.getsockname()[1])))


def _environment(settings: Settings, trusted: Mapping[str, str], port: int) -> dict[str, str]:
    """TLS goes by the proxy, as in an engine's containers (docs/decisions/0032)."""
    kept = {name: value for name, value in os.environ.items() if name not in CONFLICTING}
    address = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), f"http://127.0.0.1:{port}")
    return {**kept, **client_variables(settings), **trusted, **address, "NODE_USE_ENV_PROXY": "1"}


def _run(command: list[str], environment: Mapping[str, str]) -> int:
    """Its exit code. Ctrl-C is the program's: it hears of it by itself; SIGTERM is handed on."""
    try:
        child = subprocess.Popen(command, env=environment)
    except OSError as error:
        raise ClaryError(f"{command[0]} cannot be run: {error.strerror}.") from error
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, _frame: child.send_signal(number))
    code = child.wait()
    return code if code >= 0 else _SIGNALLED - code
