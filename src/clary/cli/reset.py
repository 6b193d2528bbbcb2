"""`clary reset`: empty a Clary that was started for it."""

from __future__ import annotations

from clary.cli import api, options
from clary.errors import ClaryError


def reset(data_dir: options.DataDir = None) -> None:
    """Empty everything: jobs, endpoints, buckets, roles. Only where Clary was started with `--allow-reset`.

    Example:

        clary reset
    """
    handle = options.required(data_dir)
    status, said = api.ask(handle.settings, "POST", "/_clary/reset")
    if status != 200:
        raise ClaryError(str(said.get("message", said)))
    print(f"Everything on {handle.settings.data_dir} is gone; keys and settings are as before.")
