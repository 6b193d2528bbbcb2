"""Containers without a server: what `clary down --all` ends."""

from __future__ import annotations

import os
import select
import time

from clary.compute import chosen
from clary.compute.base import Running
from clary.errors import ClaryError
from clary.settings import Settings

GRACE = 2.0
"""Seconds from SIGTERM to SIGKILL: nobody waits for what these containers could still say."""

_PATIENCE = 15.0
_PAUSE = 0.02


def running(settings: Settings) -> list[str]:
    """Ids of the containers that run on a data folder."""
    backend = chosen.backend(settings, os.environ)
    return [container for container in backend.list() if isinstance(backend.poll(container), Running)]


def end_all(settings: Settings) -> int:
    """End them with everything inside; how many there were. Raises ClaryError where one does not end."""
    backend, found = chosen.backend(settings, os.environ), running(settings)
    for container in found:
        backend.stop(container, GRACE)
    deadline = time.monotonic() + _PATIENCE
    while left := running(settings):
        if time.monotonic() > deadline:
            raise ClaryError(f"Container {left[0]} does not end.", "See it with `ps -ef`.")
        select.select([], [], [], _PAUSE)
    return len(found)
