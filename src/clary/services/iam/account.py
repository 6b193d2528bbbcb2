"""What concerns the account as a whole: its alias, its password policy, its summary
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clary.services.context import Context
from clary.services.iam.belongings import MFA_DEVICE
from clary.services.iam.entities import (
    GROUP,
    INSTANCE_PROFILE,
    POLICY,
    ROLE,
    SERVER_CERTIFICATE,
    USER,
    Rows,
    all_of,
)
from clary.services.iam.errors import entity_exists, no_such_entity, validation
from clary.services.iam.service import SERVICE
from clary.store.rows import Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

ACCOUNT = "iam-account"
OIDC_PROVIDER, SAML_PROVIDER = "oidc-provider", "saml-provider"

_ALIAS = re.compile(r"[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]")
_NO_POLICY: Mapping[str, Any] = {
    "MinimumPasswordLength": 8,
    "RequireSymbols": False,
    "RequireNumbers": False,
    "RequireUppercaseCharacters": False,
    "RequireLowercaseCharacters": False,
    "AllowUsersToChangePassword": False,
}
"""What holds of passwords where the account has no policy of its own."""

_ASKED_FOR_NOTHING = {**_NO_POLICY, "MinimumPasswordLength": 6}
"""UpdateAccountPasswordPolicy sets what it is not told to these
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html)."""

_QUOTAS = {
    "UsersQuota": 5000,
    "GroupsQuota": 300,
    "RolesQuota": 1000,
    "PoliciesQuota": 1500,
    "InstanceProfilesQuota": 1000,
    "ServerCertificatesQuota": 20,
    "AccessKeysPerUserQuota": 2,
    "SigningCertificatesPerUserQuota": 2,
    "GroupsPerUserQuota": 10,
    "AttachedPoliciesPerUserQuota": 10,
    "AttachedPoliciesPerGroupQuota": 10,
    "AttachedPoliciesPerRoleQuota": 10,
    "UserPolicySizeQuota": 2048,
    "GroupPolicySizeQuota": 5120,
    "RolePolicySizeQuota": 10_240,
    "AssumeRolePolicySizeQuota": 2048,
    "PolicySizeQuota": 6144,
    "VersionsPerPolicyQuota": 5,
    "PolicyVersionsInUseQuota": 10_000,
    "GlobalEndpointTokenVersion": 1,
    "AccountAccessKeysPresent": 0,
    "AccountSigningCertificatesPresent": 0,
    "AccountPasswordPresent": 0,
    "AccountMFAEnabled": 0,
}


def _key(account: str) -> Key:
    return Key(ACCOUNT, account, "", "account")


def account_row(rows: Rows, account: str) -> Mapping[str, Any]:
    """What is set for the account: `alias`, `password`; empty where nothing is."""
    row = rows.get(_key(account))
    return row.state if row else {}


def password_policy(rows: Rows, account: str) -> Mapping[str, Any]:
    """What a new password has to fulfil."""
    return account_row(rows, account).get("password") or _NO_POLICY


def set_account(transaction: Transaction, account: str, **members: Any) -> None:  # noqa: ANN401
    """Replace some of what is set."""
    row, now = transaction.get(_key(account)), datetime.now(UTC)
    if row is None:
        arn = f"arn:aws:iam::{account}:account"
        row = transaction.insert(Row(_key(account), arn, "", now, now, {}, {}))
    transaction.save(replace(row, state={**row.state, **members}, modified=now))


@SERVICE.operation("CreateAccountAlias", effect="keeps state")
def create_account_alias(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """The account has one: a new one takes the place of the old."""
    alias = params["AccountAlias"]
    if not _ALIAS.fullmatch(alias) or alias.isdigit():
        raise validation(f"The specified value for accountAlias is invalid: {alias}.")

    def change(transaction: Transaction) -> None:
        if account_row(transaction, context.account).get("alias") == alias:
            raise entity_exists(f"The account alias {alias} already exists.")
        set_account(transaction, context.account, alias=alias)

    context.store.write(change)
    return {}


@SERVICE.operation("ListAccountAliases", effect="keeps state")
def list_account_aliases(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    alias = account_row(context.store.read, context.account).get("alias")
    return {"AccountAliases": [alias] if alias else [], "IsTruncated": False}


@SERVICE.operation("DeleteAccountAlias", effect="keeps state")
def delete_account_alias(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def change(transaction: Transaction) -> None:
        if account_row(transaction, context.account).get("alias") != params["AccountAlias"]:
            raise no_such_entity(f"The account alias {params['AccountAlias']} cannot be found.")
        set_account(transaction, context.account, alias=None)

    context.store.write(change)
    return {}


@SERVICE.operation("UpdateAccountPasswordPolicy", effect="keeps state")
def update_account_password_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    policy = {**_ASKED_FOR_NOTHING, **params}
    context.store.write(lambda transaction: set_account(transaction, context.account, password=policy))
    return {}


def _require_policy(rows: Rows, account: str) -> Mapping[str, Any]:
    policy: Mapping[str, Any] | None = account_row(rows, account).get("password")
    if not policy:
        raise no_such_entity(f"The Password Policy with domain name {account} cannot be found.")
    return policy


@SERVICE.operation("GetAccountPasswordPolicy", effect="keeps state")
def get_account_password_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    policy = _require_policy(context.store.read, context.account)
    return {"PasswordPolicy": {**policy, "ExpirePasswords": bool(policy.get("MaxPasswordAge"))}}


@SERVICE.operation("DeleteAccountPasswordPolicy", effect="keeps state")
def delete_account_password_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def change(transaction: Transaction) -> None:
        _require_policy(transaction, context.account)
        set_account(transaction, context.account, password=None)

    context.store.write(change)
    return {}


@SERVICE.operation("GetAccountSummary")
def get_account_summary(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """Counts of what is there, and IAM's quotas."""
    reader, account = context.store.read, context.account
    rows = {
        kind: all_of(reader, kind, account)
        for kind in (USER.kind, GROUP.kind, ROLE.kind, POLICY, INSTANCE_PROFILE.kind, SERVER_CERTIFICATE.kind)
    }
    devices = all_of(reader, MFA_DEVICE, account)
    return {
        "SummaryMap": {
            **_QUOTAS,
            "Users": len(rows[USER.kind]),
            "Groups": len(rows[GROUP.kind]),
            "Roles": len(rows[ROLE.kind]),
            "Policies": len(rows[POLICY]),
            "PolicyVersionsInUse": sum(len(row.state["versions"]) for row in rows[POLICY]),
            "InstanceProfiles": len(rows[INSTANCE_PROFILE.kind]),
            "ServerCertificates": len(rows[SERVER_CERTIFICATE.kind]),
            "MFADevices": len(devices),
            "MFADevicesInUse": sum(bool(row.parent) for row in devices),
            "Providers": sum(len(all_of(reader, kind, account)) for kind in (OIDC_PROVIDER, SAML_PROVIDER)),
        }
    }
