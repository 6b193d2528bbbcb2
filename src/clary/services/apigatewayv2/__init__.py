"""API Gateway's HTTP APIs: `SERVICE` with its operations, one file per resource."""

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
from clary.services.apigatewayv2.service import SERVICE

__all__ = [
    "SERVICE",
    "apis",
    "authorizers",
    "deployments",
    "exporting",
    "importing",
    "integrations",
    "routes",
    "stages",
    "tags",
]
