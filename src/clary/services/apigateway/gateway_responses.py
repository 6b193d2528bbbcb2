"""Gateway responses: what is answered where no integration answers
(https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html)."""

from __future__ import annotations

from typing import Any

from clary.apis.gateway_responses import DEFAULT_STATUSES, DEFAULT_TEMPLATES
from clary.services.apigateway.documents import Document, change, listing, read
from clary.services.apigateway.errors import not_found
from clary.services.apigateway.integrations import check_templates
from clary.services.apigateway.methods import check_status
from clary.services.apigateway.patching import output_shape, patch
from clary.services.apigateway.service import SERVICE
from clary.services.context import Context

_MEMBERS = ("statusCode", "responseParameters", "responseTemplates")


def _default(name: str) -> Document:
    status = DEFAULT_STATUSES[name]
    shown = {"responseType": name, "responseParameters": {}, "responseTemplates": dict(DEFAULT_TEMPLATES)}
    return {**shown, **({"statusCode": str(status)} if status else {}), "defaultResponse": True}


def _found(document: Document, name: str) -> Document:
    found: Document | None = document["responses"].get(name)
    return found if found is not None else _default(name)


def made(name: str, params: Document) -> Document:
    """A response as a request wants it. Raises BadRequestException."""
    asked = {member: params[member] for member in _MEMBERS if params.get(member) is not None}
    response = {"responseType": name, **_default(name), **asked, "defaultResponse": False}
    if not params.get("responseTemplates"):
        response["responseTemplates"] = dict(DEFAULT_TEMPLATES)
    check(response)
    return response


def check(response: Document) -> None:
    """Raises BadRequestException."""
    if "statusCode" in response:
        check_status(response["statusCode"])
    check_templates(response.get("responseTemplates") or {})


@SERVICE.operation("PutGatewayResponse")
def put_gateway_response(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    response = made(params["responseType"], params)

    def edit(document: Document) -> Document:
        document["responses"][params["responseType"]] = response
        return response

    return change(context, params["restApiId"], edit)


@SERVICE.operation("GetGatewayResponse")
def get_gateway_response(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return _found(read(context, params["restApiId"]), params["responseType"])


@SERVICE.operation("GetGatewayResponses")
def get_gateway_responses(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    document = read(context, params["restApiId"])
    return listing([_found(document, name) for name in DEFAULT_STATUSES], params)


@SERVICE.operation("UpdateGatewayResponse")
def update_gateway_response(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def edit(document: Document) -> Document:
        found = {**_found(document, params["responseType"]), "defaultResponse": False}
        patch(found, params.get("patchOperations") or (), output_shape("apigateway", "GetGatewayResponse"), _MEMBERS)
        check(found)
        document["responses"][params["responseType"]] = found
        return found

    return change(context, params["restApiId"], edit)


@SERVICE.operation("DeleteGatewayResponse")
def delete_gateway_response(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def edit(document: Document) -> None:
        if document["responses"].pop(params["responseType"], None) is None:
            raise not_found("Gateway response type not defined on api")

    change(context, params["restApiId"], edit)
    return {}
