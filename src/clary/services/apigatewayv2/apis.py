"""HTTP APIs themselves (https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clary.services.apigateway.documents import Document, arn_of, key_of, new_id, new_row, today
from clary.services.apigateway.errors import bad_request, not_offered
from clary.services.apigateway.publication import HTTP_API, HTTP_DEPLOYMENT, publish
from clary.services.apigateway.rest_apis import own_rows
from clary.services.apigatewayv2.documents import change, listing, no_api, read, shown
from clary.services.apigatewayv2.integrations import new_integration
from clary.services.apigatewayv2.routes import new_route
from clary.services.apigatewayv2.service import SERVICE
from clary.services.apigatewayv2.stages import DEFAULT_STAGE, new_stage
from clary.services.context import Context

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_KEPT = ("Name", "Description", "Version", "CorsConfiguration", "DisableExecuteApiEndpoint", "RouteSelectionExpression")
DEFINED = ("Name", "Description", "Version", "CorsConfiguration", "DisableExecuteApiEndpoint")
"""What a definition says of the API itself."""
_SELECTION = "$request.method $request.path"


def check(api: Document) -> None:
    """Raises BadRequestException."""
    if not api.get("Name"):
        raise bad_request("Name is required")
    if api["RouteSelectionExpression"] != _SELECTION:
        raise bad_request(f"RouteSelectionExpression of an HTTP API is {_SELECTION}")
    cors = api.get("CorsConfiguration") or {}
    if cors.get("AllowCredentials") and "*" in (cors.get("AllowOrigins") or ()):
        raise bad_request("Allow-credentials cannot be true when Allow-origins is '*'.")


@SERVICE.operation("CreateApi")
def create_api(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """With `Target`, a route to it and a stage that deploys by itself come along."""
    if params["ProtocolType"] != "HTTP":
        raise not_offered("WebSocket APIs keep connections.")
    document = new_document(context, params)
    if params.get("Target"):
        _quick(document, params)
    return insert(context, document, params.get("Tags") or {})


def insert(context: Context, document: Document, tags: dict[str, str]) -> Document:
    """Write an API down and publish it; as it is shown."""
    api = document["api"]["ApiId"]
    row = new_row(context, HTTP_API, api, document, path=f"apis/{api}")

    def add(transaction: Transaction) -> None:
        transaction.insert(row)
        transaction.set_tags(row.arn, tags)

    context.store.write(add)
    change(context, api, lambda _: None)
    return api_shown(context, document["api"])


def new_document(context: Context, params: Document) -> Document:
    """An API without parts. Raises BadRequestException."""
    api = new_id()
    made = {
        "ApiId": api,
        "ApiEndpoint": f"http://{api}.execute-api.localhost:{context.settings.port}",
        "ApiKeySelectionExpression": "$request.header.x-api-key",
        "CreatedDate": today(),
        "DisableExecuteApiEndpoint": False,
        "ProtocolType": "HTTP",
        "RouteSelectionExpression": _SELECTION,
        **{member: params[member] for member in _KEPT if params.get(member) is not None},
    }
    check(made)
    return {"api": made, "routes": {}, "integrations": {}, "authorizers": {}, "stages": {}, "deployed": None}


def _quick(document: Document, params: Document) -> None:
    function = params["Target"].startswith("arn:")
    integration = new_integration(
        document,
        {
            "IntegrationType": "AWS_PROXY" if function else "HTTP_PROXY",
            "IntegrationUri": params["Target"],
            "IntegrationMethod": "POST" if function else "ANY",
            "PayloadFormatVersion": "2.0" if function else "1.0",
        },
    )
    target = f"integrations/{integration['IntegrationId']}"
    new_route(document, {"RouteKey": params.get("RouteKey") or "$default", "Target": target})
    new_stage(document, {"StageName": DEFAULT_STAGE, "AutoDeploy": True})


def api_shown(context: Context, api: Document) -> Document:
    """As an output, with its tags."""
    return {**shown(api), "Tags": _tags(context, api)}


def _tags(context: Context, api: Document) -> dict[str, str]:
    return context.store.read.tags(arn_of(context.region, f"apis/{api['ApiId']}"))


@SERVICE.operation("GetApi")
def get_api(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return api_shown(context, read(context, params["ApiId"])["api"])


@SERVICE.operation("GetApis")
def get_apis(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    page = listing([dict(row.spec["api"]) for row in own_rows(context, HTTP_API)], params)
    return {**page, "Items": [{**api, "Tags": _tags(context, api)} for api in page["Items"]]}


@SERVICE.operation("UpdateApi")
def update_api(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def edit(document: Document) -> Document:
        api: Document = document["api"]
        api |= {member: params[member] for member in _KEPT if params.get(member) is not None}
        check(api)
        return api

    return api_shown(context, change(context, params["ApiId"], edit))


@SERVICE.operation("DeleteCorsConfiguration")
def delete_cors_configuration(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    change(context, params["ApiId"], lambda document: document["api"].pop("CorsConfiguration", None))
    return {}


@SERVICE.operation("DeleteApi")
def delete_api(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    key = key_of(context, HTTP_API, params["ApiId"])

    def remove(transaction: Transaction) -> bool:
        for row in transaction.children(HTTP_DEPLOYMENT, key):
            transaction.delete(row.key)
        return transaction.delete(key)

    if not context.store.write(remove):
        raise no_api(params["ApiId"])
    publish(context.store.read, context.settings)
    return {}
