"""Methods and their responses (https://docs.aws.amazon.com/apigateway/latest/api/API_Method.html)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from clary.services.apigateway.documents import Document, change, read
from clary.services.apigateway.errors import bad_request, conflict, not_found
from clary.services.apigateway.patching import output_shape, patch
from clary.services.apigateway.resources import resource
from clary.services.apigateway.service import SERVICE
from clary.services.context import Context

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "ANY")
_REQUEST_PARAMETER = re.compile(r"method\.request\.(path|querystring|header)\.[a-zA-Z0-9._$\[\]-]+")
_RESPONSE_PARAMETER = re.compile(r"method\.response\.header\.[a-zA-Z0-9._$-]+")
_STATUS = re.compile(r"[1-5]\d\d")
_AUTHORIZATION = ("NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS")

_CHANGEABLE = (
    "authorizationType",
    "authorizerId",
    "apiKeyRequired",
    "requestValidatorId",
    "operationName",
    "requestParameters",
    "requestModels",
    "authorizationScopes",
)


def method(document: Mapping[str, Any], params: Mapping[str, Any]) -> Document:
    """The method that a request names. Raises NotFoundException."""
    found: Document | None = resource(document, params["resourceId"])["resourceMethods"].get(params["httpMethod"])
    if found is None:
        raise not_found("Method identifier")
    return found


def check_method(document: Document, found: Document) -> None:
    """Raises BadRequestException."""
    if found["authorizationType"] not in _AUTHORIZATION:
        raise bad_request(f"Invalid authorization type specified. Valid values are {list(_AUTHORIZATION)}")
    _check_authorizer(document, found)
    for name in found.get("requestParameters") or {}:
        if not _REQUEST_PARAMETER.fullmatch(name):
            raise bad_request(
                f"Invalid mapping expression specified: Validation Result: warnings : [], errors : "
                f"[Invalid mapping expression specified: {name}]"
            )
    for model in (found.get("requestModels") or {}).values():
        check_model_name(document, model)
    validator = found.get("requestValidatorId")
    if validator and validator not in document["validators"]:
        raise bad_request("Invalid Request Validator identifier specified")


def _check_authorizer(document: Document, found: Document) -> None:
    kinds = {"CUSTOM": ("TOKEN", "REQUEST"), "COGNITO_USER_POOLS": ("COGNITO_USER_POOLS",)}
    wanted = kinds.get(found["authorizationType"])
    if wanted is None:
        return
    authorizer = document["authorizers"].get(found.get("authorizerId"))
    if authorizer is None or authorizer["type"] not in wanted:
        raise bad_request(
            "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires "
            "a valid authorizer."
        )


def check_model_name(document: Document, name: str) -> None:
    """Raises BadRequestException."""
    if name not in document["models"]:
        raise bad_request(f"Invalid model identifier specified: {name}")


@SERVICE.operation("PutMethod")
def put_method(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    name = params["httpMethod"]
    if name not in METHODS:
        raise bad_request(f"Invalid HttpMethod specified. Valid options are {','.join(METHODS)}")

    def edit(document: Document) -> Document:
        methods = resource(document, params["resourceId"])["resourceMethods"]
        if name in methods:
            raise conflict("Method already exists for this resource")
        made = {"httpMethod": name, "apiKeyRequired": bool(params.get("apiKeyRequired"))}
        made |= {member: params[member] for member in _CHANGEABLE if params.get(member) is not None}
        check_method(document, made)
        methods[name] = made
        return made

    return change(context, params["restApiId"], edit)


@SERVICE.operation("GetMethod")
def get_method(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return method(read(context, params["restApiId"]), params)


@SERVICE.operation("UpdateMethod")
def update_method(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def edit(document: Document) -> Document:
        found = method(document, params)
        patch(found, params.get("patchOperations") or (), output_shape("apigateway", "GetMethod"), _CHANGEABLE)
        check_method(document, found)
        return found

    return change(context, params["restApiId"], edit)


@SERVICE.operation("DeleteMethod")
def delete_method(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def edit(document: Document) -> None:
        method(document, params)
        del resource(document, params["resourceId"])["resourceMethods"][params["httpMethod"]]

    change(context, params["restApiId"], edit)
    return {}


def response_of(found: Document, status: str) -> Document:
    """A method's response. Raises NotFoundException."""
    response: Document | None = found.get("methodResponses", {}).get(status)
    if response is None:
        raise not_found("Response status code")
    return response


def check_status(status: str) -> None:
    """Raises BadRequestException."""
    if not _STATUS.fullmatch(status):
        raise bad_request(f"Invalid status code '{status}' specified: must match pattern '[1-5]\\d\\d'")


def check_response(document: Document, response: Document) -> None:
    """Raises BadRequestException."""
    for name in response.get("responseParameters") or {}:
        if not _RESPONSE_PARAMETER.fullmatch(name):
            raise bad_request(f"Invalid mapping expression parameter specified: {name}")
    for model in (response.get("responseModels") or {}).values():
        check_model_name(document, model)


@SERVICE.operation("PutMethodResponse")
def put_method_response(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    check_status(params["statusCode"])

    def edit(document: Document) -> Document:
        responses = method(document, params).setdefault("methodResponses", {})
        if params["statusCode"] in responses:
            raise conflict("Response already exists for this resource")
        members = ("statusCode", "responseParameters", "responseModels")
        made = {member: params[member] for member in members if params.get(member) is not None}
        check_response(document, made)
        responses[params["statusCode"]] = made
        return made

    return change(context, params["restApiId"], edit)


@SERVICE.operation("GetMethodResponse")
def get_method_response(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return response_of(method(read(context, params["restApiId"]), params), params["statusCode"])


@SERVICE.operation("UpdateMethodResponse")
def update_method_response(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def edit(document: Document) -> Document:
        found = response_of(method(document, params), params["statusCode"])
        shape = output_shape("apigateway", "GetMethodResponse")
        patch(found, params.get("patchOperations") or (), shape, ("responseParameters", "responseModels"))
        check_response(document, found)
        return found

    return change(context, params["restApiId"], edit)


@SERVICE.operation("DeleteMethodResponse")
def delete_method_response(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def edit(document: Document) -> None:
        found = method(document, params)
        response_of(found, params["statusCode"])
        del found["methodResponses"][params["statusCode"]]

    change(context, params["restApiId"], edit)
    return {}
