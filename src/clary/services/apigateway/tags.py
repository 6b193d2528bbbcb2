"""Tags of APIs, stages, keys and usage plans."""

from __future__ import annotations

import re
from typing import Any

from clary.services.apigateway.documents import API, key_of
from clary.services.apigateway.errors import not_found
from clary.services.apigateway.service import SERVICE
from clary.services.apigateway.stages import stage_of
from clary.services.context import Context

_STAGE = re.compile(r"arn:aws:apigateway:[^:]*::/restapis/([^/]+)/stages/([^/]+)")


def _check(context: Context, arn: str) -> str:
    """The ARN, of something that there is. Raises NotFoundException."""
    stage = _STAGE.fullmatch(arn)
    if stage:
        row = context.store.read.get(key_of(context, API, stage[1]))
        if row is not None:
            stage_of(dict(row.spec), stage[2])
    else:
        row = context.store.read.by_arn(arn)
    if row is None or row.key.account != context.account:
        raise not_found("resource identifier")
    return arn


@SERVICE.operation("TagResource")
def tag_resource(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    arn = _check(context, params["resourceArn"])
    context.store.write(lambda transaction: transaction.set_tags(arn, params["tags"]))
    return {}


@SERVICE.operation("UntagResource")
def untag_resource(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    arn = _check(context, params["resourceArn"])
    context.store.write(lambda transaction: transaction.remove_tags(arn, params["tagKeys"]))
    return {}


@SERVICE.operation("GetTags")
def get_tags(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return {"tags": context.store.read.tags(_check(context, params["resourceArn"]))}
