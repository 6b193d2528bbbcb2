"""Importing this registers the operations."""

from __future__ import annotations

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
