"""API Gateway's REST APIs: `SERVICE` with its operations, one file per resource."""

from clary.services.apigateway import (
    account,
    api_keys,
    authorizers,
    deployments,
    exporting,
    gateway_responses,
    importing,
    integrations,
    methods,
    models,
    resources,
    rest_apis,
    stages,
    tags,
    testing,
    usage_plans,
    validators,
)
from clary.services.apigateway.service import SERVICE

__all__ = [
    "SERVICE",
    "account",
    "api_keys",
    "authorizers",
    "deployments",
    "exporting",
    "gateway_responses",
    "importing",
    "integrations",
    "methods",
    "models",
    "resources",
    "rest_apis",
    "stages",
    "tags",
    "testing",
    "usage_plans",
    "validators",
]
