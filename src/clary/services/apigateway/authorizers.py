"""Authorizers (https://docs.aws.amazon.com/apigateway/latest/api/API_Authorizer.html)."""

from __future__ import annotations

from typing import Any

from clary.apis import targets
from clary.services.apigateway.collections import Collection, offer
from clary.services.apigateway.documents import Document, change, new_id
from clary.services.apigateway.errors import bad_request, conflict, not_offered
from clary.services.apigateway.integrations import check_credentials
from clary.services.apigateway.service import SERVICE
from clary.services.context import Context
from clary.velocity import TemplateError
from clary.velocity.patterns import compiled

_MEMBERS = (
    "name",
    "type",
    "authType",
    "authorizerUri",
    "authorizerCredentials",
    "identitySource",
    "identityValidationExpression",
    "authorizerResultTtlInSeconds",
)
_CHANGEABLE = tuple(member for member in _MEMBERS if member != "authorizerCredentials")
"""Another role is another authorizer: it would have to be passed anew."""

_SECONDS = 300
_MOST_SECONDS = 3600
_SOURCES = ("method.request.header.", "method.request.querystring.", "stageVariables.", "context.")


def check(_document: Document, found: Document) -> None:
    """Raises BadRequestException."""
    if found["type"] == "COGNITO_USER_POOLS":
        raise not_offered("An authorizer of type COGNITO_USER_POOLS asks a user pool of Cognito.")
    if not targets.is_function(found.get("authorizerUri") or ""):
        raise bad_request("Invalid Authorizer URI: it must name a Lambda function to be invoked")
    if not 0 <= found["authorizerResultTtlInSeconds"] <= _MOST_SECONDS:
        raise bad_request("Invalid Authorizer result TTL: it is between 0 and 3600 seconds")
    _check_sources(found)
    try:
        compiled(found.get("identityValidationExpression") or "x")
    except TemplateError as error:
        raise bad_request(f"Invalid identity validation expression: {error}") from None


def _check_sources(found: Document) -> None:
    sources = [each.strip() for each in (found.get("identitySource") or "").split(",") if each.strip()]
    if any(not each.startswith(_SOURCES) for each in sources):
        raise bad_request(f"Invalid identity source specified: {found['identitySource']}")
    if found["type"] == "TOKEN" and (len(sources) != 1 or not sources[0].startswith(_SOURCES[0])):
        raise bad_request("An authorizer of type TOKEN has one header as its identity source")
    if found["type"] == "REQUEST" and not sources and found["authorizerResultTtlInSeconds"]:
        raise bad_request("Identity source is required for an authorizer of type REQUEST whose results are kept")


def _check_unused(document: Document, key: str) -> None:
    for resource in document["resources"].values():
        for method in resource["resourceMethods"].values():
            if method.get("authorizerId") == key:
                raise conflict(f"Cannot delete authorizer '{key}', is referenced in method: {resource['path']}")


AUTHORIZERS = Collection(
    noun="Authorizer",
    plural="Authorizers",
    place="authorizers",
    key_member="authorizerId",
    what="Authorizer identifier",
    changeable=_CHANGEABLE,
    check=check,
    check_unused=_check_unused,
)
offer(AUTHORIZERS)


def add(document: Document, params: Document) -> Document:
    """A new authorizer. Raises BadRequestException, ConflictException."""
    if any(each["name"] == params["name"] for each in document["authorizers"].values()):
        raise conflict(
            "Authorizer name must be unique. Authorizer " + params["name"] + " already exists in this RestApi."
        )
    made = {
        "id": new_id(6),
        "authType": "custom",
        "authorizerResultTtlInSeconds": _SECONDS,
        **{member: params[member] for member in _MEMBERS if params.get(member) is not None},
    }
    check(document, made)
    document["authorizers"][made["id"]] = made
    return made


@SERVICE.operation("CreateAuthorizer")
def create_authorizer(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    check_credentials(context, {"credentials": params.get("authorizerCredentials")})
    return change(context, params["restApiId"], lambda document: add(document, params))
