"""AssumeRole (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from clary.calls import Access, Principal
from clary.errors import AWSError
from clary.identity.denial import coded
from clary.identity.directory import Directory
from clary.identity.issuing import role_principal
from clary.identity.policy import compile_policy
from clary.identity.resource_policy import ResourcePolicy
from clary.names import account_of
from clary.services.context import Context
from clary.services.iam.entities import ROLE, Rows, is_suspended
from clary.services.iam.gathering import identities_of
from clary.services.iam.mfa import check_code
from clary.services.sts.service import SERVICE
from clary.services.sts.sessions import is_session
from clary.services.sts.terms import Terms, issued, session_policies, session_tags, transitive_names
from clary.store.rows import Row

_DEFAULT_SECONDS = 3600
_CHAINED_SECONDS = 3600


@SERVICE.operation("AssumeRole")
def assume_role(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader, settings, caller = context.store.read, context.settings, context.call.principal
    check_arn(params["RoleArn"])
    role, terms = find_role(reader, params["RoleArn"]), _terms(context, params)
    if params.get("TokenCode"):
        check_code(context, params.get("SerialNumber", ""), params["TokenCode"])
    if settings.auth != "off":
        own = identities_of(reader, caller.account, caller.identity, caller.session_policies)
        _check_may_assume(context, params, role, Directory(own))
    seconds = role_seconds(params, role)
    _check_chaining(caller, seconds)
    return begun(context, params, seconds, terms)


def begun(context: Context, params: Mapping[str, Any], seconds: int, terms: Terms) -> dict[str, Any]:
    """What every AssumeRole… answers of the session that it begins. Raises PackedPolicyTooLarge."""
    arn = params["RoleArn"]
    known = identities_of(context.store.read, account_of(arn), arn)
    principal = role_principal(known, context.settings.account_id, arn, params["RoleSessionName"])
    out: dict[str, Any] = {
        **terms.packed(),
        "Credentials": issued(context, principal, seconds, terms).sts(),
        "AssumedRoleUser": {"AssumedRoleId": principal.user_id, "Arn": principal.arn},
    }
    return out | ({"SourceIdentity": terms.source_identity} if terms.source_identity else {})


def check_arn(text: str) -> None:
    """Raises ValidationError for what is no ARN at all; of whom it is, and whether there is one, is asked after."""
    parts = text.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn" or not (parts[1] and parts[2] and parts[5]):
        raise AWSError("ValidationError", f"{text} is invalid")


def find_role(rows: Rows, arn: str) -> Row | None:
    """The role, if there is one, and its account was not closed."""
    row = rows.by_arn(arn)
    return row if row is not None and row.key.kind == ROLE.kind and not is_suspended(rows, row.key.account) else None


def _terms(context: Context, params: Mapping[str, Any]) -> Terms:
    caller = context.call.principal
    tags = session_tags(params, caller.transitive_tags)
    return Terms(
        policies=session_policies(context.store.read, account_of(params["RoleArn"]), params),
        tags=tags,
        transitive=transitive_names(params, tags, caller.transitive_tags),
        source_identity=_source_identity(context, params),
    )


def _source_identity(context: Context, params: Mapping[str, Any]) -> str:
    """Once set it stays the same through every role of a chain. Raises AccessDenied."""
    was = context.call.principal.session_context.get("aws:SourceIdentity", "")
    asked = str(params.get("SourceIdentity", ""))
    if was and asked and asked != was:
        raise _refused(context, "sts:SetSourceIdentity", params["RoleArn"])
    return was or asked


def _refused(context: Context, action: str, arn: str) -> AWSError:
    who = context.call.principal.arn
    return coded("sts", f"User: {who} is not authorized to perform: {action} on resource: {arn}")


def _actions(caller: Principal, params: Mapping[str, Any]) -> Iterator[str]:
    """What is inherited needs its right as well as what is asked for."""
    yield "sts:AssumeRole"
    if params.get("Tags") or caller.transitive_tags:
        yield "sts:TagSession"
    if params.get("SourceIdentity") or caller.session_context.get("aws:SourceIdentity"):
        yield "sts:SetSourceIdentity"


def _keys(context: Context, params: Mapping[str, Any], role: Row) -> dict[str, str | list[str]]:
    """The condition keys of STS (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html).
    Tags that are inherited stand before the role's own."""
    caller = context.call.principal
    keys: dict[str, str | list[str]] = {"sts:RoleSessionName": params["RoleSessionName"]}
    source = caller.session_context.get("aws:SourceIdentity") or params.get("SourceIdentity")
    said = {"sts:ExternalId": params.get("ExternalId"), "sts:SourceIdentity": source}
    keys |= {name: value for name, value in said.items() if value}
    tags = {**caller.transitive_tags, **{tag["Key"]: tag["Value"] for tag in params.get("Tags") or ()}}
    keys |= {f"aws:RequestTag/{name}": value for name, value in tags.items()}
    if tags:
        keys["aws:TagKeys"] = list(tags)
    if transitive := [*caller.transitive_tags, *(params.get("TransitiveTagKeys") or ())]:
        keys["sts:TransitiveTagKeys"] = transitive
    for name, value in {**context.store.read.tags(role.arn), **caller.transitive_tags}.items():
        keys[f"iam:ResourceTag/{name}"] = keys[f"aws:ResourceTag/{name}"] = value
    if params.get("TokenCode"):
        keys |= {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "0"}
    return keys


def _check_may_assume(context: Context, params: Mapping[str, Any], role: Row | None, directory: Directory) -> None:
    """The role's trust names the caller itself, or it names the account and the caller's own policies allow it. A
    session whose role is named keeps to its own policies and to the role's boundary."""
    call = context.call
    for action in _actions(call.principal, params):
        if role is None or call.principal.kind == "federated-user":
            raise _refused(context, action, params["RoleArn"])
        trust = ResourcePolicy(compile_policy(role.spec["AssumeRolePolicyDocument"], role.arn), sole=True)
        if not directory.decide_on(call, Access(action, role.arn, _keys(context, params, role)), trust).allowed:
            raise _refused(context, action, role.arn)


def role_seconds(params: Mapping[str, Any], role: Row | None) -> int:
    """How long the session lasts. Raises ValidationError where that is longer than the role allows."""
    seconds: int = params.get("DurationSeconds", _DEFAULT_SECONDS)
    if role is not None and seconds > role.spec["MaxSessionDuration"]:
        raise AWSError(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    return seconds


def _check_chaining(caller: Principal, seconds: int) -> None:
    chained = caller.kind == "assumed-role" and is_session(caller.access_key_id)
    if chained and seconds > _CHAINED_SECONDS:
        raise AWSError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        )
