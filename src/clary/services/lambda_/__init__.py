"""Lambda: functions, their versions and aliases, layers, and how they are invoked."""

from clary.services.lambda_ import (
    aliases,
    concurrency,
    event_configs,
    functions,
    invocations,
    layers,
    permissions,
    signing,
    tags,
    urls,
    versions,
)

__all__ = [
    "aliases",
    "concurrency",
    "event_configs",
    "functions",
    "invocations",
    "layers",
    "permissions",
    "signing",
    "tags",
    "urls",
    "versions",
]
