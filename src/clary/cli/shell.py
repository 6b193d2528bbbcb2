"""`clary shell NAME`: into a running container, as `aws ssm start-session` on AWS."""

from __future__ import annotations

import os
from typing import Annotated, Any
from urllib.parse import quote

import typer

from clary.cli import api, options, terminal
from clary.compute import chosen
from clary.errors import ClaryError
from clary.settings import Settings

_SHELL = ("/bin/sh", "-c", "command -v bash >/dev/null && exec bash -i || exec sh -i")

_REMEDIES = {
    "job": "Create it with RemoteDebugConfig={{'EnableRemoteDebug': True}}, or switch that on while it runs: "
    "`aws sagemaker update-training-job --training-job-name {name} --remote-debug-config EnableRemoteDebug=true`.",
    "endpoint": "Create its endpoint configuration with EnableSSMAccess=True in the production variant.",
}


def shell(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of a job, an endpoint or an inference component.")],
    command: Annotated[list[str] | None, typer.Argument(metavar="[-- COMMAND…]", help="A shell if not said.")] = None,
    host: Annotated[str, typer.Option(help="`algo-2` of a job, `AllTraffic/2` else; the first if not said.")] = "",
    region: Annotated[str, typer.Option(help="The region it is in; else that of this Clary.")] = "",
    data_dir: options.DataDir = None,
) -> None:
    """Run a shell, or one command, inside a running container of a training job, an endpoint or an inference component.

    With the container's own rights and no more. It ends with the container.

    Examples:

        clary shell my-job

        clary shell my-job --host algo-2 -- nvidia-smi
    """
    settings = options.required(data_dir).settings
    container = _container(settings, region or settings.region, name, host)
    argv = tuple(command or _SHELL)
    try:
        code = terminal.run(lambda streams: chosen.backend(settings, os.environ).enter(container, argv, streams))
    except (FileNotFoundError, PermissionError) as gone:
        raise ClaryError(f"{name} cannot be entered: {gone}.", "See `clary status`.") from gone
    raise typer.Exit(code)


def _container(settings: Settings, region: str, name: str, host: str) -> str:
    path = f"/_clary/entrances/{quote(region, safe='')}/{quote(name, safe='')}"
    status, answer = api.ask(settings, "GET", path)
    if status != 200:
        raise ClaryError(
            f"Clary does not say where {name} runs: {answer.get('message', status)}", "See `clary status`."
        )
    if "kind" not in answer:
        raise ClaryError(
            f"There is no training job, endpoint or inference component {name} in {region}.",
            "Name another by --region.",
        )
    found = _chosen(answer["entrances"], name, host)
    if not found["open"]:
        raise ClaryError(f"{name} lets nobody in.", _REMEDIES[answer["kind"]].format(name=name))
    container: str = found["container"]
    return container


def _chosen(entrances: list[dict[str, Any]], name: str, host: str) -> dict[str, Any]:
    if not entrances:
        raise ClaryError(f"{name} has no container that runs.", "See `clary status`.")
    for entrance in entrances:
        if host in ("", entrance["host"]):
            return entrance
    known = ", ".join(entrance["host"] for entrance in entrances)
    raise ClaryError(f"{name} has no host {host}.", f"It has {known}.")
