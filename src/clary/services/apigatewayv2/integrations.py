"""Integrations of HTTP APIs: a Lambda function or an HTTP address, the request handed on as it is."""

from __future__ import annotations

from clary.apis import targets
from clary.services.apigateway.documents import Document, new_id
from clary.services.apigateway.errors import bad_request, conflict, not_offered
from clary.services.apigatewayv2.parts import Part, asked, offer

MOST_MILLISECONDS = 30_000
_MEMBERS = (
    "IntegrationType",
    "IntegrationUri",
    "IntegrationMethod",
    "PayloadFormatVersion",
    "Description",
    "ConnectionType",
    "TimeoutInMillis",
)
_NOT_OFFERED = ("IntegrationSubtype", "CredentialsArn", "RequestParameters", "ResponseParameters", "TlsConfig")


def _check(integration: Document) -> None:
    kind, uri = integration["IntegrationType"], integration.get("IntegrationUri") or ""
    if kind not in ("AWS_PROXY", "HTTP_PROXY"):
        raise bad_request(f"IntegrationType {kind} is not supported for HTTP protocol Apis")
    if integration.get("ConnectionType") == "VPC_LINK":
        raise not_offered("VPC links lead into a VPC.")
    if kind == "AWS_PROXY" and not (":function:" in uri and uri.startswith("arn:")):
        raise bad_request("Invalid Integration URI: the ARN of a Lambda function is wanted")
    if kind == "HTTP_PROXY" and not (targets.is_http(uri) and integration.get("IntegrationMethod")):
        raise bad_request("HttpMethod and a valid HTTP(S) endpoint must be specified for an HTTP_PROXY integration")
    if integration["PayloadFormatVersion"] not in ("1.0", "2.0"):
        raise bad_request("PayloadFormatVersion is a required parameter for integration type AWS_PROXY")
    if not 50 <= integration["TimeoutInMillis"] <= MOST_MILLISECONDS:
        raise bad_request("Timeout should be between 50 ms and 30000 ms")


def _check_offered(params: Document) -> None:
    for member in _NOT_OFFERED:
        if params.get(member):
            raise not_offered(f"{member} of an HTTP API's integration was given.")


def new_integration(document: Document, params: Document) -> Document:
    """Raises BadRequestException."""
    _check_offered(params)
    made = {
        "IntegrationId": new_id(7),
        "ConnectionType": "INTERNET",
        "IntegrationMethod": "POST" if params["IntegrationType"] == "AWS_PROXY" else "",
        "PayloadFormatVersion": "1.0",
        "TimeoutInMillis": MOST_MILLISECONDS,
        **asked(params, _MEMBERS),
    }
    _check(made)
    document["integrations"][made["IntegrationId"]] = made
    return made


def _update(_document: Document, found: Document, params: Document) -> None:
    _check_offered(params)
    found |= asked(params, _MEMBERS)
    _check(found)


def _check_unused(document: Document, key: str) -> None:
    if any(route.get("Target") == f"integrations/{key}" for route in document["routes"].values()):
        raise conflict("Cannot delete Integration. It is being used by a Route.")


offer(Part("Integration", "integrations", "IntegrationId", new_integration, _update, _check_unused))
