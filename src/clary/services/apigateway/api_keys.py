"""API keys (https://docs.aws.amazon.com/apigateway/latest/api/API_ApiKey.html)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.services.apigateway.documents import (
    API_KEY,
    USAGE_PLAN,
    Document,
    key_of,
    listing,
    new_id,
    new_row,
    shown,
    today,
)
from clary.services.apigateway.errors import bad_request, conflict, not_found
from clary.services.apigateway.patching import output_shape, patch
from clary.services.apigateway.publication import publish
from clary.services.apigateway.rest_apis import own_rows
from clary.services.apigateway.service import SERVICE
from clary.services.context import Context
from clary.services.resources import now
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_VALUE = re.compile(r"[\x21-\x7e]{20,128}")
_VALUE_LETTERS = 40
_CHANGEABLE = ("name", "description", "enabled", "customerId")


def key_row(context: Context, identifier: str) -> Row:
    """Raises NotFoundException."""
    row = context.store.read.get(key_of(context, API_KEY, identifier))
    if row is None:
        raise not_found("API Key identifier")
    return row


def _insert(context: Context, made: Document, tags: Mapping[str, str]) -> None:
    if not _VALUE.fullmatch(made["value"]):
        raise bad_request("API Key value should be at least 20 characters")
    row = new_row(context, API_KEY, made["id"], made, path=f"apikeys/{made['id']}")

    def add(transaction: Transaction) -> None:
        if any(other.spec["value"] == made["value"] for other in transaction.rows(API_KEY)):
            raise conflict("API Key already exists")
        transaction.insert(row)
        transaction.set_tags(row.arn, tags)

    context.store.write(add)


def _shown(context: Context, row: Row, *, value: bool) -> Document:
    tags = context.store.read.tags(row.arn)
    out = {name: each for name, each in row.spec.items() if value or name != "value"}
    return {**shown(out), "stageKeys": [], **({"tags": tags} if tags else {})}


@SERVICE.operation("CreateApiKey")
def create_api_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    made = {
        "id": new_id(),
        "value": params.get("value") or new_id(_VALUE_LETTERS),
        "enabled": bool(params.get("enabled")),
        "createdDate": today(),
        "lastUpdatedDate": today(),
        **{m: params[m] for m in ("name", "description", "customerId") if params.get(m) is not None},
    }
    _insert(context, made, params.get("tags") or {})
    publish(context.store.read, context.settings)
    return _shown(context, key_row(context, made["id"]), value=True)


def rows_of(file: bytes) -> list[dict[str, str]]:
    """A CSV's rows by its columns' names, in lower case. Raises BadRequestException."""
    rows = csv.DictReader(io.StringIO(file.decode("utf-8-sig", "replace"), newline=""))
    try:
        return [{name.strip().lower(): (text or "").strip() for name, text in row.items() if name} for row in rows]
    except csv.Error as error:
        raise bad_request(f"The file is no CSV: {error}") from None


@SERVICE.operation("ImportApiKeys")
def import_api_keys(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """From a CSV with the columns `name` and `key`, and perhaps `description` and `Enabled`."""
    wanted = rows_of(params["body"])
    if not wanted or not all(each.get("name") and each.get("key") for each in wanted):
        raise bad_request("The file must have the columns name and key")
    made = [
        {
            "id": new_id(),
            "name": each["name"],
            "value": each["key"],
            "description": each.get("description", ""),
            "enabled": each.get("enabled", "true").lower() != "false",
            "createdDate": today(),
            "lastUpdatedDate": today(),
        }
        for each in wanted
    ]
    for each in made:
        _insert(context, each, {})
    publish(context.store.read, context.settings)
    return {"ids": [each["id"] for each in made], "warnings": []}


@SERVICE.operation("GetApiKey")
def get_api_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return _shown(context, key_row(context, params["apiKey"]), value=bool(params.get("includeValue")))


@SERVICE.operation("GetApiKeys")
def get_api_keys(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    prefix, customer = params.get("nameQuery") or "", params.get("customerId")
    found = [
        _shown(context, row, value=bool(params.get("includeValues")))
        for row in own_rows(context, API_KEY)
        if row.spec.get("name", "").startswith(prefix) and customer in (None, row.spec.get("customerId"))
    ]
    page = listing([{"key": each} for each in found], params)
    return {**page, "items": [item["key"] for item in page["items"]]}


@SERVICE.operation("UpdateApiKey")
def update_api_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    row = key_row(context, params["apiKey"])
    changed = dict(row.spec)
    patch(changed, params.get("patchOperations") or (), output_shape("apigateway", "GetApiKey"), _CHANGEABLE)
    changed["lastUpdatedDate"] = today()
    context.store.write(lambda transaction: transaction.save(replace(row, spec=changed, modified=now())))
    publish(context.store.read, context.settings)
    return _shown(context, key_row(context, params["apiKey"]), value=False)


@SERVICE.operation("DeleteApiKey")
def delete_api_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    row = key_row(context, params["apiKey"])

    def remove(transaction: Transaction) -> None:
        transaction.delete(row.key)
        for plan in transaction.rows(USAGE_PLAN):
            kept = [key for key in plan.spec["keys"] if key != row.key.name]
            if kept != plan.spec["keys"]:
                transaction.save(replace(plan, spec={**plan.spec, "keys": kept}))

    context.store.write(remove)
    publish(context.store.read, context.settings)
    return {}
