"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.ecr import (
    image_deletion,
    image_listing,
    images,
    layers,
    lifecycle_policies,
    policies,
    repositories,
    repository_tags,
    tokens,
    uploads,
)

__all__ = [
    "image_deletion",
    "image_listing",
    "images",
    "layers",
    "lifecycle_policies",
    "policies",
    "repositories",
    "repository_tags",
    "tokens",
    "uploads",
]
