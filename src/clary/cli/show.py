"""`clary show TUNING`: a hyperparameter tuning job in pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import ClientError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from clary.app.client import client
from clary.cli import charts, options
from clary.cli.tuning_jobs import Job, Tuning, read
from clary.cli.tuning_page import page
from clary.errors import ClaryError
from clary.settings import Settings

_WIDE = 1000
"""Columns of a table that goes into a file or a pipe: nothing is cut off."""


def show(
    name: Annotated[str, typer.Argument(metavar="TUNING", help="A hyperparameter tuning job's name.")],
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with pictures, which needs no network.")
    ] = None,
    data_dir: options.DataDir = None,
) -> None:
    """Show a hyperparameter tuning job: its training jobs, and the best so far.

    Examples:

        clary show my-tuning

        clary show my-tuning --html my-tuning.html
    """
    tuning = _tuning(options.required(data_dir).settings, name)
    if html is None:
        _print(tuning)
        return
    html.write_text(page(tuning), encoding="utf-8")
    print(f"{html}: {len(tuning.jobs)} training jobs of {tuning.name}")


def _tuning(settings: Settings, name: str) -> Tuning:
    """Raises ClaryError where no tuning is called so."""
    try:
        return read(client(settings, "sagemaker"), name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ValidationException", "ResourceNotFound"):
            raise
        raise ClaryError(
            f"There is no hyperparameter tuning job called {name!r}.", "`clary status` shows what there is."
        ) from None


def _print(tuning: Tuning) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    aim = "maximized" if tuning.maximize else "minimized"
    console.print(Text(f"{tuning.name}  {tuning.status}  {tuning.strategy}, {charts.plain(tuning.metric)} {aim}"))
    if tuning.failure:
        console.print(Text(tuning.failure, style="red"))
    console.print(table(tuning))
    best = tuning.best
    if best is not None and best.objective is not None:
        console.print(Text(f"best: {best.name}, {charts.plain(tuning.metric)} {charts.number(best.objective)}"))


def table(tuning: Tuning) -> Table:
    """A line for each training job; those that were better than all before them are bold."""
    names = [axis.name for axis in tuning.axes]
    drawn = Table(box=None, pad_edge=False)
    for head in ("", "training job", "status", tuning.metric, "best so far", "time", *names):
        drawn.add_column(Text(charts.plain(head)), overflow="fold", no_wrap=head == "training job")
    records, record = tuning.records, ""
    for job in tuning.jobs:
        if job in records:
            record = _objective(job)
        cells = [str(job.number), job.name, job.status, _objective(job), record, _took(job)]
        cells += [charts.short(job.values.get(name, "")) for name in names]
        drawn.add_row(*map(Text, cells), style="bold" if job in records else "")
    return drawn


def _objective(job: Job) -> str:
    return "–" if job.objective is None else charts.number(job.objective)


def _took(job: Job) -> str:
    return "–" if job.took is None else charts.duration(job.took)
