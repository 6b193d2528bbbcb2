"""API Gateway's HTTP APIs: what is offered. Rights are told by method and path, as for REST APIs."""

from __future__ import annotations

from clary.services.apigateway.service import access_of
from clary.services.registry import Service

SERVICE = Service("apigatewayv2", access_of, "clary.services.apigatewayv2.operations")
