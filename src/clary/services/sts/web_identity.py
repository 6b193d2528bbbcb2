"""AssumeRoleWithWebIdentity: a role for whoever an OpenID Connect provider vouches for
(https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html).

AWS fetches a provider's keys from the provider. Clary asks no other machine: whoever runs it lays the provider's JWKS
beside the data, as `oidc/HOST.json`."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from clary.errors import AWSError
from clary.identity.context import context_of
from clary.identity.denial import coded
from clary.identity.policy import Question, compile_policy
from clary.identity.trust import trusts_provider
from clary.identity.web_tokens import BadWebToken, claims_of, verified
from clary.names import Arn, account_of
from clary.services.context import Context
from clary.services.iam.account import OIDC_PROVIDER
from clary.services.sts.roles import begun, check_arn, find_role, role_seconds
from clary.services.sts.service import SERVICE
from clary.services.sts.terms import Terms, session_policies, session_tags, transitive_names
from clary.store.rows import Row

_ACTION = "sts:AssumeRoleWithWebIdentity"
_TAGS = "https://aws.amazon.com/tags"
_SOURCE_IDENTITY = "https://aws.amazon.com/source_identity"
_LATEST = 253_402_300_799.0
"""Epoch seconds: the end of the year 9999."""

_DRIFT = 300.0
"""Seconds that a provider's clock may be ahead."""


def keys_path(data_dir: Path, provider: str) -> Path:
    """Where the keys of a provider (`host/path`) lie."""
    return data_dir / "oidc" / f"{quote(provider, safe='')}.json"


@SERVICE.operation("AssumeRoleWithWebIdentity")
def assume_role_with_web_identity(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    check_arn(params["RoleArn"])
    provider, claims = _vouched(context, account_of(params["RoleArn"]), params["WebIdentityToken"])
    asked = _asked(params, claims)
    tags = session_tags(asked, {})
    terms = Terms(
        policies=session_policies(context.store.read, account_of(params["RoleArn"]), params),
        tags=tags,
        transitive=transitive_names(asked, tags, {}),
        source_identity=str(claims.get(_SOURCE_IDENTITY, "")),
        context=_provider_keys(provider, claims),
    )
    role = find_role(context.store.read, params["RoleArn"])
    if context.settings.auth != "off":
        _check_trust(context, params, role, provider, terms)
    return {
        **begun(context, params, role_seconds(params, role), terms),
        "SubjectFromWebIdentityToken": str(claims["sub"]),
        "Audience": _audience(provider, claims),
        "Provider": provider.arn,
    }


def _invalid(text: str) -> AWSError:
    return AWSError("InvalidIdentityToken", text)


def _vouched(context: Context, account: str, token: str) -> tuple[Row, dict[str, Any]]:
    """The provider, and what it says. Raises InvalidIdentityToken, ExpiredTokenException."""
    try:
        provider = _provider(context, account, str(claims_of(token).get("iss", "")))
        claims = verified(token, _keys(context, provider))
    except BadWebToken as error:
        raise _invalid(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
        ) from error
    _check_times(claims)
    if not claims.get("sub"):
        raise _invalid("Missing a required claim: sub")
    _audience(provider, claims)
    return provider, claims


def _provider(context: Context, account: str, issuer: str) -> Row:
    name = issuer.removeprefix("https://").rstrip("/")
    row = context.store.read.by_arn(str(Arn("iam", "", account, f"{OIDC_PROVIDER}/{name}")))
    if row is None or not issuer.startswith("https://"):
        raise _invalid(f"No OpenIDConnect provider found in your account for {issuer}")
    return row


def _keys(context: Context, provider: Row) -> list[Mapping[str, Any]]:
    file = keys_path(context.settings.data_dir, provider.spec["Url"])
    try:
        found = json.loads(file.read_text())["keys"]
    except (OSError, ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, list):
        raise _invalid(
            "Couldn't retrieve verification key from your identity provider, please reference "
            "AssumeRoleWithWebIdentity documentation for requirements. (Clary asks no other machine: put the "
            f"provider's JWKS into its data folder, as oidc/{file.name}.)"
        )
    return [key for key in found if isinstance(key, dict)]


def _check_times(claims: Mapping[str, Any]) -> None:
    now = time.time()
    try:
        ends, begins = float(claims["exp"]), float(claims.get("nbf", claims["iat"]))
    except (KeyError, TypeError, ValueError):
        raise _invalid("Missing a required claim: exp, iat") from None
    if not (math.isfinite(begins) and 0 <= ends <= _LATEST):
        raise _invalid("Missing a required claim: exp, iat")
    if ends <= now:
        shown = [datetime.fromtimestamp(each, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for each in (now, ends)]
        raise AWSError(
            "ExpiredTokenException",
            f"Token expired: current date/time {shown[0]} must be before the expiration date/time {shown[1]}",
        )
    if begins > now + _DRIFT:
        raise _invalid("Token is not yet valid")


def _audience(provider: Row, claims: Mapping[str, Any]) -> str:
    """Of those whom the token is for, the one that the provider is registered for. Raises InvalidIdentityToken."""
    said = claims.get("azp") or claims.get("aud")
    for each in said if isinstance(said, list) else [said]:
        if each in provider.spec["ClientIDList"]:
            return str(each)
    raise _invalid("Incorrect token audience")


def _provider_keys(provider: Row, claims: Mapping[str, Any]) -> dict[str, str]:
    name = provider.spec["Url"]
    return {
        "aws:FederatedProvider": provider.arn,
        f"{name}:sub": str(claims["sub"]),
        f"{name}:aud": _audience(provider, claims),
    }


def _asked(params: Mapping[str, Any], claims: Mapping[str, Any]) -> dict[str, Any]:
    """A request's tags stand in the token: each name with a list of one value."""
    said = claims.get(_TAGS)
    said = said if isinstance(said, dict) else {}
    tags = said.get("principal_tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(value, list) and len(value) == 1 for value in tags.values()):
        raise AWSError("IDPRejectedClaim", "The tags in the token are not valid.", status=403)
    keys = said.get("transitive_tag_keys") or []
    return {
        **params,
        "Tags": [{"Key": str(name), "Value": str(value[0])} for name, value in tags.items()],
        "TransitiveTagKeys": [str(key) for key in keys] if isinstance(keys, list) else [],
    }


def _check_trust(context: Context, params: Mapping[str, Any], role: Row | None, provider: Row, terms: Terms) -> None:
    """Raises AccessDenied where the role's trust does not let the provider's users in."""
    keys: dict[str, str | list[str]] = {**terms.context, "sts:RoleSessionName": params["RoleSessionName"]}
    actions = [_ACTION]
    if terms.tags:
        actions.append("sts:TagSession")
        keys |= {f"aws:RequestTag/{name}": value for name, value in terms.tags.items()}
        keys |= {"aws:TagKeys": list(terms.tags), "sts:TransitiveTagKeys": list(terms.transitive)}
    if terms.source_identity:
        actions.append("sts:SetSourceIdentity")
        keys["sts:SourceIdentity"] = terms.source_identity
    for action in actions:
        if role is None or not _lets_in(context, role, provider.arn, action, keys):
            raise coded("sts", f"Not authorized to perform {action}")


def _lets_in(context: Context, role: Row, provider: str, action: str, keys: Mapping[str, str | list[str]]) -> bool:
    call = context.call
    question = Question(action, role.arn, lambda: context_of(call, role.key.account, {}, keys))
    return trusts_provider(compile_policy(role.spec["AssumeRolePolicyDocument"], role.arn), question, provider)
