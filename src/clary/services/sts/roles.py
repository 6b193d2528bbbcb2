"""AssumeRole (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from clary.calls import Access
from clary.errors import AWSError
from clary.identity.context import context_of
from clary.identity.denial import coded
from clary.identity.directory import Directory
from clary.identity.grammar import check_identity_policy
from clary.identity.issuing import role_principal
from clary.identity.managed import managed_policies
from clary.identity.policy import MalformedPolicy, Question, compile_policy
from clary.identity.sealing import Sealer
from clary.identity.trust import trust_of_principal
from clary.services.context import Context
from clary.services.iam.attachments import policy_row
from clary.services.iam.entities import ROLE, Rows
from clary.services.iam.gathering import identities_of
from clary.services.sts.service import SERVICE
from clary.services.sts.sessions import is_session
from clary.store.rows import Row

_DEFAULT_SECONDS = 3600
_CHAINED_SECONDS = 3600
_PACKED_BYTES = 2048
"""Session policies and tags together, packed; AWS's packing is its own, and this counts letters."""


@SERVICE.operation("AssumeRole")
def assume_role(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader, settings, arn = context.store.read, context.settings, params["RoleArn"]
    role = _role(reader, arn)
    if settings.auth != "off":
        who = context.call.principal
        own = identities_of(reader, who.account, who.identity, who.session_policies)
        _check_may_assume(context, params, role, Directory(own))
    seconds = _seconds(context, params, role)
    policies = tuple(_session_policies(reader, settings.account_id, params))
    tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags") or ()}
    packed = _packed(policies, tags)
    known = identities_of(reader, settings.account_id, arn)
    principal = role_principal(known, settings.account_id, arn, params["RoleSessionName"])
    issued = Sealer.of(settings.data_dir).issue(
        principal, seconds, policies=policies, tags=tags, source_identity=params.get("SourceIdentity", "")
    )
    out: dict[str, Any] = {
        "Credentials": issued.sts(),
        "AssumedRoleUser": {"AssumedRoleId": principal.user_id, "Arn": principal.arn},
    }
    if policies or tags:
        out["PackedPolicySize"] = packed
    if params.get("SourceIdentity"):
        out["SourceIdentity"] = params["SourceIdentity"]
    return out


def _role(reader: Rows, arn: str) -> Row | None:
    row = reader.by_arn(arn)
    return row if row is not None and row.key.kind == ROLE.kind else None


def _refused(context: Context, action: str, arn: str) -> AWSError:
    who = context.call.principal.arn
    return coded("sts", f"User: {who} is not authorized to perform: {action} on resource: {arn}")


def _actions(params: Mapping[str, Any]) -> Iterator[str]:
    yield "sts:AssumeRole"
    if params.get("Tags"):
        yield "sts:TagSession"
    if params.get("SourceIdentity"):
        yield "sts:SetSourceIdentity"


def _keys(params: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """The condition keys of STS (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html)."""
    keys: dict[str, str | list[str]] = {"sts:RoleSessionName": params["RoleSessionName"]}
    for member, name in (("ExternalId", "sts:ExternalId"), ("SourceIdentity", "sts:SourceIdentity")):
        if params.get(member):
            keys[name] = params[member]
    tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags") or ()}
    keys |= {f"aws:RequestTag/{name}": value for name, value in tags.items()}
    if tags:
        keys["aws:TagKeys"] = list(tags)
    return keys


def _check_may_assume(context: Context, params: Mapping[str, Any], role: Row | None, directory: Directory) -> None:
    """The role's trust names the caller itself, or it names the account and the caller's own policies allow it."""
    call, keys = context.call, _keys(params)
    for action in _actions(params):
        if role is None:
            raise _refused(context, action, params["RoleArn"])
        question = Question(action, role.arn, lambda: context_of(call, role.key.account, {}, keys))
        trust = compile_policy(role.spec["AssumeRolePolicyDocument"], role.arn)
        said = trust_of_principal(trust, question, call.principal)
        own = directory.decide(call, Access(action, role.arn, keys))
        if said in ("denied", "none") or own.effect == "explicitDeny" or (said == "account" and not own.allowed):
            raise _refused(context, action, role.arn)


def _seconds(context: Context, params: Mapping[str, Any], role: Row | None) -> int:
    seconds: int = params.get("DurationSeconds", _DEFAULT_SECONDS)
    if role is not None and seconds > role.spec["MaxSessionDuration"]:
        raise AWSError(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    principal = context.call.principal
    chained = principal.kind == "assumed-role" and is_session(principal.access_key_id)
    if chained and seconds > _CHAINED_SECONDS:
        raise AWSError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        )
    return seconds


def _session_policies(reader: Rows, account: str, params: Mapping[str, Any]) -> Iterator[str]:
    if params.get("Policy"):
        yield _checked(params["Policy"])
    for descriptor in params.get("PolicyArns") or ():
        yield _existing(reader, account, descriptor["arn"])


def _checked(text: str) -> str:
    try:
        check_identity_policy(text)
    except MalformedPolicy as error:
        raise AWSError("MalformedPolicyDocument", str(error)) from error
    return text


def _existing(reader: Rows, account: str, arn: str) -> str:
    if arn not in managed_policies() and policy_row(reader, account, arn) is None:
        raise AWSError("MalformedPolicyDocument", f"Policy {arn} does not exist or is not attachable.")
    return arn


def _packed(policies: tuple[str, ...], tags: Mapping[str, str]) -> int:
    """Percent of what fits. Raises PackedPolicyTooLarge."""
    used = sum(map(len, policies)) + sum(len(name) + len(value) for name, value in tags.items())
    percent = -(-used * 100 // _PACKED_BYTES)
    if percent > 100:
        raise AWSError("PackedPolicyTooLarge", f"Serialized token too large for session: {percent}% of its limit")
    return percent
