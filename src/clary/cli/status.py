"""`clary status`: whether Clary runs, and what it has."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from clary import __version__
from clary.cli import api, options
from clary.settings import Settings
from clary.supervisor.lock import Handle, running


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
    if health["status"] != "ready":
        print(f"  control: {health.get('control', 'away')}; see {settings.data_dir / 'server.log'}")
