"""Authorizers of HTTP APIs: Lambda functions."""

from __future__ import annotations

from clary.apis import targets
from clary.services.apigateway.documents import Document, new_id
from clary.services.apigateway.errors import bad_request, conflict, not_offered
from clary.services.apigatewayv2.parts import Part, asked, offer

_MEMBERS = (
    "Name",
    "AuthorizerType",
    "AuthorizerUri",
    "AuthorizerPayloadFormatVersion",
    "AuthorizerResultTtlInSeconds",
    "EnableSimpleResponses",
    "IdentitySource",
)


def _check(found: Document) -> None:
    if found["AuthorizerType"] != "REQUEST":
        raise not_offered("An authorizer of type JWT fetches the keys of an issuer.")
    if not targets.is_function(found.get("AuthorizerUri") or ""):
        raise bad_request("Invalid Authorizer URI: it must name a Lambda function to be invoked")
    if found.get("AuthorizerPayloadFormatVersion") not in ("1.0", "2.0"):
        raise bad_request("AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer")
    if found["EnableSimpleResponses"] and found["AuthorizerPayloadFormatVersion"] != "2.0":
        raise bad_request("EnableSimpleResponses is only supported for payload format version 2.0")
    if not 0 <= found["AuthorizerResultTtlInSeconds"] <= 3600:
        raise bad_request("AuthorizerResultTtlInSeconds is between 0 and 3600")


def _check_offered(params: Document) -> None:
    if params.get("AuthorizerCredentialsArn"):
        raise not_offered("AuthorizerCredentialsArn of an HTTP API's authorizer was given.")


def new_authorizer(document: Document, params: Document) -> Document:
    """Raises BadRequestException."""
    _check_offered(params)
    defaults = {"EnableSimpleResponses": False, "AuthorizerResultTtlInSeconds": 0}
    made = {"AuthorizerId": new_id(6), **defaults, **asked(params, _MEMBERS)}
    _check(made)
    document["authorizers"][made["AuthorizerId"]] = made
    return made


def _update(_document: Document, found: Document, params: Document) -> None:
    _check_offered(params)
    found |= asked(params, _MEMBERS)
    _check(found)


def _check_unused(document: Document, key: str) -> None:
    if any(route.get("AuthorizerId") == key for route in document["routes"].values()):
        raise conflict("Cannot delete Authorizer. It is being used by a Route.")


offer(Part("Authorizer", "authorizers", "AuthorizerId", new_authorizer, _update, _check_unused))
