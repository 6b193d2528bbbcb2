"""Tags of HTTP APIs."""

from __future__ import annotations

from typing import Any

from clary.services.apigateway.errors import not_found
from clary.services.apigatewayv2.service import SERVICE
from clary.services.context import Context


def _check(context: Context, arn: str) -> str:
    row = context.store.read.by_arn(arn)
    if row is None or row.key.account != context.account:
        raise not_found("resource identifier")
    return arn


@SERVICE.operation("TagResource")
def tag_resource(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    arn = _check(context, params["ResourceArn"])
    context.store.write(lambda transaction: transaction.set_tags(arn, params.get("Tags") or {}))
    return {}


@SERVICE.operation("UntagResource")
def untag_resource(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    arn = _check(context, params["ResourceArn"])
    context.store.write(lambda transaction: transaction.remove_tags(arn, params["TagKeys"]))
    return {}


@SERVICE.operation("GetTags")
def get_tags(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return {"Tags": context.store.read.tags(_check(context, params["ResourceArn"]))}
