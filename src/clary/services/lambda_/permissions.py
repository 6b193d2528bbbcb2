"""Resource policies: who else may invoke a function
(https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.services.context import Context
from clary.services.lambda_.errors import conflict, invalid, not_found
from clary.services.lambda_.references import LATEST, Reference
from clary.services.lambda_.rows import change_function, check_revision, fresh_id, of, require, require_qualified
from clary.services.lambda_.service import SERVICE
from clary.services.resources import Output, Params
from clary.store.rows import Row

_CONDITIONS = (
    ("SourceArn", "ArnLike", "AWS:SourceArn"),
    ("SourceAccount", "StringEquals", "AWS:SourceAccount"),
    ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
    ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
    ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
    ("InvokedViaFunctionUrl", "Bool", "lambda:InvokedViaFunctionUrl"),
)
"""Member, operator, condition key."""

Statement = dict[str, Any]


@SERVICE.operation("AddPermission")
def add(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, ResourceConflictException, InvalidParameterValueException."""
    named = of(context, params)
    if named.qualifier == LATEST:
        raise invalid("We currently do not support adding policies for $LATEST.")
    require_qualified(context.store.read, named)
    statement = _statement(named, params)

    def change(row: Row) -> Row:
        check_revision(row, params)
        there = _statements(row, named.qualifier)
        if any(each["Sid"] == statement["Sid"] for each in there):
            text = "The statement id ({}) provided already exists. Please provide a new statement id, or remove the "
            raise conflict(text.format(statement["Sid"]) + "existing statement.")
        return _with(row, named.qualifier, [*there, statement])

    change_function(context, named, change)
    return {"Statement": json.dumps(statement, separators=(",", ":"))}


@SERVICE.operation("RemovePermission")
def remove(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException."""
    named = of(context, params)

    def change(row: Row) -> Row:
        check_revision(row, params)
        there = _statements(row, named.qualifier)
        kept = [each for each in there if each["Sid"] != params["StatementId"]]
        if len(kept) == len(there):
            raise not_found(f"Statement {params['StatementId']} is not found in resource policy.")
        return _with(row, named.qualifier, kept)

    change_function(context, named, change)
    return {}


@SERVICE.operation("GetPolicy")
def get(context: Context, params: Params) -> Output:
    """Raises ResourceNotFoundException, also where there is no policy."""
    named = of(context, params)
    require_qualified(context.store.read, named)
    row = require(context.store.read, named)
    statements = _statements(row, named.qualifier)
    if not statements:
        raise not_found("The resource you requested does not exist.")
    policy = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    return {"Policy": json.dumps(policy, separators=(",", ":")), "RevisionId": row.state["revision"]}


def _statement(named: Reference, params: Params) -> Statement:
    statement: Statement = {
        "Sid": params["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(params["Principal"]),
        "Action": params["Action"],
        "Resource": named.arn,
    }
    condition: dict[str, dict[str, str]] = {}
    for member, operator, key in _CONDITIONS:
        if params.get(member) is not None:
            value = params[member]
            condition.setdefault(operator, {})[key] = str(value).lower() if isinstance(value, bool) else value
    return {**statement, "Condition": condition} if condition else statement


def _principal(given: str) -> Any:  # noqa: ANN401  `*`, or a mapping
    if given == "*":
        return "*"
    if given.endswith(".amazonaws.com"):
        return {"Service": given}
    if given.isdigit():
        return {"AWS": f"arn:aws:iam::{given}:root"}
    if given.startswith("arn:"):
        return {"AWS": given}
    raise invalid(f"The provided principal was invalid. Please check the principal and try again: {given}")


def _statements(row: Row, qualifier: str) -> list[Statement]:
    policies: Mapping[str, list[Statement]] = row.state.get("policies", {})
    return list(policies.get(qualifier, []))


def _with(row: Row, qualifier: str, statements: list[Statement]) -> Row:
    policies = {**row.state.get("policies", {}), qualifier: statements}
    kept = {name: each for name, each in policies.items() if each}
    return replace(row, state={**row.state, "policies": kept, "revision": fresh_id()})
