"""ListSecrets and BatchGetSecretValue
(https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.calls import Access
from clary.errors import AWSError, ValidationError
from clary.keys.secrets import KIND
from clary.names import Arn
from clary.services.context import Context
from clary.services.placed import page
from clary.services.resources import Output, Params, present
from clary.services.secretsmanager import stages
from clary.services.secretsmanager.errors import bad_token, deleted, invalid, no_secret
from clary.services.secretsmanager.found import allowed
from clary.services.secretsmanager.secret_filters import check, fits
from clary.services.secretsmanager.secret_view import description
from clary.services.secretsmanager.service import SERVICE
from clary.services.secretsmanager.versions import value_of
from clary.store.rows import Row

_DEFAULT_PAGE = 100
_DEFAULT_BATCH = 20

Tags = Mapping[str, Mapping[str, str]]


@SERVICE.operation("ListSecrets")
def list_(context: Context, params: Params) -> Output:
    """By creation, oldest first, unless another order is asked for. Raises InvalidParameterException,
    InvalidNextTokenException."""
    tags = _tags(context)
    wanted = _wanted(context, params, tags, deleted_too=bool(params.get("IncludePlannedDeletion")))
    placed = [(_place(row, params), row) for row in wanted]
    shown, token = _page(placed, params, _DEFAULT_PAGE, descending=params.get("SortOrder") == "desc")
    return present({"SecretList": [_entry(row, tags) for row in shown], "NextToken": token})


def _entry(row: Row, tags: Tags) -> Output:
    labels = stages.by_version(row.state["stages"])
    return {**description(row, tags.get(row.arn, {})), "SecretVersionsToStages": labels}


def _tags(context: Context) -> Tags:
    prefix = str(Arn("secretsmanager", context.region, context.account, "secret:"))
    return context.store.read.tags_below(prefix)


def _wanted(context: Context, params: Params, tags: Tags, *, deleted_too: bool) -> list[Row]:
    filters = params.get("Filters") or ()
    check(filters)
    return [
        row
        for row in context.store.read.rows(KIND)
        if (row.key.account, row.key.region) == (context.account, context.region)
        and (deleted_too or not row.state.get("deletes"))
        and fits(row, tags.get(row.arn, {}), filters)
    ]


def _place(row: Row, params: Params) -> list[Any]:
    by = params.get("SortBy") or "created-date"
    first: dict[str, Any] = {
        "name": row.key.name,
        "created-date": row.created.timestamp(),
        "last-changed-date": row.modified.timestamp(),
        "last-accessed-date": float(row.state.get("accessed") or 0),
    }
    return [first[by], row.key.name]


def _page(
    placed: Sequence[tuple[list[Any], Row]], params: Params, most: int, *, descending: bool
) -> tuple[list[Row], str | None]:
    try:
        return page(placed, params, params.get("MaxResults") or most, descending=descending)
    except ValidationError:
        raise bad_token() from None


@SERVICE.operation("BatchGetSecretValue")
def batch(context: Context, params: Params) -> Output:
    """Each secret needs the right for GetSecretValue; what cannot be read is told beside. Raises
    InvalidParameterException, InvalidNextTokenException."""
    names, filters = params.get("SecretIdList"), params.get("Filters")
    if bool(names) is bool(filters):
        raise invalid("Either 'SecretIdList' or 'Filters' must be provided, but not both.")
    if names and params.get("MaxResults"):
        text = "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided."
        raise invalid(text)
    token = None
    if not names:
        context.authorise(Access("secretsmanager:ListSecrets", "*"))
        found = _wanted(context, params, _tags(context), deleted_too=False)
        placed = [([row.created.timestamp(), row.key.name], row) for row in found]
        shown, token = _page(placed, params, _DEFAULT_BATCH, descending=False)
        names = [row.arn for row in shown]
    output: Output = {"SecretValues": [], "Errors": []}
    for name in names:
        try:
            output["SecretValues"].append(_value(context, name))
        except AWSError as error:
            output["Errors"].append({"SecretId": name, "ErrorCode": error.code, "Message": error.message})
    return present({**output, "NextToken": token})


def _value(context: Context, name: str) -> Output:
    row = allowed(context, "GetSecretValue", name, {})
    if row is None:
        raise no_secret()
    if row.state.get("deletes"):
        raise deleted()
    return value_of(context, row)
