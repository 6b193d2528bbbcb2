"""ExportApi: the OpenAPI 3 definition of an HTTP API, as it is or as a stage answers by
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-export.html)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from clary.services.apigateway.documents import Document, key_of
from clary.services.apigateway.errors import bad_request, not_offered
from clary.services.apigateway.openapi import ANY, Object
from clary.services.apigateway.publication import HTTP_DEPLOYMENT
from clary.services.apigatewayv2.documents import content, not_found, read
from clary.services.apigatewayv2.service import SERVICE
from clary.services.context import Context

_VERSION = "1.0"
"""Of the algorithm; there is no other."""
_PARAMETER = re.compile(r"\{([^}]+)\}")


@SERVICE.operation("ExportApi")
def export_api(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """JSON; without `StageName` the API as it is now, without extensions only what OpenAPI itself knows."""
    if params["Specification"] != "OAS30":
        raise bad_request("Specification must be OAS30")
    if params["OutputType"] != "JSON":
        raise not_offered("An export in YAML was asked for.")
    if (params.get("ExportVersion") or _VERSION) != _VERSION:
        raise bad_request(f"ExportVersion must be {_VERSION}")
    document = read(context, params["ApiId"])
    stage = params.get("StageName")
    snapshot = _deployed(context, document, stage) if stage else content(document)
    extended = params.get("IncludeExtensions")
    definition = _definition(snapshot, stage or "", extended=True if extended is None else extended)
    return {"body": json.dumps(definition, indent=2).encode()}


def _deployed(context: Context, document: Document, name: str) -> Mapping[str, Any]:
    stage = document["stages"].get(name)
    if stage is None:
        raise not_found("Stage", name)
    row = context.store.read.get(key_of(context, HTTP_DEPLOYMENT, stage.get("DeploymentId", "")))
    if row is None:
        raise bad_request(f"The stage {name} has no deployment")
    snapshot: Mapping[str, Any] = row.spec["snapshot"]
    return snapshot


def _definition(snapshot: Mapping[str, Any], stage: str, *, extended: bool) -> Object:
    api = snapshot["api"]
    info = {"title": api["Name"], "version": api.get("Version") or str(api["CreatedDate"])}
    info |= {"description": api["Description"]} if api.get("Description") else {}
    base = "" if stage == "$default" else stage
    server = {"url": f"{api['ApiEndpoint']}/{{basePath}}", "variables": {"basePath": {"default": base}}}
    made: Object = {"openapi": "3.0.1", "info": info, "servers": [server], "paths": _paths(snapshot, extended=extended)}
    schemes = {each["Name"]: _scheme(each, extended=extended) for each in snapshot["authorizers"].values()}
    made |= {"components": {"securitySchemes": schemes}} if schemes else {}
    return {**made, **(_extensions(api) if extended else {})}


def _extensions(api: Mapping[str, Any]) -> Object:
    cors = {name[0].lower() + name[1:]: value for name, value in (api.get("CorsConfiguration") or {}).items()}
    return {
        **({"x-amazon-apigateway-cors": cors} if cors else {}),
        "x-amazon-apigateway-importexport-version": _VERSION,
    }


def _paths(snapshot: Mapping[str, Any], *, extended: bool) -> Object:
    paths: Object = {}
    for route in sorted(snapshot["routes"].values(), key=lambda each: str(each["RouteKey"])):
        method, _, path = ("ANY /$default" if route["RouteKey"] == "$default" else route["RouteKey"]).partition(" ")
        item = paths.setdefault(path, {})
        item[ANY if method == "ANY" else method.lower()] = _operation(snapshot, route, extended=extended)
        parameters = [_path_parameter(name) for name in _PARAMETER.findall(path)]
        if parameters:
            item["parameters"] = parameters
    return paths


def _path_parameter(name: str) -> Object:
    return {
        "name": name,
        "in": "path",
        "description": f"Generated path parameter for {name}",
        "required": True,
        "schema": {"type": "string"},
    }


def _operation(snapshot: Mapping[str, Any], route: Mapping[str, Any], *, extended: bool) -> Object:
    made: Object = {"responses": {"default": {"description": f"Default response for {route['RouteKey']}"}}}
    if route.get("OperationName"):
        made["operationId"] = route["OperationName"]
    if route["AuthorizationType"] == "CUSTOM":
        made["security"] = [{snapshot["authorizers"][route["AuthorizerId"]]["Name"]: []}]
    if not extended:
        return made
    if route["AuthorizationType"] == "AWS_IAM":
        made["x-amazon-apigateway-auth"] = {"type": "AWS_IAM"}
    if route.get("Target"):
        integration = snapshot["integrations"][route["Target"].removeprefix("integrations/")]
        made["x-amazon-apigateway-integration"] = _integration(integration)
    return made


def _integration(integration: Mapping[str, Any]) -> Object:
    return {
        "payloadFormatVersion": integration["PayloadFormatVersion"],
        "type": integration["IntegrationType"].lower(),
        "httpMethod": integration["IntegrationMethod"],
        "uri": integration["IntegrationUri"],
        "connectionType": integration["ConnectionType"],
        "timeoutInMillis": integration["TimeoutInMillis"],
        **({"description": integration["Description"]} if integration.get("Description") else {}),
    }


def _scheme(authorizer: Mapping[str, Any], *, extended: bool) -> Object:
    made: Object = {"type": "apiKey", "name": "Authorization", "in": "header"}
    if not extended:
        return made
    said = {
        "type": "request",
        "identitySource": ",".join(authorizer.get("IdentitySource") or ()),
        "authorizerUri": authorizer["AuthorizerUri"],
        "authorizerPayloadFormatVersion": authorizer["AuthorizerPayloadFormatVersion"],
        "authorizerResultTtlInSeconds": authorizer["AuthorizerResultTtlInSeconds"],
        "enableSimpleResponses": authorizer["EnableSimpleResponses"],
    }
    return {**made, "x-amazon-apigateway-authorizer": {name: value for name, value in said.items() if value != ""}}
