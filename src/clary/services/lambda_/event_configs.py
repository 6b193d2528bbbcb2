"""What becomes of asynchronous invocations
(https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from clary.services.context import Context
from clary.services.lambda_.errors import invalid, not_found
from clary.services.lambda_.references import LATEST, Reference
from clary.services.lambda_.rows import change_function, of, require, require_qualified
from clary.services.lambda_.service import SERVICE
from clary.services.lambda_.targets import check_target
from clary.services.resources import Output, Params
from clary.store.rows import Row

_MEMBERS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")


@SERVICE.operation("PutFunctionEventInvokeConfig")
def put(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterValueException."""
    return _save(context, params, {})


@SERVICE.operation("UpdateFunctionEventInvokeConfig")
def update(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterValueException."""
    named = of(context, params)
    return _save(context, params, _require(context, named))


@SERVICE.operation("GetFunctionEventInvokeConfig")
def get(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    named = of(context, params)
    return _shown(named, _require(context, named))


@SERVICE.operation("ListFunctionEventInvokeConfigs")
def list_(context: Context, params: Params) -> Output:
    """All of a function. Raises ResourceNotFoundException."""
    named = of(context, params)
    row = require(context.store.read, named)
    return {"FunctionEventInvokeConfigs": list(_all(named, row))}


@SERVICE.operation("DeleteFunctionEventInvokeConfig")
def delete(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    named = of(context, params)
    _require(context, named)

    def change(row: Row) -> Row:
        kept = {name: said for name, said in row.state.get("events", {}).items() if name != named.qualifier}
        return replace(row, state={**row.state, "events": kept})

    change_function(context, named, change)
    return {}


def _all(named: Reference, row: Row) -> Iterator[Output]:
    for qualifier, said in row.state.get("events", {}).items():
        yield _shown(replace(named, qualifier=qualifier), said)


def _save(context: Context, params: Params, before: dict[str, Any]) -> Output:
    named = of(context, params)
    require_qualified(context.store.read, named)
    given = {member: params[member] for member in _MEMBERS if params.get(member) is not None}
    if not given:
        raise invalid("You must specify at least one of error handling or destination setting.")
    _check(context, named, given.get("DestinationConfig") or {})
    said = {**before, **given, "modified": time.time()}

    def change(row: Row) -> Row:
        events = {**row.state.get("events", {}), named.qualifier: said}
        return replace(row, state={**row.state, "events": events})

    change_function(context, named, change)
    return _shown(named, said)


def _check(context: Context, named: Reference, destinations: dict[str, Any]) -> None:
    for side in destinations.values():
        arn = side.get("Destination")
        if not arn:
            continue
        if arn in (named.arn, named.function_arn):
            raise invalid("You can't specify the function as a destination for itself.")
        check_target(context.store.read, "Destination", arn)


def _require(context: Context, named: Reference) -> dict[str, Any]:
    row = require(context.store.read, named)
    said: dict[str, Any] | None = row.state.get("events", {}).get(named.qualifier)
    if said is None:
        arn = f"{named.function_arn}:{named.qualifier or LATEST}"
        raise not_found(f"The function {arn} doesn't have an EventInvokeConfig")
    return said


def _shown(named: Reference, said: dict[str, Any]) -> Output:
    return {
        "LastModified": datetime.fromtimestamp(said["modified"], UTC),
        "FunctionArn": f"{named.function_arn}:{named.qualifier or LATEST}",
        **{member: said[member] for member in _MEMBERS if member in said},
        "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}, **(said.get("DestinationConfig") or {})},
    }
