"""REST APIs themselves (https://docs.aws.amazon.com/apigateway/latest/api/API_RestApi.html)."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from clary.identity.policy import compile_policy
from clary.services.apigateway.documents import (
    API,
    DEPLOYMENT,
    Document,
    arn_of,
    change,
    key_of,
    listing,
    new_id,
    new_row,
    read,
    shown,
    today,
)
from clary.services.apigateway.errors import bad_request, no_api
from clary.services.apigateway.integrations import check_credentials
from clary.services.apigateway.models import default_models
from clary.services.apigateway.patching import output_shape, patch
from clary.services.apigateway.publication import publish
from clary.services.apigateway.service import SERVICE
from clary.services.context import Context
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_KEPT = (
    "name",
    "description",
    "version",
    "binaryMediaTypes",
    "minimumCompressionSize",
    "apiKeySource",
    "endpointConfiguration",
    "policy",
    "disableExecuteApiEndpoint",
)
_MOST_COMPRESSION = 10 * 2**20


def new_document(name: str, params: Document) -> Document:
    """An API with nothing but its root."""
    root = new_id()
    api = {
        "id": new_id(),
        "createdDate": today(),
        "apiKeySource": "HEADER",
        "endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "ipv4"},
        "disableExecuteApiEndpoint": False,
        "rootResourceId": root,
        **{member: params[member] for member in _KEPT if params.get(member) is not None},
        "name": name,
    }
    return {
        "api": checked(api),
        "resources": {root: {"id": root, "path": "/", "resourceMethods": {}}},
        "models": default_models(),
        "validators": {},
        "responses": {},
        "authorizers": {},
        "stages": {},
    }


def checked(api: Document) -> Document:
    """Raises BadRequestException."""
    if not api.get("name"):
        raise bad_request("API name cannot be empty")
    size = api.get("minimumCompressionSize")
    if size is not None and not 0 <= size <= _MOST_COMPRESSION:
        raise bad_request(
            "Invalid minimum compression size, must be between 0 and 10485760",
        )
    if api.get("policy"):
        try:
            compile_policy(json.loads(api["policy"]), "api")
        except (ValueError, RecursionError):
            raise bad_request(
                "Invalid policy document. Please check the policy syntax and ensure that Principals are valid."
            ) from None
    return api


def insert(context: Context, document: Document, tags: dict[str, str]) -> Document:
    """Write a new API; as it is shown."""
    identifier = document["api"]["id"]
    row = new_row(context, API, identifier, document, path=f"restapis/{identifier}")

    def add(transaction: Transaction) -> None:
        transaction.insert(row)
        transaction.set_tags(row.arn, tags)

    context.store.write(add)
    publish(context.store.read, context.settings)
    return api_shown(context, document["api"])


def api_shown(context: Context, api: Document) -> Document:
    """With its tags."""
    tags = context.store.read.tags(arn_of(context.region, f"restapis/{api['id']}"))
    return {**shown(api), **({"tags": tags} if tags else {})}


@SERVICE.operation("CreateRestApi")
def create_rest_api(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    document = new_document(params["name"], params)
    if params.get("cloneFrom"):
        document = _cloned(document, read(context, params["cloneFrom"]))
        for role in _roles(document):
            check_credentials(context, {"credentials": role})
    return insert(context, document, params.get("tags") or {})


def _roles(document: Document) -> set[str]:
    """Those that integrations and authorizers act with."""
    methods = [method for each in document["resources"].values() for method in each["resourceMethods"].values()]
    found = {method.get("methodIntegration", {}).get("credentials") for method in methods}
    found |= {each.get("authorizerCredentials") for each in document["authorizers"].values()}
    return {role for role in found if role}


def _cloned(document: Document, other: Document) -> Document:
    copied = copy.deepcopy({name: value for name, value in other.items() if name not in ("api", "stages")})
    root = other["api"]["rootResourceId"]
    return {**document, **copied, "api": {**document["api"], "rootResourceId": root}}


@SERVICE.operation("GetRestApi")
def get_rest_api(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return api_shown(context, read(context, params["restApiId"])["api"])


@SERVICE.operation("GetRestApis")
def get_rest_apis(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    page = listing([{"id": row.key.name, "row": row} for row in own_rows(context, API)], params)
    return {**page, "items": [api_shown(context, item["row"].spec["api"]) for item in page["items"]]}


def own_rows(context: Context, kind: str) -> list[Row]:
    """All rows of a kind of the caller's, in its region, oldest first."""
    rows = context.store.read.rows(kind)
    return [row for row in rows if (row.key.account, row.key.region) == (context.account, context.region)]


@SERVICE.operation("UpdateRestApi")
def update_rest_api(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def edit(document: Document) -> Document:
        patch(document["api"], params.get("patchOperations") or (), output_shape("apigateway", "GetRestApi"), _KEPT)
        return checked(document["api"])

    return api_shown(context, change(context, params["restApiId"], edit, live=True))


@SERVICE.operation("DeleteRestApi")
def delete_rest_api(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    key = key_of(context, API, params["restApiId"])

    def remove(transaction: Transaction) -> bool:
        for row in transaction.children(DEPLOYMENT, key):
            transaction.delete(row.key)
        return transaction.delete(key)

    if not context.store.write(remove):
        raise no_api(context.account, params["restApiId"])
    publish(context.store.read, context.settings)
    return {}
