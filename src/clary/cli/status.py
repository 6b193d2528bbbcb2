"""`clary status`: whether Clary runs, and what it has."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from clary import __version__
from clary.cli import api, options
from clary.settings import Settings
from clary.supervisor.lock import Handle, running

_SHOWN = 10
"""Jobs that run, and jobs that wait, each."""


def status(as_json: options.Json = False, data_dir: options.DataDir = None) -> None:
    """Show whether Clary runs on a data folder, and what runs in it.

    Examples:

        clary status

        clary status --json
    """
    asked = Settings(data_dir=options.data_dir(data_dir))
    handle = running(asked)
    health = api.ask(handle.settings, "GET", "/_clary/status")[1] if handle else {}
    if as_json:
        print(json.dumps(_document(asked, handle, health), indent=1))
        return
    if handle is None:
        print(f"No Clary runs on {asked.data_dir}. Start one with `clary up`.")
        return
    _show(handle, health)


def _document(asked: Settings, handle: Handle | None, health: Mapping[str, Any]) -> dict[str, Any]:
    if handle is None:
        return {"running": False, "data_dir": str(asked.data_dir), "version": __version__}
    settings = handle.settings
    return {
        "running": True,
        "pid": handle.pid,
        "endpoint": settings.endpoint_url,
        "data_dir": str(settings.data_dir),
        "auth": settings.auth,
        "started": handle.started,
        **health,
    }


def _show(handle: Handle, health: Mapping[str, Any]) -> None:
    settings = handle.settings
    print(f"Clary {handle.version} at {settings.endpoint_url}: {health['status']}")
    print(f"  up       {timedelta(seconds=int(time.time() - handle.started))} (process {handle.pid})")
    print(f"  data     {settings.data_dir}")
    print(f"  account  {settings.account_id}, region {settings.region}, auth {settings.auth}")
    for kind, statuses in sorted(health.get("resources", {}).items()):
        counted = ", ".join(f"{count} {each}" for each, count in sorted(statuses.items()))
        print(f"  {kind}s: {counted or 'none going on'}")
    if "containers" in health:
        print(f"  containers: {health['containers']}")
    if "capacity" in health:
        _show_capacity(health["capacity"])
        _show_jobs(health["jobs"], settings.region)
        _show_tunings(health["tunings"], settings.region)
    if health["status"] != "ready":
        print(f"  control: {health.get('control', 'away')}; see {settings.data_dir / 'server.log'}")


def _show_capacity(capacity: Mapping[str, Any]) -> None:
    cores, memory, gpus = capacity["cores"], capacity["memory_bytes"], capacity["gpus"]
    parts = [
        f"{cores['given']} of {cores['of']} cores",
        f"{memory['given'] / 2**30:.1f} of {memory['of'] / 2**30:.1f} GiB",
    ]
    if gpus["of"]:
        parts.append(f"{gpus['given']} of {gpus['of']} GPUs")
    print(f"  given to jobs: {', '.join(parts)}")


def _show_jobs(jobs: Sequence[Mapping[str, Any]], region: str) -> None:
    for job in [each for each in jobs if each["position"] is None][:_SHOWN]:
        print(f"    {_described(job, region)}")
    waiting = sorted((each for each in jobs if each["position"] is not None), key=lambda job: int(job["position"]))
    for job in waiting[:_SHOWN]:
        print(f"    {_described(job, region)}, waits: number {job['position']}")
    if len(waiting) > _SHOWN:
        print(f"    and {len(waiting) - _SHOWN} more that wait; `clary status --json` names all")


def _show_tunings(tunings: Sequence[Mapping[str, Any]], region: str) -> None:
    for tuning in tunings[:_SHOWN]:
        place = "" if tuning["region"] == region else f" in {tuning['region']}"
        of = f" of {tuning['of']}" if tuning["of"] else ""
        best = "" if tuning["best"] is None else f", best {tuning['objective']} {tuning['best']:g}"
        counted = f"{tuning['ended']}{of} jobs ended, {tuning['running']} running{best}"
        print(f"    tuning {tuning['name']}{place}  {tuning['status']}  {counted}  {_age(tuning)}")


def _described(job: Mapping[str, Any], region: str) -> str:
    place = "" if job["region"] == region else f" in {job['region']}"
    return f"{job['name']}{place}  {job['status']}  {job['instances']}  {_age(job)}"


def _age(of: Mapping[str, Any]) -> timedelta:
    return timedelta(seconds=int(time.time() - of["created"]))
