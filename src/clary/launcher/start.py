"""A container that was accepted by the launcher, on its way to whoever forks its shim."""

from __future__ import annotations

import os
import socket
from typing import NamedTuple

from clary.launcher.shares import Share


class Start(NamedTuple):
    """Its folder, lock and socket, and what of the machine it has."""

    folder: str
    lock: int
    listener: socket.socket
    share: Share

    def close(self) -> None:
        """Somebody else holds it now."""
        os.close(self.lock)
        self.listener.close()
