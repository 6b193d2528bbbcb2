"""Which authorities an engine's container trusts: those that its host does, AWS's names' here, and its image's own.

An image may bring a company's authority; what is mounted for the container must not take that away.
"""

# ruff: noqa: PTH118, PTH123
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import os

from clary.compute import pem
from clary.compute.docker_api import Engine, EngineError
from clary.compute.launch import BUNDLE
from clary.compute.ways_out import SYSTEM_TRUST

_NAME = "authorities.pem"
_MOST_BYTES = 8_388_608


def path(folder: str) -> str:
    """Of the file that the container in `folder` is shown."""
    return os.path.join(folder, _NAME)


def prepare(folder: str, names: str) -> None:
    """The file is there, for a container that has yet to be made; `names` is the certificate's folder. Raises
    OSError."""
    _write(folder, _read(names))


def complete(folder: str, names: str, engine: Engine, name: str) -> None:
    """The file holds what the image trusts too; the container of this name has been made and does not run yet. May be
    done again. Raises OSError."""
    own = _of_image(engine, name)
    if own:
        _write(folder, pem.joined(_read(names), own))


def _of_image(engine: Engine, name: str) -> bytes:
    for place in SYSTEM_TRUST:
        try:
            found = engine.file(name, place, _MOST_BYTES)
        except EngineError:
            return b""  # an engine that cannot look into it: it runs without
        if found:
            return found
    return b""


def _read(names: str) -> bytes:
    with open(os.path.join(names, BUNDLE), "rb") as file:
        return file.read()


def _write(folder: str, data: bytes) -> None:
    fresh = path(folder) + ".new"
    with open(fresh, "wb") as file:
        os.fchmod(file.fileno(), 0o644)  # whoever the image runs as
        file.write(data)
    os.rename(fresh, path(folder))  # noqa: PTH104
