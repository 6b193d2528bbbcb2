"""Function URLs (https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html)."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from clary.lifecycles.function import ALIAS_KIND
from clary.names import random_hex
from clary.services.context import Context
from clary.services.lambda_.errors import conflict, not_found, not_offered
from clary.services.lambda_.references import Reference
from clary.services.lambda_.rows import alias_key, change_function, of, require
from clary.services.lambda_.service import SERVICE
from clary.services.resources import Output, Params
from clary.store.rows import Row

_BUFFERED = "BUFFERED"


@SERVICE.operation("CreateFunctionUrlConfig")
def create(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, ResourceConflictException."""
    named = _named(context, params)
    _check_mode(params)
    made = time.time()
    said = {"id": random_hex(16), "AuthType": params["AuthType"], "created": made, "modified": made}
    if params.get("Cors"):
        said["Cors"] = params["Cors"]

    def change(row: Row) -> Row:
        if named.qualifier in row.state.get("urls", {}):
            raise conflict(
                "Failed to create function url config for [functionArn = "
                f"{named.arn}]. Error message:  FunctionUrlConfig exists for this Lambda function"
            )
        return _with(row, named, said)

    change_function(context, named, change)
    return {name: value for name, value in _shown(context, named, said).items() if name != "LastModifiedTime"}


@SERVICE.operation("UpdateFunctionUrlConfig")
def update(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    named = _named(context, params)
    _check_mode(params)
    given = {member: params[member] for member in ("AuthType", "Cors") if params.get(member) is not None}
    said = {**_require(context, named), **given, "modified": time.time()}
    change_function(context, named, lambda row: _with(row, named, said))
    return _shown(context, named, said)


@SERVICE.operation("GetFunctionUrlConfig")
def get(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    named = _named(context, params)
    return _shown(context, named, _require(context, named))


@SERVICE.operation("ListFunctionUrlConfigs")
def list_(context: Context, params: Params) -> Output:
    """All of a function. Raises ResourceNotFoundException."""
    named = of(context, params)
    urls = require(context.store.read, named).state.get("urls", {})
    return {"FunctionUrlConfigs": [_shown(context, replace(named, qualifier=name), urls[name]) for name in urls]}


@SERVICE.operation("DeleteFunctionUrlConfig")
def delete(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    named = _named(context, params)
    _require(context, named)

    def change(row: Row) -> Row:
        kept = {name: said for name, said in row.state.get("urls", {}).items() if name != named.qualifier}
        return replace(row, state={**row.state, "urls": kept})

    change_function(context, named, change)
    return {}


def _named(context: Context, params: Params) -> Reference:
    """A function or an alias has a URL, a version has none."""
    named = of(context, params)
    require(context.store.read, named)
    if named.qualifier:
        row = context.store.read.get(alias_key(named, named.qualifier))
        if row is None or row.key.kind != ALIAS_KIND:
            raise not_found(f"Cannot find alias arn: {named.arn}")
    return named


def _check_mode(params: Params) -> None:
    if (params.get("InvokeMode") or _BUFFERED) != _BUFFERED:
        raise not_offered("InvokeMode RESPONSE_STREAM")


def _require(context: Context, named: Reference) -> dict[str, Any]:
    said: dict[str, Any] | None = require(context.store.read, named).state.get("urls", {}).get(named.qualifier)
    if said is None:
        raise not_found("The resource you requested does not exist.")
    return said


def _with(row: Row, named: Reference, said: dict[str, Any]) -> Row:
    return replace(row, state={**row.state, "urls": {**row.state.get("urls", {}), named.qualifier: said}})


def _shown(context: Context, named: Reference, said: dict[str, Any]) -> Output:
    shown = {
        "FunctionUrl": f"http://{said['id']}.lambda-url.{named.region}.localhost:{context.settings.port}/",
        "FunctionArn": named.arn,
        "AuthType": said["AuthType"],
        "CreationTime": _time(said["created"]),
        "LastModifiedTime": _time(said["modified"]),
        "InvokeMode": _BUFFERED,
    }
    return {**shown, "Cors": said["Cors"]} if "Cors" in said else shown


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1e6) % 10**6:06d}Z"
