"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.kms import (
    aliases,
    data_keys,
    deletion,
    encryption,
    grants,
    imports,
    keys,
    multi_region,
    policies,
    refusals,
    rotation,
    signing,
    tags,
)

__all__ = [
    "aliases",
    "data_keys",
    "deletion",
    "encryption",
    "grants",
    "imports",
    "keys",
    "multi_region",
    "policies",
    "refusals",
    "rotation",
    "signing",
    "tags",
]
