"""Rotation, of which the plan alone is kept: Clary invokes no function for it
(https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html)."""

from __future__ import annotations

from dataclasses import replace

from clary.errors import AccessDenied
from clary.lifecycles.function import KIND as FUNCTION
from clary.services.context import Context
from clary.services.resources import Output, Params
from clary.services.secretsmanager.errors import invalid, refused
from clary.services.secretsmanager.found import change, on_secret
from clary.store.rows import Row

_FUNCTION_PARTS = 7


@on_secret("RotateSecret", effect="keeps state")
def rotate(context: Context, params: Params, row: Row) -> Output:
    """Keeps function and schedule; a rotation at once is refused. Raises InvalidRequestException,
    InvalidParameterException, AccessDeniedException."""
    if params.get("RotateImmediately", True):
        raise refused("Clary rotates no secret by a function: RotateImmediately=false keeps the rotation's plan.")
    if params.get("ExternalSecretRotationMetadata") or params.get("ExternalSecretRotationRoleArn"):
        raise invalid("Rotation of external secrets is not offered by Clary.")
    function = params.get("RotationLambdaARN") or (row.state.get("rotation") or {}).get("function")
    if not function:
        raise refused("No Lambda rotation function ARN is associated with this secret.")
    _check_function(context, function)
    rules = params.get("RotationRules") or (row.state.get("rotation") or {}).get("rules") or {}
    plan = {"enabled": True, "function": function, "rules": rules}
    change(context, row, lambda there: replace(there, state={**there.state, "rotation": plan}))
    return {"ARN": row.arn, "Name": row.key.name}


def _check_function(context: Context, arn: str) -> None:
    found = context.store.read.by_arn(":".join(arn.split(":")[:_FUNCTION_PARTS]))
    if found is None or found.key.kind != FUNCTION:
        raise AccessDenied(
            "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants "
            "access to the principal secretsmanager.amazonaws.com."
        )


@on_secret("CancelRotateSecret", effect="keeps state")
def cancel(context: Context, _params: Params, row: Row) -> Output:
    """Function and schedule stay. Raises ResourceNotFoundException."""

    def changed(there: Row) -> Row:
        plan = {**(there.state.get("rotation") or {}), "enabled": False}
        return replace(there, state={**there.state, "rotation": plan})

    change(context, row, changed)
    return {"ARN": row.arn, "Name": row.key.name}
