"""Usage plans: which keys may ask which stages, how often
(https://docs.aws.amazon.com/apigateway/latest/api/API_UsagePlan.html)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.services.apigateway.api_keys import key_row
from clary.services.apigateway.documents import USAGE_PLAN, Document, key_of, listing, new_id, new_row, read
from clary.services.apigateway.errors import bad_request, conflict, not_found, not_offered
from clary.services.apigateway.patching import output_shape, patch
from clary.services.apigateway.publication import publish
from clary.services.apigateway.rest_apis import own_rows
from clary.services.apigateway.service import SERVICE
from clary.services.apigateway.stages import stage_of
from clary.services.apigateway.usage import USAGE
from clary.services.context import Context
from clary.services.resources import now
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_MEMBERS = ("name", "description", "apiStages", "throttle", "quota")
_PERIODS = ("DAY", "WEEK", "MONTH")


def _row(context: Context, identifier: str) -> Row:
    row = context.store.read.get(key_of(context, USAGE_PLAN, identifier))
    if row is None:
        raise not_found("Usage Plan ID")
    return row


def _check(context: Context, plan: Document) -> None:
    for each in plan.get("apiStages") or ():
        stage_of(read(context, each.get("apiId", "")), each.get("stage", ""))
        if each.get("throttle"):
            raise not_offered("A usage plan throttles single methods.")
    quota = plan.get("quota")
    if quota and (quota.get("limit", 0) < 1 or quota.get("period") not in _PERIODS):
        raise bad_request("Usage Plan quota must have a limit of at least 1 and a period of DAY, WEEK or MONTH")


def _shown(context: Context, row: Row) -> Document:
    tags = context.store.read.tags(row.arn)
    out = {name: value for name, value in row.spec.items() if name != "keys"}
    return {**out, **({"tags": tags} if tags else {})}


@SERVICE.operation("CreateUsagePlan")
def create_usage_plan(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    asked = {member: params[member] for member in _MEMBERS if params.get(member) is not None}
    made = {"id": new_id(6), "apiStages": [], **asked, "keys": []}
    _check(context, made)
    row = new_row(context, USAGE_PLAN, made["id"], made, path=f"usageplans/{made['id']}")

    def add(transaction: Transaction) -> None:
        transaction.insert(row)
        transaction.set_tags(row.arn, params.get("tags") or {})

    context.store.write(add)
    publish(context.store.read, context.settings)
    return _shown(context, row)


@SERVICE.operation("GetUsagePlan")
def get_usage_plan(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return _shown(context, _row(context, params["usagePlanId"]))


@SERVICE.operation("GetUsagePlans")
def get_usage_plans(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    key = params.get("keyId")
    rows = [row for row in own_rows(context, USAGE_PLAN) if key is None or key in row.spec["keys"]]
    return listing([_shown(context, row) for row in rows], params)


def _change(context: Context, identifier: str, edit: Callable[[Document], None]) -> Row:
    key = _row(context, identifier).key

    def apply(transaction: Transaction) -> Row:
        row = transaction.get(key)
        if row is None:
            raise not_found("Usage Plan ID")
        changed = copy.deepcopy(dict(row.spec))
        edit(changed)
        return transaction.save(replace(row, spec=changed, modified=now()))

    row = context.store.write(apply)
    publish(context.store.read, context.settings)
    return row


@SERVICE.operation("UpdateUsagePlan")
def update_usage_plan(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def edit(plan: Document) -> None:
        for operation in params.get("patchOperations") or ():
            if operation.get("path") == "/apiStages":
                _change_stage(plan, operation)
            else:
                patch(plan, [operation], output_shape("apigateway", "GetUsagePlan"), _MEMBERS)
        _check(context, plan)

    return _shown(context, _change(context, params["usagePlanId"], edit))


def _change_stage(plan: Document, operation: Document) -> None:
    """The value is `API:STAGE`."""
    api, colon, stage = (operation.get("value") or "").partition(":")
    if not colon:
        raise bad_request("An API stage is named as apiId:stage")
    kept = [each for each in plan["apiStages"] if (each["apiId"], each["stage"]) != (api, stage)]
    plan["apiStages"] = kept if operation.get("op") == "remove" else [*kept, {"apiId": api, "stage": stage}]


@SERVICE.operation("DeleteUsagePlan")
def delete_usage_plan(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    row = _row(context, params["usagePlanId"])
    if row.spec["apiStages"]:
        raise bad_request(
            f"Cannot delete usage plan {row.key.name} with active API stages associated with it. "
            "Please remove the API stages first."
        )

    def remove(transaction: Transaction) -> None:
        for used in transaction.children(USAGE, row.key):
            transaction.delete(used.key)
        transaction.delete(row.key)

    context.store.write(remove)
    publish(context.store.read, context.settings)
    return {}


def _key_shown(row: Row) -> Document:
    return {"id": row.key.name, "type": "API_KEY", "value": row.spec["value"], "name": row.spec.get("name", "")}


@SERVICE.operation("CreateUsagePlanKey")
def create_usage_plan_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    if params["keyType"] != "API_KEY":
        raise bad_request("Usage plan key type must be API_KEY")
    key = key_row(context, params["keyId"])

    def edit(plan: Document) -> None:
        if key.key.name in plan["keys"]:
            raise conflict("Usage Plan Key already exists")
        plan["keys"].append(key.key.name)

    _change(context, params["usagePlanId"], edit)
    return _key_shown(key)


@SERVICE.operation("GetUsagePlanKey")
def get_usage_plan_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    if params["keyId"] not in _row(context, params["usagePlanId"]).spec["keys"]:
        raise not_found("Usage Plan Key")
    return _key_shown(key_row(context, params["keyId"]))


@SERVICE.operation("GetUsagePlanKeys")
def get_usage_plan_keys(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    plan, prefix = _row(context, params["usagePlanId"]), params.get("nameQuery") or ""
    keys = [_key_shown(key_row(context, identifier)) for identifier in plan.spec["keys"]]
    return listing([key for key in keys if key["name"].startswith(prefix)], params)


@SERVICE.operation("DeleteUsagePlanKey")
def delete_usage_plan_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def edit(plan: Document) -> None:
        if params["keyId"] not in plan["keys"]:
            raise not_found("Usage Plan Key")
        plan["keys"].remove(params["keyId"])

    _change(context, params["usagePlanId"], edit)
    return {}
