"""Roles (https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html); whether one may be passed to a service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from clary.calls import Access, Call
from clary.errors import AccessDenied, ValidationError
from clary.identity.context import context_of
from clary.identity.denial import denied
from clary.identity.directory import Directory
from clary.identity.grammar import check_trust_policy
from clary.identity.policy import MalformedPolicy, Question, compile_policy
from clary.identity.trust import trusts_service
from clary.names import account_of
from clary.services.context import Context
from clary.services.iam.attachments import require_attachable
from clary.services.iam.entities import (
    INSTANCE_PROFILE,
    ROLE,
    SERVICE_LINKED_PATH,
    Rows,
    all_of,
    asked_tags,
    insert,
    new_row,
    require,
    require_changeable,
    save,
    shown,
    shown_document,
)
from clary.services.iam.errors import delete_conflict, limit_exceeded, malformed_policy, unmodifiable
from clary.services.iam.gathering import identities_of
from clary.services.iam.listing import page
from clary.services.iam.publication import write
from clary.services.iam.service import SERVICE
from clary.services.iam.use import role_last_used
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_DEFAULT_SESSION_SECONDS = 3600
_TRUST_BYTES = 2048


def _checked_trust(context: Context, text: str) -> str:
    try:
        check_trust_policy(text)
    except MalformedPolicy as error:
        raise malformed_policy(str(error)) from error
    if len("".join(text.split())) > _TRUST_BYTES:
        raise limit_exceeded(f"Cannot exceed quota for ACLSizePerRole: {_TRUST_BYTES}")
    if context.settings.auth != "off":
        _check_principals(context.store.read, context.call.principal.account, text)
    return text


def _check_principals(reader: Rows, account: str, trust: str) -> None:
    """Users and roles of the own account must be there; of others nothing is known. Raises MalformedPolicyDocument."""
    names = (name for statement in compile_policy(trust, "trust") for name in statement.principals.get("AWS", ()))
    for name in names:
        own = name.startswith(f"arn:aws:iam::{account}:") and not name.endswith(":root")
        if own and reader.by_arn(name) is None:
            raise malformed_policy(f'Invalid principal in policy: "AWS":"{name}"')


def shown_role(row: Row, tags: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The shape `Role`; with `tags` as Get and Create show it."""
    out = shown(ROLE, row, tags) | {
        "AssumeRolePolicyDocument": shown_document(row.spec["AssumeRolePolicyDocument"]),
        "MaxSessionDuration": row.spec["MaxSessionDuration"],
    }
    if row.spec.get("Description"):
        out["Description"] = row.spec["Description"]
    if tags is not None:
        out["RoleLastUsed"] = role_last_used(row)
    return out


def created_role(row: Row, tags: Mapping[str, str]) -> dict[str, Any]:
    """The same as what creates it answers: AWS says neither how long sessions last nor when the role was used."""
    shown = shown_role(row, tags)
    return {name: value for name, value in shown.items() if name not in ("MaxSessionDuration", "RoleLastUsed")}


@SERVICE.operation("CreateRole")
def create_role(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    if params.get("Path", "/").startswith(SERVICE_LINKED_PATH):
        raise unmodifiable("Path /aws-service-role/ is reserved for service-linked roles.")
    account, tags = context.call.principal.account, asked_tags(params)
    _checked_trust(context, params["AssumeRolePolicyDocument"])
    row = new_row(ROLE, account, {"MaxSessionDuration": _DEFAULT_SESSION_SECONDS, **params})

    def change(transaction: Transaction) -> Row:
        if row.state["boundary"]:
            require_attachable(transaction, account, row.state["boundary"])
        return insert(transaction, ROLE, row, tags)

    return {"Role": created_role(write(context, change), tags)}


@SERVICE.operation("GetRole")
def get_role(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    row = require(context.store.read, ROLE, context.call.principal.account, params["RoleName"])
    return {"Role": shown_role(row, context.store.read.tags(row.arn))}


@SERVICE.operation("ListRoles")
def list_roles(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    prefix = params.get("PathPrefix", "/")
    rows = all_of(context.store.read, ROLE.kind, context.call.principal.account)
    chosen = [row for row in rows if row.spec["Path"].startswith(prefix)]
    return page("Roles", chosen, params, lambda row: row.key.name, shown_role)


def _change_spec(context: Context, params: dict[str, Any], members: dict[str, Any]) -> Row:
    def change(transaction: Transaction) -> Row:
        row = require_changeable(transaction, ROLE, context.call.principal.account, params["RoleName"])
        return save(transaction, row, spec=members)

    return write(context, change)


@SERVICE.operation("UpdateRole")
def update_role(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    _change_spec(
        context, params, {name: params[name] for name in ("Description", "MaxSessionDuration") if name in params}
    )
    return {}


@SERVICE.operation("UpdateRoleDescription")
def update_role_description(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    return {"Role": shown_role(_change_spec(context, params, {"Description": params["Description"]}))}


@SERVICE.operation("UpdateAssumeRolePolicy")
def update_assume_role_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    _change_spec(context, params, {"AssumeRolePolicyDocument": _checked_trust(context, params["PolicyDocument"])})
    return {}


@SERVICE.operation("DeleteRole")
def delete_role(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def change(transaction: Transaction) -> None:
        row = require_changeable(transaction, ROLE, context.call.principal.account, params["RoleName"])
        if row.state["attached"]:
            raise delete_conflict("Cannot delete entity, must detach all policies first.")
        if row.state["inline"]:
            raise delete_conflict("Cannot delete entity, must delete policies first.")
        profiles = all_of(transaction, INSTANCE_PROFILE.kind, row.key.account)
        if any(row.key.name in profile.state["roles"] for profile in profiles):
            raise delete_conflict("Cannot delete entity, must remove roles from instance profile first.")
        transaction.delete(row.key)

    write(context, change)
    return {}


def trusts(row: Row, call: Call, service_principal: str, source_arn: str = "") -> bool:
    """Whether the role lets a service assume it, for the account of `call` and the resource `source_arn`."""
    more = {"aws:SourceAccount": call.principal.account}
    if source_arn:
        more["aws:SourceArn"] = source_arn
    question = Question("sts:AssumeRole", row.arn, lambda: context_of(call, row.key.account, {}, more))
    return trusts_service(compile_policy(row.spec["AssumeRolePolicyDocument"], row.arn), question, service_principal)


def _may_pass(reader: Rows, call: Call, role_arn: str, service_principal: str) -> None:
    access = Access("iam:PassRole", role_arn, {"iam:PassedToService": service_principal})
    who = call.principal
    if account_of(role_arn) != who.account:
        raise AccessDenied("Cross-account pass role is not allowed.")
    decision = Directory(identities_of(reader, who.account, who.identity, who.session_policies)).decide(call, access)
    if not decision.allowed:
        raise denied(call.service, call.principal, access.action, role_arn, decision)


def check_pass_role(
    reader: Rows, call: Call, role_arn: str, service_principal: str = "sagemaker.amazonaws.com", source_arn: str = ""
) -> None:
    """What a service checks before it takes a role: the caller may pass it, it exists, and it trusts the service.

    Raises AccessDenied (iam:PassRole) or ValidationError, in AWS's words. Not to be asked under `--auth off`.
    """
    _may_pass(reader, call, role_arn, service_principal)
    row = reader.by_arn(role_arn)
    if row is None or row.key.kind != ROLE.kind or not trusts(row, call, service_principal, source_arn):
        raise ValidationError(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{service_principal}' to assume the role."
        )
