"""Reserved concurrency, and what the account has
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from clary.compute.machine import machine
from clary.functions.limits import concurrency
from clary.lifecycles.function import KIND
from clary.services.context import Context
from clary.services.lambda_.code import INLINE_BYTES
from clary.services.lambda_.errors import invalid
from clary.services.lambda_.rows import change_function, of, require
from clary.services.lambda_.service import SERVICE
from clary.services.resources import Output, Params
from clary.store.rows import Row
from clary.workload.functions.zips import UNZIPPED_BYTES

_ALL_CODE_BYTES = 80_530_636_800
"""Of all functions and layers of an account: 75 GB."""

_UNRESERVED = 100
"""So many are always left to functions without a reservation, as far as the account has so many."""


def _most(context: Context) -> int:
    return concurrency(machine(context.settings.capacity).memory_bytes)


def _functions(context: Context) -> list[Row]:
    owner = (context.account, context.region)
    return [row for row in context.store.read.rows(KIND) if (row.key.account, row.key.region) == owner]


def _reserved(rows: list[Row], but: str = "") -> int:
    return sum(row.state.get("reserved") or 0 for row in rows if row.key.name != but)


@SERVICE.operation("PutFunctionConcurrency")
def put(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, InvalidParameterValueException."""
    named, wanted = of(context, params), params["ReservedConcurrentExecutions"]
    most = _most(context)
    kept = min(_UNRESERVED, most // 10)
    if wanted + _reserved(_functions(context), named.name) > most - kept:
        raise invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{kept}]."
        )
    _set(context, params, wanted)
    return {"ReservedConcurrentExecutions": wanted}


@SERVICE.operation("GetFunctionConcurrency")
def get(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    reserved = require(context.store.read, of(context, params)).state.get("reserved")
    return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}


@SERVICE.operation("DeleteFunctionConcurrency")
def delete(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    _set(context, params, None)
    return {}


@SERVICE.operation("GetAccountSettings")
def account(context: Context, _params: Params) -> Output:
    """What this machine allows, and what is used."""
    rows, most = _functions(context), _most(context)
    limit: dict[str, Any] = {
        "TotalCodeSize": _ALL_CODE_BYTES,
        "CodeSizeUnzipped": UNZIPPED_BYTES,
        "CodeSizeZipped": INLINE_BYTES,
        "ConcurrentExecutions": most,
        "UnreservedConcurrentExecutions": most - _reserved(rows),
    }
    usage = {"TotalCodeSize": sum(row.spec["CodeSize"] for row in rows), "FunctionCount": len(rows)}
    return {"AccountLimit": limit, "AccountUsage": usage}


def _set(context: Context, params: Params, wanted: int | None) -> None:
    change_function(context, of(context, params), lambda row: replace(row, state={**row.state, "reserved": wanted}))
