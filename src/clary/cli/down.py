"""`clary down`: end the Clary of a data folder."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from typing import Annotated

import typer

from clary.app import containers
from clary.cli import options
from clary.errors import ClaryError
from clary.settings import Settings
from clary.supervisor import lock

PATIENCE = 40.0
"""Seconds: longer than all processes together may take to finish what they answer."""


def down(
    data_dir: options.DataDir = None,
    everything: Annotated[bool, typer.Option("--all", help="End jobs and endpoints that run, too.")] = False,
) -> None:
    """End Clary; requests in progress are answered first.

    Jobs and endpoints that run go on, and are taken up again by the next `clary up` on the same data. With `--all` they
    end as well: jobs that had not finished have then failed, endpoints are back with the next `clary up`.

    Examples:

        clary down

        clary down --all
    """
    settings = Settings(data_dir=options.data_dir(data_dir))
    if lock.held(settings):
        _end_server(settings)
    elif not (everything and containers.running(settings)):
        raise ClaryError(f"No Clary runs on {settings.data_dir}.")
    if everything:
        print(f"{counted(containers.end_all(settings))} ended.")
    elif left := containers.running(settings):
        print(f"{counted(len(left))} still at work; `clary down --all` ends them, too.")


def _end_server(settings: Settings) -> None:
    handle = lock.running(settings)
    if handle is None:
        raise ClaryError(f"The Clary on {settings.data_dir} is still starting.", "Try again in a moment.")
    end(handle)
    print(f"Clary at {handle.settings.endpoint_url} has ended.")


def counted(containers: int) -> str:
    """`1 container`, `2 containers`."""
    return f"{containers} container{'' if containers == 1 else 's'}"


def end(handle: lock.Handle) -> None:
    """SIGTERM, and wait until it is gone. Raises ClaryError where it takes too long."""
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(handle.pid)
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGTERM)
            gone, _, _ = select.select([descriptor], [], [], PATIENCE)
        finally:
            os.close(descriptor)
        if not gone:
            raise ClaryError(f"Clary (process {handle.pid}) does not end.", f"End it with `kill -9 {handle.pid}`.")
