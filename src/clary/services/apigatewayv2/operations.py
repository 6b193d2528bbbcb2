"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.apigatewayv2 import (
    apis,
    authorizers,
    deployments,
    exporting,
    importing,
    integrations,
    routes,
    stages,
    tags,
)

__all__ = ["apis", "authorizers", "deployments", "exporting", "importing", "integrations", "routes", "stages", "tags"]
