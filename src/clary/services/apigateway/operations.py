"""Importing this registers the operations."""

from __future__ import annotations

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

__all__ = [
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
