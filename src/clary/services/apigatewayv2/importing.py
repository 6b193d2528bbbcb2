"""ImportApi and ReimportApi: an HTTP API from its OpenAPI 3 definition
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html)."""

from __future__ import annotations

from typing import Any

from clary.apis import targets
from clary.errors import ValidationError
from clary.services.apigateway.documents import Document
from clary.services.apigateway.errors import bad_request, not_offered
from clary.services.apigateway.openapi import Definition, Object, member, members
from clary.services.apigatewayv2.apis import DEFINED, api_shown, check, insert, new_document
from clary.services.apigatewayv2.authorizers import new_authorizer
from clary.services.apigatewayv2.documents import change
from clary.services.apigatewayv2.integrations import new_integration
from clary.services.apigatewayv2.routes import new_route
from clary.services.apigatewayv2.service import SERVICE
from clary.services.context import Context
from clary.wire import json_values, models
from clary.wire.validation import validate
from clary.wire.values import Mismatch

_INTEGRATION = {
    "type": "integrationType",
    "uri": "integrationUri",
    "httpMethod": "integrationMethod",
    "credentials": "credentialsArn",
}
_AUTHORIZER = {"type": "authorizerType", "authorizerCredentials": "authorizerCredentialsArn"}
"""Where a definition calls something otherwise than CreateIntegration and CreateAuthorizer do."""
_DEFAULT_ROUTE = "/$default"


@SERVICE.operation("ImportApi")
def import_api(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """The API has no stage yet: CreateStage, with `AutoDeploy`, makes it answer."""
    definition = _read(params)
    document = new_document(context, {"Name": "Imported"})
    _Import(document, definition).run()
    return insert(context, document, _tags(definition))


@SERVICE.operation("ReimportApi")
def reimport_api(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Nothing of what was there is left, but the API itself and its stages."""
    definition = _read(params)

    def edit(document: Document) -> Document:
        document |= {"routes": {}, "integrations": {}, "authorizers": {}}
        document["api"] = {name: value for name, value in document["api"].items() if name not in DEFINED}
        _Import(document, definition).run()
        api: Document = document["api"]
        return api

    return api_shown(context, change(context, params["ApiId"], edit))


def _read(params: Document) -> Definition:
    if (params.get("Basepath") or "ignore") != "ignore":
        raise not_offered("A base path becomes a part of the paths.")
    definition = Definition(params["Body"].encode())
    if definition.is_swagger:
        raise bad_request("Invalid OpenAPI input: an HTTP API is defined by OpenAPI 3.")
    return definition


def _tags(definition: Definition) -> dict[str, str]:
    """Tags of OpenAPI that have a value are tags of the API."""
    value = "x-amazon-apigateway-tag-value"
    said = [each for each in members(definition.root, "tags") if value in each]
    return {str(each.get("name")): str(each[value]) for each in said}


class _Import:
    """One definition on its way into a document; raises BadRequestException, ConflictException."""

    def __init__(self, document: Document, definition: Definition) -> None:
        self._document = document
        self._definition = definition
        self._authorizers: dict[str, str] = {}

    def run(self) -> None:
        """The whole."""
        self._api()
        for name, scheme in self._definition.security.items():
            self._authorizer(name, self._definition.resolved(scheme))
        for path, method, operation in self._definition.methods():
            self._route(path, method, operation)

    def _api(self) -> None:
        root, info = self._definition.root, member(self._definition.root, "info")
        said = {
            "name": info.get("title", "Imported"),
            "description": info.get("description"),
            "version": info.get("version"),
            "corsConfiguration": root.get("x-amazon-apigateway-cors"),
            "disableExecuteApiEndpoint": self._closed(),
            "protocolType": "HTTP",
        }
        found = _parameters("CreateApi", said)
        api = self._document["api"]
        api |= {name: found[name] for name in DEFINED if found.get(name) is not None}
        check(api)

    def _closed(self) -> bool:
        servers = members(self._definition.root, "servers")
        said = (member(each, "x-amazon-apigateway-endpoint-configuration") for each in servers)
        return any(each.get("disableExecuteApiEndpoint") is True for each in said)

    def _authorizer(self, name: str, scheme: Object) -> None:
        said = member(scheme, "x-amazon-apigateway-authorizer")
        if not said:
            return
        sources = said.get("identitySource") or []
        wanted = {
            **_renamed(said, _AUTHORIZER),
            "apiId": self._document["api"]["ApiId"],
            "name": name,
            "identitySource": sources.split(",") if isinstance(sources, str) else sources,
            "authorizerType": str(said.get("type", "request")).upper(),
        }
        found = _parameters("CreateAuthorizer", wanted)
        self._authorizers[name] = new_authorizer(self._document, found)["AuthorizerId"]

    def _route(self, path: str, method: str, operation: Object) -> None:
        route = {
            "apiId": self._document["api"]["ApiId"],
            "routeKey": "$default" if path == _DEFAULT_ROUTE else f"{method} {path}",
            "operationName": operation.get("operationId"),
            **self._authorization(operation),
        }
        said = operation.get("x-amazon-apigateway-integration")
        if said:
            route["target"] = f"integrations/{self._integration(self._definition.resolved(said))}"
        new_route(self._document, _parameters("CreateRoute", route))

    def _integration(self, said: Object) -> str:
        wanted = {
            **_renamed(said, _INTEGRATION),
            "apiId": self._document["api"]["ApiId"],
            "integrationType": str(said.get("type", "")).upper(),
            "integrationUri": _function(str(said.get("uri", ""))),
        }
        made = new_integration(self._document, _parameters("CreateIntegration", wanted))
        return str(made["IntegrationId"])

    def _authorization(self, operation: Object) -> Document:
        if str(member(operation, "x-amazon-apigateway-auth").get("type", "")).upper() == "AWS_IAM":
            return {"authorizationType": "AWS_IAM"}
        wanted = members(operation if "security" in operation else self._definition.root, "security")
        for name in (name for each in wanted for name in each):
            if name not in self._authorizers:
                raise bad_request(f"Invalid OpenAPI input: the security scheme {name} is none that is offered.")
            return {"authorizationType": "CUSTOM", "authorizerId": self._authorizers[name]}
        return {}


def _function(uri: str) -> str:
    """Definitions of REST APIs name functions by the address of their invocation."""
    return targets.parse(uri).function if targets.is_function(uri) else uri


def _renamed(said: Object, names: dict[str, str]) -> Object:
    return {names.get(name, name): value for name, value in said.items()}


def _parameters(operation: str, said: Object) -> Document:
    """An operation's parameters from what JSON calls them; what it does not know is left out.

    Raises BadRequestException.
    """
    shape = models.operation("apigatewayv2", operation).input_shape
    try:
        found: Document = json_values.read(shape, said)
        validate(shape, found)
    except (Mismatch, ValidationError) as error:
        raise bad_request(f"Invalid OpenAPI input: {error}") from error
    return found
