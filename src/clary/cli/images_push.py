"""`clary images build` and `clary images push`: from a folder with a Dockerfile to an image that jobs name."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from clary.app.client import client
from clary.cli import options
from clary.clients.image_archive import OCI_MANIFEST, send
from clary.clients.registry import RegistryClient
from clary.compute import docker_socket
from clary.compute.docker_api import EngineError
from clary.compute.docker_images import ImageStore, builder
from clary.errors import ClaryError
from clary.settings import Settings

_NAME = re.compile(r"(?:[^/]*[.:][^/]*/|localhost/)?(?P<repository>[a-z0-9][a-z0-9._/-]*)(?::(?P<tag>[\w][\w.-]*))?")
"""A registry's host at the front is not part of the repository's name."""
_LAYER_CHARACTERS = 12

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="With the Dockerfile.", exists=True, file_okay=False)]
File = Annotated[Path | None, typer.Option("--file", "-f", metavar="FILE", help="DIR/Dockerfile if not said.")]
More = Annotated[list[str] | None, typer.Argument(metavar="[-- OPTION...]", help="For the engine's build.")]
Source = Annotated[str, typer.Argument(metavar="IMAGE", help="As the container engine calls it.")]
Name = Annotated[str | None, typer.Argument(metavar="[NAME:TAG]", help="In the registry; as IMAGE if not said.")]
Tag = Annotated[str, typer.Option("--tag", "-t", metavar="NAME[:TAG]", help="What it is called.")]


def build(
    folder: Folder,
    tag: Tag,
    file: File = None,
    push_too: Annotated[bool, typer.Option("--push", help="Push it to Clary's registry then.")] = False,
    more: More = None,
    data_dir: options.DataDir = None,
) -> None:
    """Build an image from a Dockerfile, as the engine does.

    Examples:

        clary images build container -t churn

        clary images build container -t churn:2 --push

        clary images build . -t churn -- --no-cache --build-arg PYTHON=3.11
    """
    repository, version = _taken_apart(tag)
    name = f"localhost/{repository}:{version}"
    engine = ImageStore(docker_socket.find(os.environ))
    chosen = ["--file", str(file)] if file else []
    done = subprocess.run([*builder(engine), "build", "--tag", name, *chosen, *(more or ()), str(folder)], check=False)
    if done.returncode:
        raise ClaryError(f"The build ended with exit code {done.returncode}.")
    if push_too:
        push(f"{repository}:{version}", None, data_dir)
    else:
        print(f"{repository}:{version} is built. Next: clary images push {repository}:{version}")


def push(
    image: Source,
    name: Name = None,
    data_dir: options.DataDir = None,
) -> None:
    """Push an image of the engine to Clary's registry.

    A repository that is not there is created.

    Examples:

        clary images push churn

        clary images push localhost/experiment:7 churn:stable
    """
    settings = options.required(data_dir).settings
    repository, tag = _taken_apart(name or image)
    engine = ImageStore(docker_socket.find(os.environ))
    source = _known(engine, image)
    uri = _repository(client(settings, "ecr"), repository)
    registry = RegistryClient(settings.host, settings.port, repository, _token(settings))
    try:
        with _progress() as progress:
            manifest = send(engine.save(source), registry, _Shown(progress).hears)
        digest = registry.put_manifest(tag, manifest, OCI_MANIFEST)
    except (OSError, EngineError) as error:
        raise ClaryError(f"{image} could not be pushed: {error}") from error
    finally:
        registry.close()
    print(f"{repository}:{tag} is in the registry, {digest}.")
    print(f"  use it  image_uri='{uri}:{tag}'")


def remove(settings: Settings, name: str) -> str:
    """Take a tag off its image, which goes with its last; or delete one by its digest. Raises ClaryError."""
    bare, _, digest = name.partition("@")
    repository, tag = _taken_apart(bare)
    wanted = {"imageDigest": digest} if digest else {"imageTag": tag}
    try:
        done = client(settings, "ecr").batch_delete_image(repositoryName=repository, imageIds=[wanted])
    except ClientError as refused:
        raise ClaryError(refused.response["Error"]["Message"], "See `clary images list`.") from None
    for failure in done["failures"]:
        raise ClaryError(f"{name}: {failure['failureReason']}.", "See `clary images list`.")
    return f"{repository}@{digest}" if digest else f"{repository}:{tag}"


def _taken_apart(name: str) -> tuple[str, str]:
    """Repository and tag. Raises ClaryError."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise ClaryError(f"{name!r} is no name of an image.", "Names look like `churn:1`.")
    return found["repository"], found["tag"] or "latest"


def _known(engine: ImageStore, image: str) -> str:
    """What the engine calls it: Podman adds `localhost/` to what it builds. Raises ClaryError."""
    for name in (image, f"localhost/{image}"):
        if engine.image(name) is not None:
            return name
    raise ClaryError(f"The container engine has no image {image}.", "Build it with `clary images build DIR -t NAME`.")


def _repository(ecr: Any, name: str) -> str:  # noqa: ANN401 — a botocore client
    """Its address; created where it is not there. Raises ClaryError."""
    try:
        found: Mapping[str, Any] = ecr.create_repository(repositoryName=name)["repository"]
    except ecr.exceptions.RepositoryAlreadyExistsException:
        found = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    except ClientError as refused:
        raise ClaryError(refused.response["Error"]["Message"]) from None
    return str(found["repositoryUri"])


def _token(settings: Settings) -> str:
    issued = client(settings, "ecr").get_authorization_token()
    return str(issued["authorizationData"][0]["authorizationToken"])


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    return Progress(*columns, console=Console(stderr=True))


class _Shown:
    """A line for each layer."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lines: dict[str, TaskID] = {}

    def hears(self, layer: str, done: int, size: int) -> None:
        """As clients.image_archive.OnProgress."""
        if layer not in self._lines:
            short = layer.removeprefix("sha256:")[:_LAYER_CHARACTERS]
            self._lines[layer] = self._progress.add_task(short, total=size)
        self._progress.update(self._lines[layer], completed=done)
