"""`clary interrupt JOB`: take a training job's spot instances away, as AWS may at any moment."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from clary.cli import options
from clary.edge.door import ControlDoor
from clary.errors import AWSError, ClaryError


def interrupt(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The training job's name.")],
    region: Annotated[str, typer.Option(help="The region it is in; else that of this Clary.")] = "",
    data_dir: options.DataDir = None,
) -> None:
    """Interrupt a training job with managed spot training: its program gets SIGTERM, its checkpoints are saved, and it
    starts anew with them.

    Example:

        clary interrupt my-job
    """
    settings = options.required(data_dir).settings
    control = ControlDoor(settings.run_dir / "control.sock")  # no path of HTTP: it is this Clary's user who may
    try:
        asyncio.run(control.ask("interrupt", {"name": job, "region": region or settings.region}))
    except AWSError as error:
        raise ClaryError(error.message) from None
    print(f"{job} is interrupted, and starts anew with its checkpoints: see `clary status`.")
