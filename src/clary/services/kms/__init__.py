"""Key Management Service: keys that never leave, and what is done with them."""

from clary.services.kms import (
    aliases,
    data_keys,
    deletion,
    encryption,
    grants,
    imports,
    keys,
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
    "policies",
    "refusals",
    "rotation",
    "signing",
    "tags",
]
