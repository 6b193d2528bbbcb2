"""Elastic Container Registry: repositories, images and layers. The registry's own protocol, which `docker push` speaks,
is `clary.distribution`, and calls the operations here."""

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
