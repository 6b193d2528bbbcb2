"""`clary hooks`: a push to a git repository becomes an image, a training job and an endpoint."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from clary.app.client import client
from clary.cli import options
from clary.edge.door import ControlDoor
from clary.edge.hooks import PREFIX
from clary.errors import AWSError, ClaryError
from clary.identity.defaults import role_arn
from clary.settings import Settings

_HELP = """Rebuild, retrain and redeploy when a git repository is pushed to.

Examples:

    clary hooks add churn --repository https://git.example.org/churn.git --image churn --then steps.json

    clary hooks run churn --wait

    clary hooks show churn
"""

_OVER = ("Succeeded", "Failed", "Skipped")
_PAUSE = 0.3
_WIDE = 1000

hooks = typer.Typer(no_args_is_help=True, help=_HELP)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The hook's name.")]


@hooks.command()
def add(  # noqa: PLR0913, PLR0917  one option each
    name: Name,
    repository: Annotated[
        str, typer.Option("--repository", metavar="URL", help="https://, ssh://, git:// or user@host:path.")
    ],
    image: Annotated[str, typer.Option("--image", metavar="NAME[:TAG]", help="What the newest image is called.")],
    branch: Annotated[str, typer.Option("--branch", help="Only pushes to this one are built.")] = "main",
    folder: Annotated[
        str,
        typer.Option(
            "--folder", metavar="DIR", help="Within the repository: with a Dockerfile, or `train` and `serve`."
        ),
    ] = ".",
    requirements: Annotated[
        str,
        typer.Option("--requirements", metavar="FILE", help="Within the repository; DIR/requirements.txt if not said."),
    ] = "",
    python: Annotated[str, typer.Option("--python", metavar="X.Y", help="The Python that the image runs on.")] = "",
    then: Annotated[
        Path | None,
        typer.Option("--then", metavar="FILE", help="JSON: what follows on a new image.", exists=True, dir_okay=False),
    ] = None,
    role: Annotated[
        str,
        typer.Option("--role", metavar="ARN", help="With whose rights that is done; ClaryExecutionRole if not said."),
    ] = "",
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            metavar="FILE",
            help="TOKEN or USER:PASSWORD for the repository.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    secret_file: Annotated[
        Path | None,
        typer.Option("--secret-file", metavar="FILE", help="Write the secret there instead of showing it."),
    ] = None,
    allow_local: Annotated[
        bool, typer.Option("--allow-local", help="The repository may be a folder of this machine.")
    ] = False,
    data_dir: options.DataDir = None,
) -> None:
    """Add a hook: pushes to a branch build an image, and what --then names follows on it.

    The file holds AWS's own requests by their operations: CreateTrainingJob,
    CreateModel, CreateEndpointConfig, CreateEndpoint. Names, image and model data
    are filled in. Prints, this once, the secret that deliveries are signed with.

    Examples:

        clary hooks add churn --repository https://git.example.org/churn.git --image churn --then steps.json

        clary hooks add churn --repository git@git.example.org:churn.git --folder app --image churn:dev
    """
    settings = options.required(data_dir).settings
    asked = {
        "name": name,
        "repository": repository,
        "branch": branch,
        "folder": folder,
        "requirements": requirements,
        "python": python,
        "image": image,
        "role": role or role_arn(settings.account_id),
        "steps": _document(then),
        "token": token_file.read_text().strip() if token_file else "",
        "local": allow_local,
    }
    added = _ask(settings, "hook-add", asked)
    print(f"{added['name']} is here: pushes to {branch} of {repository} become {added['image']}.")
    print(f"  address  {settings.endpoint_url}{PREFIX}{added['name']}")
    _hand_over(added["secret"], secret_file)


def _hand_over(secret: str, path: Path | None) -> None:
    """Once: what is kept is sealed. In a file only its owner reads it."""
    if path is None:
        print(f"  secret   {secret}")
        print("The secret is shown this once: give it to the git server, which signs with it.")
        return
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secret)
    print(f"  secret   in {path}, for the git server to sign with; it is kept nowhere else in the clear")


def _document(path: Path | None) -> Any:  # noqa: ANN401 — JSON
    if path is None:
        return {}
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise ClaryError(f"{path} is no JSON document: {error}.") from error


@hooks.command("list")
def list_(as_json: options.Json = False, data_dir: options.DataDir = None) -> None:
    """Show all hooks, each with its last run.

    Examples:

        clary hooks list

        clary hooks list --json
    """
    found = _ask(options.required(data_dir).settings, "hook-list", {})["hooks"]
    if as_json:
        print(json.dumps(found, indent=1))
        return
    for hook in found:
        last = f"run {hook['runs'][-1]['number']} {hook['runs'][-1]['status']}" if hook["runs"] else "never run"
        print(f"{hook['name']}  {hook['branch']} of {hook['repository']}  {hook['image']}  {last}")
    if not found:
        print("No hooks. Add one with `clary hooks add NAME --repository URL --image NAME`.")


@hooks.command()
def show(
    name: Name,
    run: Annotated[
        int | None, typer.Option("--run", metavar="NUMBER", help="Whose log to show; the last if not said.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Until the run has ended; exit code 1 where it fails.")
    ] = False,
    as_json: options.Json = False,
    data_dir: options.DataDir = None,
) -> None:
    """Show a hook: its runs, and the log of one.

    Examples:

        clary hooks show churn

        clary hooks show churn --follow

        clary hooks show churn --run 3

        clary hooks show churn --json
    """
    settings = options.required(data_dir).settings
    hook = _ask(settings, "hook-show", {"name": name})
    if as_json:
        print(json.dumps(hook, indent=1))
        return
    print(f"{hook['name']}  {hook['branch']} of {hook['repository']}, folder {hook['folder']}  {hook['image']}")
    if not hook["runs"]:
        print(f"Never run. `clary hooks run {name}` runs it by hand.")
        return
    _print(hook["runs"])
    chosen = run or hook["runs"][-1]["number"]
    print(f"\nrun {chosen}:")
    if follow:
        _follow(settings, name, chosen)
    else:
        print("\n".join(_lines(settings, hook["log_group"], chosen)))


def _print(runs: Sequence[Mapping[str, Any]]) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    console.print(table(runs))


def table(runs: Sequence[Mapping[str, Any]]) -> Table:
    """A line for each run, oldest first."""
    drawn = Table(box=None, pad_edge=False)
    for head in ("run", "status", "begun", "took", "commit", "by", "why"):
        drawn.add_column(head, overflow="fold")
    for run in runs:
        begun = datetime.fromtimestamp(run["times"]["Queued"]).astimezone()
        commit = f"{run.get('commit', run['pushed'])[:12]} {run.get('subject', '')}".strip()
        cells = [str(run["number"]), run["status"], f"{begun:%Y-%m-%d %H:%M:%S}", _took(run), commit]
        drawn.add_row(*map(Text, [*cells, run["by"] or run["cause"], run.get("reason", "")]))
    return drawn


def _took(run: Mapping[str, Any]) -> str:
    times = run["times"]
    return f"{times[run['status']] - times['Queued']:.0f} s" if run["status"] in _OVER else "–"


@hooks.command()
def run(
    name: Name,
    wait: Annotated[
        bool, typer.Option("--wait", "-w", help="Until it has ended; exit code 1 where it failed.")
    ] = False,
    data_dir: options.DataDir = None,
) -> None:
    """Run a hook by hand: as if the branch had been pushed to.

    Examples:

        clary hooks run churn

        clary hooks run churn --wait
    """
    settings = options.required(data_dir).settings
    number = _ask(settings, "hook-run", {"name": name})["run"]
    print(f"{name}: run {number} is queued.")
    if wait:
        _follow(settings, name, number)


def _follow(settings: Settings, name: str, number: int) -> None:
    """Its lines as they come. Raises ClaryError where it does not succeed."""
    told = 0
    while True:
        hook = _ask(settings, "hook-show", {"name": name})
        found = next((run for run in hook["runs"] if run["number"] == number), None)
        lines = _lines(settings, hook["log_group"], number)
        for line in lines[told:]:
            print(line, flush=True)
        told = len(lines)
        if found is None or found["status"] in _OVER:
            break
        time.sleep(_PAUSE)
    if found is None or found["status"] != "Succeeded":
        raise ClaryError(f"Run {number} of {name} did not succeed: {(found or {}).get('reason', 'it is gone')}")


@hooks.command()
def rm(name: Name, data_dir: options.DataDir = None) -> None:
    """Forget a hook with its runs. Images, models and endpoints that they have made stay; a training job goes on.

    Example:

        clary hooks rm churn
    """
    print(f"{_ask(options.required(data_dir).settings, 'hook-remove', {'name': name})['name']} is gone.")


def _lines(settings: Settings, group: str, number: int) -> list[str]:
    """The log of a run so far."""
    logs = client(settings, "logs")
    try:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, logStreamNames=[f"{number:06}"])
        return [event["message"] for page in pages for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


def _ask(settings: Settings, question: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """By control's socket and no path of HTTP: it is this Clary's user who may."""
    try:
        return asyncio.run(ControlDoor(settings.run_dir / "control.sock").ask(question, params))
    except AWSError as error:
        raise ClaryError(error.message) from None
