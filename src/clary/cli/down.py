"""`clary down`: end the Clary of a data folder."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress

from clary.cli import options
from clary.errors import ClaryError
from clary.settings import Settings
from clary.supervisor import lock

PATIENCE = 40.0
"""Seconds: longer than all processes together may take to finish what they answer."""


def down(data_dir: options.DataDir = None) -> None:
    """End Clary; requests in progress are answered first.

    Jobs and endpoints that run go on, and are taken up again by the next `clary up` on the same data.

    Example:

        clary down
    """
    settings = Settings(data_dir=options.data_dir(data_dir))
    if not lock.held(settings):
        raise ClaryError(f"No Clary runs on {settings.data_dir}.")
    handle = lock.read_handle(settings)
    if handle is None:
        raise ClaryError(f"The Clary on {settings.data_dir} is still starting.", "Try again in a moment.")
    end(handle)
    print(f"Clary at {handle.settings.endpoint_url} has ended.")


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
