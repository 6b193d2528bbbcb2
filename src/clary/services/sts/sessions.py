"""GetSessionToken and GetFederationToken: sessions of a user
(https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html, …API_GetFederationToken.html)."""

from __future__ import annotations

from typing import Any

from clary.calls import Principal
from clary.identity.denial import coded
from clary.names import Arn
from clary.services.context import Context
from clary.services.iam.mfa import check_code
from clary.services.sts.service import SERVICE
from clary.services.sts.terms import Terms, issued, session_policies, session_tags

_DEFAULT_SECONDS = 43_200
_NOTHING = '{"Version":"2012-10-17","Statement":[]}'
"""Without a policy a federated user may do nothing but what resources' own policies allow."""


@SERVICE.operation("GetSessionToken")
def get_session_token(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """With a code of a device of the caller's the session counts as one that was asked for it."""
    principal = context.call.principal
    _check_long_lived(principal, "GetSessionToken")
    terms = Terms()
    if params.get("TokenCode"):
        check_code(context, params.get("SerialNumber", ""), params["TokenCode"])
        terms = Terms(context={"aws:MultiFactorAuthPresent": "true"})
    return {"Credentials": issued(context, principal, params.get("DurationSeconds", _DEFAULT_SECONDS), terms).sts()}


@SERVICE.operation("GetFederationToken")
def get_federation_token(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """The session may do what both the calling user's policies and its own allow."""
    caller, name = context.call.principal, params["Name"]
    _check_long_lived(caller, "GetFederationToken")
    policies = session_policies(context.store.read, caller.account, params)
    terms = Terms(policies=policies or (_NOTHING,), tags=session_tags(params, {}))
    packed = {"PackedPolicySize": 0, **Terms(policies=policies, tags=terms.tags).packed()}
    principal = Principal(
        kind="federated-user",
        account=caller.account,
        arn=str(Arn("sts", "", caller.account, f"federated-user/{name}")),
        identity=caller.identity,
        user_id=f"{caller.account}:{name}",
        subject_id=caller.user_id.partition(":")[0],
    )
    seconds = params.get("DurationSeconds", _DEFAULT_SECONDS)
    return {
        **packed,
        "Credentials": issued(context, principal, seconds, terms).sts(),
        "FederatedUser": {"FederatedUserId": principal.user_id, "Arn": principal.arn},
    }


def _check_long_lived(principal: Principal, operation: str) -> None:
    """Raises AccessDenied for sessions."""
    if is_session(principal.access_key_id):
        raise coded("sts", f"Cannot call {operation} with session credentials")


def is_session(access_key_id: str) -> bool:
    """Whether a key is a temporary one."""
    return access_key_id.startswith("ASIA")
