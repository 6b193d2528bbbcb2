"""`clary up`: start Clary, in the foreground or detached."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Annotated, cast

import typer

from clary.cli import options
from clary.errors import ClaryError
from clary.settings import (
    DEFAULT_ACCOUNT,
    DEFAULT_PORT,
    DEFAULT_REGION,
    AuthMode,
    Capacity,
    ComputeMode,
    Limits,
    Settings,
)
from clary.supervisor import lock
from clary.supervisor.log import log_path
from clary.supervisor.voice import banner

_AUTH_MODES = ("sigv4", "off")
_COMPUTE_MODES = ("auto", "sandbox", "docker")
_GIB = 2**30
_ACCOUNT = re.compile(r"[0-9]{12}")


def up(  # noqa: PLR0913, PLR0917 — one per option of the command line
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where it listens; 0 is any free port.")] = DEFAULT_PORT,
    tls_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, metavar="PORT", help="Where it listens with TLS too; `clary env` leads there."),
    ] = None,
    data_dir: options.DataDir = None,
    detach: Annotated[bool, typer.Option("--detach", help="Return as soon as requests are answered.")] = False,
    account_id: Annotated[str, typer.Option(metavar="N", help="The AWS account to be.")] = DEFAULT_ACCOUNT,
    region: Annotated[str, typer.Option(help="What `clary env` gives to clients.")] = DEFAULT_REGION,
    auth: Annotated[str, typer.Option(metavar="sigv4|off", help="Whether signatures and policies count.")] = "sigv4",
    allow_reset: Annotated[
        bool, typer.Option("--allow-reset", help="Let `clary reset` empty everything: for test suites.")
    ] = False,
    unconfined: Annotated[
        bool, typer.Option("--unconfined", help="Run containers without a sandbox: only code that you trust.")
    ] = False,
    http_target: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST:PORT", help="A place of this machine that APIs' HTTP integrations may ask."),
    ] = None,
    compute: Annotated[
        str, typer.Option(metavar="auto|sandbox|docker", help="Where containers run; auto: real images in an engine.")
    ] = "auto",
    cores: Annotated[int | None, typer.Option(min=1, help="For jobs; all cores if not said.")] = None,
    memory: Annotated[
        float | None, typer.Option(min=0.1, metavar="GIB", help="For jobs; all memory if not said.")
    ] = None,
    overcommit: Annotated[
        float, typer.Option(min=1.0, help="Jobs are given so many times these cores and memory.")
    ] = Capacity.overcommit,
    lanes: Annotated[
        int | None,
        typer.Option(min=0, help="Processes that help with predictions under load; else by the number of cores."),
    ] = None,
    serverless_idle: Annotated[
        float,
        typer.Option(
            min=0, metavar="SECONDS", help="How long a serverless endpoint keeps what nobody asks for any more."
        ),
    ] = Limits.serverless_idle_seconds,
) -> None:
    """Start Clary: it answers as SageMaker, S3, STS, IAM and CloudWatch Logs on one port of this machine.

    Examples:

        clary up

        clary up --detach --port 4600 --data-dir ./clary-data

        clary up --cores 6 --memory 24
    """
    settings = Settings(
        data_dir=options.data_dir(data_dir),
        port=port,
        tls_port=tls_port,
        account_id=_account(account_id),
        region=region,
        auth=_auth(auth),
        allow_reset=allow_reset,
        unconfined=unconfined,
        compute=_compute(compute),
        http_targets=tuple(_target(text) for text in http_target or ()),
        limits=Limits(serverless_idle_seconds=serverless_idle),
        capacity=Capacity(cores, None if memory is None else int(memory * _GIB), overcommit),
        lanes=lanes,
    )
    if detach:
        _detached(settings)
    else:
        os.execv(sys.executable, _argv(settings))  # noqa: S606 — this process becomes the supervisor


def _argv(settings: Settings) -> list[str]:
    command = ["-P", "-m", "clary.supervisor", "--settings", settings.dumps(), "--begun", str(_begun())]
    return [sys.executable, *command]


def _begun() -> float:
    """When this process was started: what a person feels, the interpreter's own start included."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    since_boot = ticks / os.sysconf("SC_CLK_TCK")
    return time.time() - (time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot)


def _detached(settings: Settings) -> None:
    reading, writing = os.pipe()
    with _log(settings) as log:
        subprocess.Popen(
            [*_argv(settings), "--notify-fd", str(writing)],
            pass_fds=[writing],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    os.close(writing)
    with os.fdopen(reading) as line:
        _report(settings, line.readline())


def _log(settings: Settings) -> IO[bytes]:
    """Where the supervisor says what happens after the start; nowhere while there is no data folder yet."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return log_path(settings).open("ab")
    except OSError:
        return Path(os.devnull).open("ab")


def _report(settings: Settings, word: str) -> None:
    if not word:
        raise ClaryError("Clary ended while it started.", f"See {log_path(settings)}.")
    said = json.loads(word)
    if "failure" in said:
        raise ClaryError(said["failure"])
    handle = lock.read_handle(settings)
    print(banner(handle.settings if handle else settings, said["seconds"], detached=True))


def _account(text: str) -> str:
    if not _ACCOUNT.fullmatch(text):
        raise ClaryError(f"An account id has twelve digits; {text!r} is none.")
    return text


def _target(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not host or not colon or not port.isdecimal():
        raise ClaryError(f"--http-target is HOST:PORT; {text!r} is none.")
    return text


def _compute(text: str) -> ComputeMode:
    if text not in _COMPUTE_MODES:
        raise ClaryError(f"--compute is auto, sandbox or docker; {text!r} is none of them.")
    return cast("ComputeMode", text)


def _auth(text: str) -> AuthMode:
    if text not in _AUTH_MODES:
        raise ClaryError(f"--auth is sigv4 or off; {text!r} is neither.")
    return cast("AuthMode", text)
