"""`clary demo`: train, deploy and predict on this machine, with the unmodified SageMaker Python SDK."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from clary.cli import options
from clary.cli.down import end
from clary.cli.env import client_variables
from clary.cli.up import up
from clary.errors import ClaryError
from clary.images.base import Environment
from clary.images.catalogue import Catalogue
from clary.images.environments import Environments
from clary.settings import DEFAULT_PORT, Settings, default_cache_dir
from clary.supervisor import lock

ANY_PORT = 0
"""A Clary of the demo's own is not in the way of another one."""

_CLIENT = Path(__file__).parents[1] / "demo" / "client.py"
_SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
_SDK = Environment(
    key=f"client-sagemaker-2.257.1-py{sys.version_info.major}{sys.version_info.minor}",
    python=f"{sys.version_info.major}.{sys.version_info.minor}",
    requirements=("sagemaker==2.257.1", "numpy<2", "pandas<3"),
)
"""What the demo's client imports: in an environment of its own, as on a user's machine."""

_NEXT = """\

[bold]Where to go next[/bold]
  clary up                      start Clary and keep it running
  eval "$(clary env)"           in the shell where your own SageMaker code runs
  clary status, clary logs      see what it does
  clary coverage                see what it can do
The demo's code: {folder}
"""


def demo(
    data_dir: options.DataDir = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave Clary running afterwards.")] = False,
) -> None:
    """Train a model on patients' records, deploy it, ask it, and show what happened.

    Starts Clary where none runs on the data folder, and ends it again. The first run builds two environments.

    Example:

        clary demo
    """
    console = Console(highlight=False)
    python = _environments(console)
    with _running(data_dir, console, keep=keep) as settings:
        sys.stdout.flush()  # the client writes to the same place
        command = [str(python), "-u", str(_CLIENT)]
        done = subprocess.run(command, env={**os.environ, **client_variables(settings)}, check=False)
    if done.returncode:
        raise ClaryError(
            "The demo failed; its last lines say why.", f"The server's log is {settings.data_dir}/server.log."
        )
    console.print(_NEXT.format(folder=_CLIENT.parent))


def _environments(console: Console) -> Path:
    """Build what is missing, so that the demo's own timings are those of every later day."""
    environments = Environments(default_cache_dir())
    wanted = {
        "the SageMaker SDK's environment": _SDK,
        "scikit-learn's environment": Catalogue().resolve(_SKLEARN).environment,
    }
    for title, environment in wanted.items():
        if environment is not None and environments.ready(environment) is None:
            with console.status(f"Building {title} (once)") as status:
                environments.build(environment, _show(status, title))
            console.print(f"[green]✓[/green] Built {title}")
    return environments.build(_SDK, console.print)


def _show(status: Status, title: str) -> Callable[[str], None]:
    return lambda line: status.update(f"Building {title} (once) [dim]{escape(line[:80])}[/dim]")


@contextmanager
def _running(data_dir: Path | None, console: Console, *, keep: bool) -> Iterator[Settings]:
    """A Clary on the data folder: the one that runs, else one of the demo's own."""
    asked = Settings(data_dir=options.data_dir(data_dir))
    handle = lock.running(asked)
    if handle is not None:
        console.print(f"[green]✓[/green] Clary runs at {handle.settings.endpoint_url}")
        yield handle.settings
        return
    up(data_dir=data_dir, detach=True, port=DEFAULT_PORT if keep else ANY_PORT)
    handle = options.required(data_dir)
    try:
        yield handle.settings
    finally:
        if not keep:
            end(handle)
