"""ImportRestApi and PutRestApi: an API from its OpenAPI definition."""

from __future__ import annotations

import copy
import json
from typing import Any

from clary.apis.gateway_responses import DEFAULT_STATUSES
from clary.services.apigateway import authorizers, gateway_responses, integrations, models, validators
from clary.services.apigateway.documents import Document, change, new_id, read
from clary.services.apigateway.errors import bad_request, conflict
from clary.services.apigateway.methods import check_method, check_response
from clary.services.apigateway.openapi import Definition, Object, member, model_reference, rewritten
from clary.services.apigateway.resources import add
from clary.services.apigateway.rest_apis import api_shown, checked, insert, new_document
from clary.services.apigateway.service import SERVICE
from clary.services.context import Context

_PLACES = {"path": "path", "query": "querystring", "header": "header"}
_INTEGRATION = (
    "uri",
    "credentials",
    "requestParameters",
    "requestTemplates",
    "passthroughBehavior",
    "contentHandling",
    "timeoutInMillis",
    "connectionType",
)
_RESPONSE = ("responseParameters", "responseTemplates", "contentHandling")


@SERVICE.operation("ImportRestApi")
def import_rest_api(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    definition = Definition(params["body"])
    document = new_document(_title(definition), {})
    _Import(context, document, definition).run()
    return insert(context, document, {})


@SERVICE.operation("PutRestApi")
def put_rest_api(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """`overwrite` leaves nothing of what was there but the API itself and its stages; `merge` adds and replaces."""
    definition, before = Definition(params["body"]), read(context, params["restApiId"])
    document = copy.deepcopy(before)
    if params.get("mode") == "overwrite":
        fresh = new_document(_title(definition), {})
        kept = {"id": document["api"]["id"], "createdDate": document["api"]["createdDate"]}
        document |= {**fresh, "api": {**fresh["api"], **kept}}
        document["stages"] = before["stages"]
    _Import(context, document, definition).run()

    def edit(current: Document) -> Document:
        if current != before:
            raise conflict("Unable to complete operation due to concurrent modification. Please try again later.")
        current |= document
        api: Document = current["api"]
        return api

    return api_shown(context, change(context, params["restApiId"], edit, live=True))


def _title(definition: Definition) -> str:
    return str(member(definition.root, "info").get("title") or "Imported")


class _Import:
    """One definition on its way into a document."""

    def __init__(self, context: Context, document: Document, definition: Definition) -> None:
        self._context = context
        self._document = document
        self._definition = definition
        self._validators: dict[str, str] = {}
        self._authorizers: dict[str, str] = {}

    def run(self) -> None:
        """Raises BadRequestException, AccessDenied for a role that may not be passed."""
        self._settings()
        self._models()
        self._add_validators()
        self._add_authorizers()
        self._gateway_responses()
        for path, name, operation in self._definition.methods():
            self._method(path, name, operation)

    def _settings(self) -> None:
        root, info = self._definition.root, member(self._definition.root, "info")
        said = {
            "version": info.get("version"),
            "description": info.get("description"),
            "binaryMediaTypes": root.get("x-amazon-apigateway-binary-media-types"),
            "apiKeySource": root.get("x-amazon-apigateway-api-key-source"),
            "minimumCompressionSize": root.get("x-amazon-apigateway-minimum-compression-size"),
        }
        api = self._document["api"]
        api |= {name: value for name, value in said.items() if value is not None}
        if root.get("x-amazon-apigateway-policy"):
            api["policy"] = json.dumps(root["x-amazon-apigateway-policy"])
        checked(api)

    def _models(self) -> None:
        for name, schema in self._definition.schemas.items():
            self._document["models"].pop(name, None)
            text = json.dumps(rewritten(schema, self._as_model))
            models.add(self._document, {"name": name, "schema": text, "contentType": "application/json"})

    def _as_model(self, reference: str) -> str:
        return model_reference(self._document["api"]["id"], reference.rpartition("/")[2])

    def _add_validators(self) -> None:
        for name, said in member(self._definition.root, "x-amazon-apigateway-request-validators").items():
            self._validators[name] = validators.add(self._document, {"name": name, **said})["id"]

    def _add_authorizers(self) -> None:
        for name, scheme in self._definition.security.items():
            said = member(scheme, "x-amazon-apigateway-authorizer")
            if not said:
                continue
            kind = str(said.get("type", "token")).upper()
            source = said.get("identitySource") or (f"method.request.header.{scheme.get('name', 'Authorization')}")
            integrations.check_credentials(self._context, {"credentials": said.get("authorizerCredentials")})
            wanted = {**said, "name": name, "type": kind, "identitySource": source}
            kept = [each for each in self._document["authorizers"].values() if each["name"] == name]
            for each in kept:
                del self._document["authorizers"][each["id"]]
            self._authorizers[name] = authorizers.add(self._document, wanted)["id"]

    def _gateway_responses(self) -> None:
        for name, said in member(self._definition.root, "x-amazon-apigateway-gateway-responses").items():
            if name not in DEFAULT_STATUSES:
                raise bad_request(f"Invalid OpenAPI input: there is no gateway response {name}.")
            status = {"statusCode": str(said["statusCode"])} if said.get("statusCode") else {}
            self._document["responses"][name] = gateway_responses.made(name, {**said, **status})

    def _method(self, path: str, name: str, operation: Object) -> None:
        resource = self._resource(path)
        method = {"httpMethod": name, "authorizationType": "NONE", "apiKeyRequired": False}
        method |= self._authorization(operation)
        method |= self._requests(operation)
        check_method(self._document, method)
        method["methodResponses"] = self._responses(operation)
        said = member(operation, "x-amazon-apigateway-integration")
        if said:
            method["methodIntegration"] = self._integration(said, resource["id"])
        resource["resourceMethods"][name] = method

    def _resource(self, path: str) -> Document:
        """The resource of a path, made with those above it."""
        resources = self._document["resources"]
        found = resources[self._document["api"]["rootResourceId"]]
        for part in path.strip("/").split("/") if path.strip("/") else ():
            below = [e for e in resources.values() if (e.get("parentId"), e.get("pathPart")) == (found["id"], part)]
            found = below[0] if below else add(self._document, found, part)
        made: Document = found
        return made

    def _authorization(self, operation: Object) -> Document:
        wanted = operation.get("security", self._definition.root.get("security")) or []
        found: Document = {}
        for name in (name for each in wanted for name in each):
            scheme = self._definition.security.get(name) or {}
            if name in self._authorizers:
                found |= {"authorizationType": "CUSTOM", "authorizerId": self._authorizers[name]}
            elif scheme.get("x-amazon-apigateway-authtype") == "awsSigv4":
                found |= {"authorizationType": "AWS_IAM"}
            elif scheme.get("type") == "apiKey" and str(scheme.get("name", "")).lower() == "x-api-key":
                found |= {"apiKeyRequired": True}
            else:
                raise bad_request(f"Invalid OpenAPI input: the security scheme {name} is none that is offered.")
        return found

    def _requests(self, operation: Object) -> Document:
        parameters = {
            f"method.request.{_PLACES[each['in']]}.{each['name']}": bool(each.get("required"))
            for each in operation["parameters"]
            if each.get("in") in _PLACES
        }
        found: Document = {"requestParameters": parameters} if parameters else {}
        bodies = self._bodies(operation)
        if bodies:
            found["requestModels"] = bodies
        default = self._definition.root.get("x-amazon-apigateway-request-validator")
        name = operation.get("x-amazon-apigateway-request-validator", default)
        if name:
            if name not in self._validators:
                raise bad_request(f"Invalid OpenAPI input: there is no request validator {name}.")
            found["requestValidatorId"] = self._validators[name]
        if operation.get("operationId"):
            found["operationName"] = operation["operationId"]
        return found

    def _bodies(self, operation: Object) -> dict[str, str]:
        """Models of the body, by media type."""
        schemas: dict[str, Any] = {}
        if self._definition.is_swagger:
            body = next((each.get("schema") for each in operation["parameters"] if each.get("in") == "body"), None)
            kinds = operation.get("consumes") or self._definition.root.get("consumes") or ["application/json"]
            schemas = dict.fromkeys(kinds, body)
        elif operation.get("requestBody"):
            content = member(self._definition.resolved(operation["requestBody"]), "content")
            schemas = {kind: said.get("schema") for kind, said in content.items()}
        return {kind: self._model_of(schema) for kind, schema in schemas.items() if schema}

    def _model_of(self, schema: Object) -> str:
        """The name of the model that a schema refers to; a new one for a schema that stands by itself."""
        if "$ref" in schema:
            return str(schema["$ref"]).rpartition("/")[2]
        name = f"MODEL{new_id(6)}"
        text = json.dumps(rewritten(schema, self._as_model))
        return str(
            models.add(self._document, {"name": name, "schema": text, "contentType": "application/json"})["name"]
        )

    def _responses(self, operation: Object) -> Document:
        found: Document = {}
        for status, said in member(operation, "responses").items():
            if not str(status).isdecimal():
                continue
            response = self._definition.resolved(said)
            made: Document = {"statusCode": str(status)}
            headers = {f"method.response.header.{name}": False for name in member(response, "headers")}
            schemas = self._response_schemas(response)
            made |= {"responseParameters": headers} if headers else {}
            made |= {"responseModels": schemas} if schemas else {}
            check_response(self._document, made)
            found[str(status)] = made
        return found

    def _response_schemas(self, response: Object) -> dict[str, str]:
        if self._definition.is_swagger:
            return {"application/json": self._model_of(response["schema"])} if response.get("schema") else {}
        content = member(response, "content").items()
        return {kind: self._model_of(said["schema"]) for kind, said in content if said.get("schema")}

    def _integration(self, said: Object, resource: str) -> Document:
        wanted = {name: said[name] for name in _INTEGRATION if said.get(name) is not None}
        if "passthroughBehavior" in wanted:
            wanted["passthroughBehavior"] = str(wanted["passthroughBehavior"]).upper()
        method = {"integrationHttpMethod": str(said["httpMethod"]).upper()} if said.get("httpMethod") else {}
        made = integrations.made(
            {**wanted, **method, "type": str(said.get("type", "")).upper(), "resourceId": resource}
        )
        integrations.check(made)
        integrations.check_credentials(self._context, made)
        responses = {}
        for pattern, answer in member(said, "responses").items():
            response = {"statusCode": str(answer.get("statusCode", "200"))}
            response |= {} if pattern == "default" else {"selectionPattern": pattern}
            response |= {name: answer[name] for name in _RESPONSE if answer.get(name) is not None}
            integrations.check_response(response)
            responses[response["statusCode"]] = response
        return {**made, **({"integrationResponses": responses} if responses else {})}
