"""Options that several commands share, and what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clary.errors import ClaryError
from clary.settings import Settings, default_data_dir
from clary.supervisor.lock import Handle, read_handle, running

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="DIR", help="Where this Clary keeps its data; ~/.clary if not said."),
]

Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def data_dir(chosen: Path | None) -> Path:
    """The data folder meant, as an absolute path."""
    return (chosen or default_data_dir()).expanduser().absolute()


def known_settings(chosen: Path | None) -> Settings:
    """The settings of the Clary that runs on a data folder or ran there last, else the defaults."""
    asked = Settings(data_dir=data_dir(chosen))
    handle = read_handle(asked)
    return handle.settings if handle else asked


def required(chosen: Path | None) -> Handle:
    """The Clary that runs on a data folder. Raises ClaryError where none does."""
    asked = Settings(data_dir=data_dir(chosen))
    handle = running(asked)
    if handle is None:
        raise ClaryError(f"No Clary runs on {asked.data_dir}.", "Start one with `clary up`.")
    return handle
