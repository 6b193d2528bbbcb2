"""The server's log: what its processes say for whoever runs Clary. Jobs' logs are elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

from clary.settings import Settings

_LONGEST = 16 * 2**20
"""Bytes after which a start sets the log aside; the one before it is kept."""


def log_path(settings: Settings) -> Path:
    """Where it lies."""
    return settings.data_dir / "server.log"


def log_file(settings: Settings) -> int:
    """Its descriptor, for appending; a long one is set aside first."""
    path = log_path(settings)
    if path.exists() and path.stat().st_size > _LONGEST:
        path.replace(path.with_suffix(".log.1"))
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
