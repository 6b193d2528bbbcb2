"""What keepers had to leave in an engine that did not answer: the next one that gets an answer takes it away.

run/left-in-engine   there, where something was left
"""

# ruff: noqa: PTH110, PTH118, PTH120, PTH123
# Paths are strings here: they are sent, received and given to the kernel as such.

from __future__ import annotations

import contextlib
import os

from clary.compute import record
from clary.compute.docker_api import Engine, EngineError
from clary.launcher.engine_document import FOLDER_LABEL
from clary.launcher.engine_networks import LABEL, remove_unused


def _mark(folder: str) -> str:
    return os.path.join(os.path.dirname(os.path.dirname(folder)), record.LEFT)


def leave(folder: str) -> None:
    """The container of this folder may still be in the engine, and its networks."""
    with contextlib.suppress(FileNotFoundError):  # a data folder that was deleted has no later keepers
        open(_mark(folder), "ab").close()


def sweep(engine: Engine, folder: str) -> None:
    """Take away what was left of this Clary's containers, if anything was; `folder` is that of one that lives."""
    try:
        os.unlink(_mark(folder))  # noqa: PTH108
    except FileNotFoundError:
        return
    try:
        _sweep(engine, os.path.dirname(folder))
    except (OSError, EngineError):
        leave(folder)


def _sweep(engine: Engine, containers: str) -> None:
    for found in engine.labelled(FOLDER_LABEL):
        place = str(found["Labels"][FOLDER_LABEL])
        if os.path.dirname(place) == containers and has_ended(place):
            engine.remove(str(found["Id"]))
    prefix = record.prefix(containers)
    for name in engine.networks(LABEL):
        if name.startswith(prefix) and has_ended(os.path.join(containers, name[len(prefix) :])):
            remove_unused(engine, name, containers)


def has_ended(folder: str) -> bool:
    """Whether nobody needs what the engine has of it."""
    return record.read(folder, record.EXIT) is not None or not os.path.exists(folder)
