"""GetExport: the OpenAPI definition of what a stage answers by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clary.services.apigateway.documents import DEPLOYMENT, Document, key_of, read
from clary.services.apigateway.errors import bad_request, not_found
from clary.services.apigateway.openapi import ANY, Object, rewritten
from clary.services.apigateway.service import SERVICE
from clary.services.apigateway.stages import stage_of
from clary.services.context import Context

_RESPONSE = ("statusCode", "responseParameters", "responseTemplates")
_KINDS = ("oas30", "swagger")
_PLACES = {"path": "path", "querystring": "query", "header": "header"}


@SERVICE.operation("GetExport")
def get_export(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """With `extensions` of `integrations`, `authorizers` or `apigateway` (all), AWS's own parts come along."""
    api, kind = params["restApiId"], params["exportType"]
    if kind not in _KINDS:
        raise bad_request(f"Export type must be one of: {list(_KINDS)}")
    if (params.get("accepts") or "application/json") != "application/json":
        raise bad_request("Exports are JSON here: application/yaml is not offered.")
    stage = stage_of(read(context, api), params["stageName"])
    row = context.store.read.get(key_of(context, DEPLOYMENT, stage["deploymentId"]))
    if row is None:
        raise not_found("Deployment identifier")
    extensions = (params.get("parameters") or {}).get("extensions", "")
    wanted = {"integrations", "authorizers"} if extensions == "apigateway" else set(extensions.split(","))
    definition = _Export(row.spec["snapshot"], kind, wanted).definition(params["stageName"])
    name = f'attachment; filename="{kind}_{row.created:%Y-%m-%dT%H:%M:%SZ}.json"'
    body = json.dumps(definition, indent=2).encode()
    return {"contentType": "application/json", "contentDisposition": name, "body": body}


class _Export:
    """One deployment on its way out."""

    def __init__(self, snapshot: Mapping[str, Any], kind: str, extensions: set[str]) -> None:
        self._snapshot = snapshot
        self._swagger = kind == "swagger"
        self._extensions = extensions

    def definition(self, stage: str) -> Object:
        """The whole."""
        api = self._snapshot["api"]
        info = {"title": api["name"], "version": api.get("version") or str(api["createdDate"])}
        info |= {"description": api["description"]} if api.get("description") else {}
        version = (
            {"swagger": "2.0", "basePath": f"/{stage}", "schemes": ["http"]} if self._swagger else {"openapi": "3.0.1"}
        )
        return {"info": info, **version, **self._settings(), "paths": self._paths(), **self._components()}

    def _settings(self) -> Object:
        api = self._snapshot["api"]
        if not self._extensions & {"integrations", "authorizers"}:
            return {}
        said: Object = {}
        if api.get("binaryMediaTypes"):
            said["x-amazon-apigateway-binary-media-types"] = api["binaryMediaTypes"]
        if api.get("policy"):
            said["x-amazon-apigateway-policy"] = json.loads(api["policy"])
        validators = self._snapshot["validators"].values()
        if validators:
            members = ("validateRequestBody", "validateRequestParameters")
            shown = {each["name"]: {name: each[name] for name in members} for each in validators}
            said["x-amazon-apigateway-request-validators"] = shown
        responses = self._snapshot["responses"]
        if responses:
            said["x-amazon-apigateway-gateway-responses"] = {
                name: {member: each[member] for member in _RESPONSE if each.get(member)}
                for name, each in responses.items()
            }
        return said

    def _paths(self) -> Object:
        paths: Object = {}
        for resource in sorted(self._snapshot["resources"].values(), key=lambda each: each["path"]):
            for name, method in resource["resourceMethods"].items():
                key = ANY if name == "ANY" else name.lower()
                paths.setdefault(resource["path"], {})[key] = self._operation(method)
        return paths

    def _operation(self, method: Document) -> Object:
        said: Object = {}
        if method.get("operationName"):
            said["operationId"] = method["operationName"]
        parameters = [self._parameter(name, needed) for name, needed in (method.get("requestParameters") or {}).items()]
        bodies = method.get("requestModels") or {}
        if self._swagger:
            said |= {"consumes": list(bodies)} if bodies else {}
            first = [*bodies.values()][:1]
            body = {"in": "body", "required": True}
            parameters += [{**body, "name": model, "schema": self._reference(model)} for model in first]
        elif bodies:
            content = {kind: {"schema": self._reference(model)} for kind, model in bodies.items()}
            said["requestBody"] = {"content": content, "required": True}
        said |= {"parameters": parameters} if parameters else {}
        said["responses"] = self._responses(method)
        security = self._security(method)
        said |= {"security": security} if security else {}
        return {**said, **self._own(method)}

    def _parameter(self, name: str, needed: bool) -> Object:
        place, _, plain = name.removeprefix("method.request.").partition(".")
        kind: Object = {"type": "string"} if self._swagger else {"schema": {"type": "string"}}
        return {"name": plain, "in": _PLACES[place], "required": needed or place == "path", **kind}

    def _reference(self, model: str) -> Object:
        return {"$ref": f"#/{'definitions' if self._swagger else 'components/schemas'}/{model}"}

    def _responses(self, method: Document) -> Object:
        found: Object = {}
        for status, response in (method.get("methodResponses") or {}).items():
            names = [name.removeprefix("method.response.header.") for name in response.get("responseParameters") or {}]
            kind: Object = {"type": "string"} if self._swagger else {"schema": {"type": "string"}}
            said: Object = {"description": f"{status} response"}
            said |= {"headers": dict.fromkeys(names, kind)} if names else {}
            schemas = response.get("responseModels") or {}
            if schemas and self._swagger:
                said["schema"] = self._reference(next(iter(schemas.values())))
            elif schemas:
                said["content"] = {kind: {"schema": self._reference(model)} for kind, model in schemas.items()}
            found[status] = said
        return found

    def _security(self, method: Document) -> list[Object]:
        found: list[Object] = []
        authorizer = self._snapshot["authorizers"].get(method.get("authorizerId") or "")
        if authorizer:
            found.append({authorizer["name"]: []})
        if method["authorizationType"] == "AWS_IAM":
            found.append({"sigv4": []})
        return [*found, {"api_key": []}] if method.get("apiKeyRequired") else found

    def _own(self, method: Document) -> Object:
        if "integrations" not in self._extensions:
            return {}
        said: Object = {}
        validator = self._snapshot["validators"].get(method.get("requestValidatorId") or "")
        if validator:
            said["x-amazon-apigateway-request-validator"] = validator["name"]
        integration = method.get("methodIntegration")
        if integration:
            said["x-amazon-apigateway-integration"] = _integration(integration)
        return said

    def _components(self) -> Object:
        models = self._snapshot["models"]
        schemas = {name: self._schema(model) for name, model in models.items()}
        security = self._schemes()
        if self._swagger:
            return {"definitions": schemas, **({"securityDefinitions": security} if security else {})}
        return {"components": {"schemas": schemas, **({"securitySchemes": security} if security else {})}}

    def _schema(self, model: Document) -> Object:
        schema = json.loads(model.get("schema") or "{}")
        found: Object = rewritten(schema, lambda reference: self._reference(reference.rpartition("/")[2])["$ref"])
        found.pop("$schema", None)
        return found

    def _schemes(self) -> Object:
        methods = [m for each in self._snapshot["resources"].values() for m in each["resourceMethods"].values()]
        found: Object = {}
        if any(method.get("apiKeyRequired") for method in methods):
            found["api_key"] = {"type": "apiKey", "name": "x-api-key", "in": "header"}
        if any(method["authorizationType"] == "AWS_IAM" for method in methods):
            place = {"type": "apiKey", "name": "Authorization", "in": "header"}
            found["sigv4"] = {**place, "x-amazon-apigateway-authtype": "awsSigv4"}
        for authorizer in self._snapshot["authorizers"].values():
            found[authorizer["name"]] = self._scheme(authorizer)
        return found

    def _scheme(self, authorizer: Document) -> Object:
        header = (authorizer.get("identitySource") or "").removeprefix("method.request.header.")
        name = header if authorizer["type"] == "TOKEN" else "Unused"
        said: Object = {"type": "apiKey", "name": name, "in": "header", "x-amazon-apigateway-authtype": "custom"}
        if "authorizers" in self._extensions:
            left_out = ("id", "name", "authType")
            own = {key: value for key, value in authorizer.items() if key not in left_out}
            said["x-amazon-apigateway-authorizer"] = {**own, "type": authorizer["type"].lower()}
        return said


def _integration(integration: Document) -> Object:
    left_out = ("integrationResponses", "cacheNamespace", "cacheKeyParameters", "type", "passthroughBehavior")
    said = {name: value for name, value in integration.items() if name not in left_out}
    said["type"] = integration["type"].lower()
    said["passthroughBehavior"] = integration["passthroughBehavior"].lower()
    responses = {}
    for response in (integration.get("integrationResponses") or {}).values():
        shown = {name: value for name, value in response.items() if name != "selectionPattern"}
        responses[response.get("selectionPattern") or "default"] = shown
    return {**said, **({"responses": responses} if responses else {})}
