"""GetParameter, GetParameters, GetParametersByPath, GetParameterHistory
(https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from clary.calls import Call
from clary.errors import AWSError, ValidationError
from clary.services.context import Context
from clary.services.placed import page
from clary.services.resources import Output, Params, present
from clary.services.ssm import filters
from clary.services.ssm.errors import bad_token, no_parameter
from clary.services.ssm.names import KIND, SECRETS, VERSION, below, check_path, selected
from clary.services.ssm.rows import entry, number, parameter, require, require_version
from clary.services.ssm.service import SERVICE
from clary.services.ssm.values import SECURE, shown
from clary.store.rows import Query, Row

_BY_PATH = 10
_HISTORY = 50
_AT_ONCE = 1000
_PUBLIC = "/aws/service/"


@SERVICE.operation("GetParameter")
def get(context: Context, params: Params) -> Output:
    """Raises ParameterNotFound, ParameterVersionNotFound, InvalidKeyId."""
    return {"Parameter": _read(context, params["Name"], decrypt=bool(params.get("WithDecryption")))}


def _read(context: Context, name: str, *, decrypt: bool) -> Output:
    if name.startswith(SECRETS):
        return _secret(context, name, decrypt=decrypt)
    if name.startswith(_PUBLIC):
        text = f"Parameter {name} not found: AWS's public parameters are not offered by Clary."
        raise AWSError("ParameterNotFound", text)
    return parameter(context, name, decrypt=decrypt)


def _secret(context: Context, given: str, *, decrypt: bool) -> Output:
    """A secret of Secrets Manager's, read as the caller."""
    if not decrypt:
        raise ValidationError("WithDecryption flag must be True for retrieving a Secret Manager secret.")
    name, selector = selected(given)
    asked = {"SecretId": name.removeprefix(SECRETS)}
    wanted = selector.removeprefix(":")
    if wanted:
        asked["VersionStage" if wanted.startswith("AWS") else "VersionId"] = wanted
    call = Call(context.call.principal, "secretsmanager", "GetSecretValue", asked, context.region)
    try:
        said = context.invoke(call)
    except AWSError as error:
        if error.code != "ResourceNotFoundException":
            raise
        text = "An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret"
        raise AWSError("ParameterNotFound", f"{text} {given} not found.") from None
    if "SecretString" not in said:
        raise ValidationError("Binary secrets cannot be read as parameters.")
    return {
        "Name": given,
        "Type": SECURE,
        "Value": said["SecretString"],
        "Version": 0,
        "SourceResult": json.dumps(dict(_source(said))),
        "LastModifiedDate": said["CreatedDate"],
        "ARN": said["ARN"],
    }


def _source(said: Output) -> Iterator[tuple[str, Any]]:
    """What is told of the secret beside its value; AWS begins these names with small letters."""
    for key, value in said.items():
        if key != "SecretString":
            shown_value = value.isoformat() if isinstance(value, datetime) else value
            yield key if key == "ARN" else f"{key[0].lower()}{key[1:]}", shown_value


@SERVICE.operation("GetParameters")
def get_several(context: Context, params: Params) -> Output:
    """Those that are not there are told."""
    asked = list(dict.fromkeys(params["Names"]))
    if len(asked) < len(params["Names"]):
        twice = next(name for name in asked if params["Names"].count(name) > 1)
        raise ValidationError(f"The following parameter names are duplicated in the request: {twice}")
    output: Output = {"Parameters": [], "InvalidParameters": []}
    for name in asked:
        try:
            output["Parameters"].append(_read(context, name, decrypt=bool(params.get("WithDecryption"))))
        except AWSError as error:
            if error.code not in ("ParameterNotFound", "ParameterVersionNotFound"):
                raise
            output["InvalidParameters"].append(name)
    return output


@SERVICE.operation("GetParametersByPath")
def by_path(context: Context, params: Params) -> Output:
    """By name. Who may read a path may read all below it. Raises ValidationException, InvalidFilterKey,
    InvalidNextToken."""
    path, asked = params["Path"], params.get("ParameterFilters") or ()
    check_path(path)
    if f"{path}/".startswith(_PUBLIC):
        raise ValidationError("AWS's public parameters (/aws/service/) are not offered by Clary.")
    filters.check(asked, filters.BY_PATH)
    label, decrypt = filters.label_of(asked), bool(params.get("WithDecryption"))
    wanted = [
        ([row.key.name], row)
        for row in all_of(context, path)
        if below(row.key.name, path, recursive=bool(params.get("Recursive"))) and filters.fits(context, row, asked)
    ]
    rows, token = paged(wanted, params, _BY_PATH)
    shown_ones = [entry(context, row, _newest(context, row, label), decrypt=decrypt) for row in rows]
    return present({"Parameters": shown_ones, "NextToken": token})


def _newest(context: Context, row: Row, label: str | None) -> Row:
    version = row.state["labels"][label] if label else row.state["version"]
    return require_version(context.store.read, row, version)


def all_of(context: Context, prefix: str | None = None) -> list[Row]:
    """All parameters of the account in the region, or those whose names begin so; by name."""
    query = Query(KIND, context.account, context.region, "name", descending=False, limit=_AT_ONCE, name_prefix=prefix)
    found: list[Row] = []
    while True:
        part = context.store.read.page(query)
        found += part.rows
        if part.token is None:
            return found
        query = replace(query, token=part.token)


def paged(
    placed: Sequence[tuple[list[Any], Any]], params: Params, most: int, *, descending: bool = False
) -> tuple[list[Any], str | None]:
    """One page. Raises InvalidNextToken."""
    try:
        return page(placed, params, params.get("MaxResults") or most, descending=descending)
    except ValidationError:
        raise bad_token() from None


@SERVICE.operation("GetParameterHistory")
def history(context: Context, params: Params) -> Output:
    """Oldest first. Raises ParameterNotFound, InvalidNextToken."""
    row = require(context, selected(params["Name"]).name)
    placed = [([number(each)], each) for each in context.store.read.children(VERSION, row.key)]
    if not placed:
        raise no_parameter(params["Name"])
    versions, token = paged(placed, params, _HISTORY)
    decrypt = bool(params.get("WithDecryption"))
    return present(
        {"Parameters": [_past(context, row, each, decrypt=decrypt) for each in versions], "NextToken": token}
    )


def _past(context: Context, row: Row, version: Row, *, decrypt: bool) -> Output:
    labels = sorted(label for label, at in row.state["labels"].items() if at == number(version))
    return {
        "Name": row.key.name,
        "LastModifiedDate": version.created,
        "Value": shown(context, row.arn, version, decrypt=decrypt),
        "Version": number(version),
        "Labels": labels,
        "Policies": [],
        **version.spec,
    }
