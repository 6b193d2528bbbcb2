"""RotateSecret and CancelRotateSecret; a controller asks the function for one step after the other
(https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clary.calls import Call, service_principal
from clary.errors import AccessDenied, AWSError
from clary.keys.rotation import STEPS, TRIAL, answered, begun, hastened, plan, request, with_plan
from clary.keys.secrets import CURRENT, KIND, PENDING, SERVICE
from clary.names import Arn
from clary.services.context import Context
from clary.services.resources import Output, Params, now
from clary.services.secretsmanager.errors import invalid, refused
from clary.services.secretsmanager.found import change, check_token, on_secret
from clary.services.secretsmanager.schedule import check, following
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store import Store
    from clary.store.transaction import Transaction

_OURS = 500

_log = logging.getLogger(__name__)


@on_secret("RotateSecret")
def rotate(context: Context, params: Params, row: Row) -> Output:
    """Answers when a rotation has begun, or where none is wanted yet, a trial of the function. Raises
    InvalidRequestException, InvalidParameterException, AccessDeniedException."""
    token, immediately = check_token(params), params.get("RotateImmediately", True)
    if params.get("ExternalSecretRotationMetadata") or params.get("ExternalSecretRotationRoleArn"):
        raise invalid("Rotation of external secrets is not offered by Clary.")
    function = params.get("RotationLambdaARN") or plan(row).get("function")
    if not function:
        raise refused("No Lambda rotation function ARN is associated with this secret.")
    rules = params.get("RotationRules") or plan(row).get("rules") or {}
    check(rules)
    _check_function(context, function, row)

    def changed(there: Row) -> Row:
        if _begun_before(there, token):
            return there
        planned = with_plan(there, enabled=True, function=function, rules=rules, next=_next(rules))
        if _incomplete(there):
            return _reattempted(planned)
        return begun(planned, token, STEPS if immediately else TRIAL, now().timestamp())

    incomplete = _incomplete(row) and not _begun_before(row, token)
    stored = change(context, row, changed)
    if incomplete and plan(stored).get("run"):
        raise refused("A previous rotation isn't complete. That rotation will be reattempted.")
    return {"ARN": row.arn, "Name": row.key.name, "VersionId": token}


def _begun_before(row: Row, token: str) -> bool:
    """By this very request, which the SDK tries again."""
    return bool(row.state["stages"].get(PENDING) == token)


def _incomplete(row: Row) -> bool:
    pending, current = (row.state["stages"].get(label) for label in (PENDING, CURRENT))
    return pending is not None and pending != current


def _reattempted(row: Row) -> Row:
    """Its version is kept: functions find what they have already done."""
    moment = now().timestamp()
    if plan(row).get("run"):
        return hastened(row, moment)
    return begun(row, row.state["stages"][PENDING], STEPS, moment)


def _next(rules: Mapping[str, Any]) -> float | None:
    found = following(rules, now())
    return found.timestamp() if found else None


def _check_function(context: Context, function: str, row: Row) -> None:
    """Whether it is there, and lets Secrets Manager in. Raises AccessDeniedException."""
    params = {"FunctionName": function, "InvocationType": "DryRun", "Payload": b""}
    principal = service_principal(row.key.account, SERVICE)
    region = Arn.parse(function).region if function.startswith("arn:") else row.key.region
    try:
        context.invoke(Call(principal, "lambda", "Invoke", params, region, parent=row.arn))
    except AWSError as error:
        if error.status >= _OURS:
            raise
        raise AccessDenied(
            "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants "
            "access to the principal secretsmanager.amazonaws.com."
        ) from None


@on_secret("CancelRotateSecret")
def cancel(context: Context, _params: Params, row: Row) -> Output:
    """Function and rules stay, and the label of what was under way: the caller looks at what has become of it. Raises
    ResourceNotFoundException."""
    change(context, row, lambda there: with_plan(there, enabled=False, next=None, run=None))
    return {"ARN": row.arn, "Name": row.key.name}


def step_done(store: Store, wake: Callable[[Key], None], told: Mapping[str, Any]) -> dict[str, Any]:
    """A function has answered: `secret` (its ARN), `request` (what it was asked for) and `error`. What was told before
    is nothing new."""

    def write(transaction: Transaction) -> Row | None:
        row = transaction.by_arn(told["secret"])
        if row is None or row.key.kind != KIND or not plan(row).get("run") or request(row) != told["request"]:
            return None
        moment = now()
        after = answered(row, failed=bool(told["error"]), now=moment.timestamp())
        if plan(after).get("run") is None and plan(after).get("enabled"):
            after = with_plan(after, next=_next(plan(after).get("rules") or {}))
        rotated = plan(after).get("rotated") != plan(row).get("rotated")
        return transaction.save(replace(after, modified=moment) if rotated else after)

    row = store.write(write)
    if row is not None:
        if told["error"]:
            _log.warning("a step of the rotation of %s has failed: %s", row.arn, told["error"])
        wake(row.key)
    return {}
