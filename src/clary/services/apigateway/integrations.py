"""Integrations and their responses (https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from clary.apis import targets
from clary.services.apigateway.documents import Document, change, read
from clary.services.apigateway.errors import bad_request, not_found, not_offered
from clary.services.apigateway.methods import check_status, method
from clary.services.apigateway.patching import output_shape, patch
from clary.services.apigateway.service import SERVICE
from clary.services.context import Context
from clary.services.iam.roles import check_pass_role
from clary.velocity import TemplateError, parse
from clary.velocity.patterns import compiled

MOST_MILLISECONDS = 29_000
_LEAST_MILLISECONDS = 50
_TYPES = ("HTTP", "AWS", "MOCK", "HTTP_PROXY", "AWS_PROXY")
_PASSTHROUGH = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
_MOST_TEMPLATE = 300 * 1024
_ANY_CALLER = re.compile(r"arn:aws:iam::\*:user/\*")

_CHANGEABLE = (
    "httpMethod",
    "uri",
    "connectionType",
    "credentials",
    "requestParameters",
    "requestTemplates",
    "passthroughBehavior",
    "cacheNamespace",
    "cacheKeyParameters",
    "contentHandling",
    "timeoutInMillis",
    "tlsConfig",
)
_RESPONSE = ("selectionPattern", "responseParameters", "responseTemplates", "contentHandling")
_REQUEST_PARAMETER = re.compile(r"integration\.request\.(path|querystring|header)\.[a-zA-Z0-9._$-]+")
_SOURCE = re.compile(
    r"'.*'|method\.request\.(path|querystring|header|multivaluequerystring|multivalueheader)\..+"
    r"|method\.request\.body(\..+)?|context\..+|stageVariables\..+",
    re.DOTALL,
)


def integration_of(found: Document) -> Document:
    """A method's integration. Raises NotFoundException."""
    integration: Document | None = found.get("methodIntegration")
    if integration is None:
        raise not_found("Integration identifier")
    return integration


def made(params: Mapping[str, Any]) -> Document:
    """A new integration as a request wants it, with AWS's defaults."""
    asked = {member: params[member] for member in _CHANGEABLE[1:] if params.get(member) is not None}
    integration = {
        "type": params["type"],
        "passthroughBehavior": "WHEN_NO_MATCH",
        "timeoutInMillis": MOST_MILLISECONDS,
        "cacheNamespace": params.get("resourceId", ""),
        "cacheKeyParameters": [],
        **asked,
    }
    if params.get("integrationHttpMethod"):
        integration["httpMethod"] = params["integrationHttpMethod"]
    return integration


def check(integration: Mapping[str, Any]) -> None:
    """Raises BadRequestException."""
    kind = integration["type"]
    if kind not in _TYPES:
        raise bad_request("Integration type should be one of: [HTTP, AWS, MOCK, HTTP_PROXY, AWS_PROXY]")
    if kind != "MOCK" and not integration.get("httpMethod"):
        raise bad_request("Enumeration value for HttpMethod must be non-empty")
    if integration["passthroughBehavior"] not in _PASSTHROUGH:
        raise bad_request(f"Invalid passthrough behavior. Valid values are {list(_PASSTHROUGH)}")
    if not _LEAST_MILLISECONDS <= integration["timeoutInMillis"] <= MOST_MILLISECONDS:
        raise bad_request("Timeout should be between 50 ms and 29000 ms")
    if integration.get("connectionType") == "VPC_LINK":
        raise not_offered("VPC links lead into a VPC.")
    _check_target(integration)
    _check_parameters(integration.get("requestParameters") or {})
    check_templates(integration.get("requestTemplates") or {})


def _check_target(integration: Mapping[str, Any]) -> None:
    kind, uri = integration["type"], integration.get("uri") or ""
    if kind in ("HTTP", "HTTP_PROXY") and not targets.is_http(uri):
        raise bad_request("Invalid HTTP endpoint specified for URI")
    if kind not in ("AWS", "AWS_PROXY"):
        return
    try:
        target = targets.parse(uri)
    except ValueError as error:
        raise bad_request(str(error)) from None
    if kind == "AWS_PROXY" and target.service != "lambda":
        raise bad_request(
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations."
        )
    if target.service != "lambda" and not integration.get("credentials"):
        raise bad_request("Role ARN must be specified for AWS integrations")


def _check_parameters(parameters: Mapping[str, str]) -> None:
    for name, source in parameters.items():
        if not _REQUEST_PARAMETER.fullmatch(name) or not _SOURCE.fullmatch(source):
            raise bad_request(
                f"Invalid mapping expression specified: Validation Result: warnings : [], errors : "
                f"[Invalid mapping expression specified: {source if _REQUEST_PARAMETER.fullmatch(name) else name}]"
            )


def check_templates(templates: Mapping[str, str]) -> None:
    """That they can be read. Raises BadRequestException."""
    for content_type, text in templates.items():
        if len(text) > _MOST_TEMPLATE:
            raise bad_request(f"The mapping template for {content_type} is larger than 300 KB")
        try:
            parse(text or "")
        except TemplateError as error:
            raise bad_request(f"Invalid mapping template specified for {content_type}: {error}") from None


def check_credentials(context: Context, integration: Mapping[str, Any]) -> None:
    """The caller may pass the role, and it trusts API Gateway. Raises AccessDenied, ValidationError."""
    role = integration.get("credentials")
    if role and not _ANY_CALLER.fullmatch(role) and context.settings.auth != "off":
        check_pass_role(context.store.read, context.call, role, "apigateway.amazonaws.com")


@SERVICE.operation("PutIntegration")
def put_integration(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    integration = made(params)
    check(integration)
    check_credentials(context, integration)

    def edit(document: Document) -> Document:
        found = method(document, params)
        before = found.get("methodIntegration", {})
        if "integrationResponses" in before:
            integration["integrationResponses"] = before["integrationResponses"]
        found["methodIntegration"] = integration
        return integration

    return change(context, params["restApiId"], edit)


@SERVICE.operation("GetIntegration")
def get_integration(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return integration_of(method(read(context, params["restApiId"]), params))


@SERVICE.operation("UpdateIntegration")
def update_integration(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def edit(document: Document) -> Document:
        found = integration_of(method(document, params))
        patch(found, params.get("patchOperations") or (), output_shape("apigateway", "GetIntegration"), _CHANGEABLE)
        check(found)
        return found

    before = integration_of(method(read(context, params["restApiId"]), params))
    check_credentials(context, before)  # whoever changes an integration has its role do something else
    for operation in params.get("patchOperations") or ():
        if operation.get("path") == "/credentials":
            check_credentials(context, {"credentials": operation.get("value")})
    return change(context, params["restApiId"], edit)


@SERVICE.operation("DeleteIntegration")
def delete_integration(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def edit(document: Document) -> None:
        found = method(document, params)
        integration_of(found)
        del found["methodIntegration"]

    change(context, params["restApiId"], edit)
    return {}


def response_of(found: Document, status: str) -> Document:
    """An integration's response. Raises NotFoundException."""
    response: Document | None = integration_of(found).get("integrationResponses", {}).get(status)
    if response is None:
        raise not_found("Response status code")
    return response


def check_response(response: Mapping[str, Any]) -> None:
    """Raises BadRequestException."""
    check_templates(response.get("responseTemplates") or {})
    for name in response.get("responseParameters") or {}:
        if not name.startswith("method.response.header."):
            raise bad_request(f"Invalid mapping expression specified: {name}")
    try:
        compiled(response.get("selectionPattern") or "x")
    except TemplateError as error:
        raise bad_request(f"Invalid selection pattern specified: {error}") from None


@SERVICE.operation("PutIntegrationResponse")
def put_integration_response(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    check_status(params["statusCode"])
    response = {"statusCode": params["statusCode"]}
    response |= {member: params[member] for member in _RESPONSE if params.get(member) is not None}
    check_response(response)

    def edit(document: Document) -> Document:
        found = method(document, params)
        integration_of(found).setdefault("integrationResponses", {})[params["statusCode"]] = response
        return response

    return change(context, params["restApiId"], edit)


@SERVICE.operation("GetIntegrationResponse")
def get_integration_response(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return response_of(method(read(context, params["restApiId"]), params), params["statusCode"])


@SERVICE.operation("UpdateIntegrationResponse")
def update_integration_response(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def edit(document: Document) -> Document:
        found = response_of(method(document, params), params["statusCode"])
        shape = output_shape("apigateway", "GetIntegrationResponse")
        patch(found, params.get("patchOperations") or (), shape, _RESPONSE)
        check_response(found)
        return found

    return change(context, params["restApiId"], edit)


@SERVICE.operation("DeleteIntegrationResponse")
def delete_integration_response(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def edit(document: Document) -> None:
        found = method(document, params)
        response_of(found, params["statusCode"])
        del found["methodIntegration"]["integrationResponses"][params["statusCode"]]

    change(context, params["restApiId"], edit)
    return {}
