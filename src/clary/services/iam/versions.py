"""Versions of managed policies: one of them is in force
(https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clary.errors import AWSError
from clary.identity.managed import Managed, managed_policies
from clary.services.context import Context
from clary.services.iam.entities import save, shown_document
from clary.services.iam.errors import delete_conflict, limit_exceeded, no_such_entity
from clary.services.iam.listing import numbered
from clary.services.iam.policies import require_policy, sized, version_of
from clary.services.iam.publication import write
from clary.services.iam.service import SERVICE
from clary.store.rows import Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_VERSIONS_AT_MOST = 5


def shown_version(row: Row, version: str, *, document: bool) -> dict[str, Any]:
    """The shape `PolicyVersion`, of a customer's policy."""
    found = row.state["versions"][version]
    out = {
        "VersionId": version,
        "IsDefaultVersion": version == row.state["default"],
        "CreateDate": datetime.fromtimestamp(found["created"], UTC),
    }
    return out | ({"Document": shown_document(found["document"])} if document else {})


def shown_managed_version(policy: Managed, *, document: bool) -> dict[str, Any]:
    """The same of one of AWS's: its current version is the one that is known."""
    out = {"VersionId": policy.version, "IsDefaultVersion": True, "CreateDate": policy.updated}
    return out | ({"Document": shown_document(policy.document)} if document else {})


def _require_version(row: Row, version: str) -> str:
    if version not in row.state["versions"]:
        raise _no_version(row.arn, version)
    return version


def _no_version(arn: str, version: str) -> AWSError:
    return no_such_entity(f"Policy {arn} version {version} does not exist or is not attachable.")


@SERVICE.operation("CreatePolicyVersion")
def create_policy_version(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    account, text = context.call.principal.account, sized(params["PolicyDocument"])

    def change(transaction: Transaction) -> tuple[Row, str]:
        row = require_policy(transaction, account, params["PolicyArn"])
        if len(row.state["versions"]) >= _VERSIONS_AT_MOST:
            raise limit_exceeded(
                f"A managed policy can have up to {_VERSIONS_AT_MOST} versions. Before you create a new version, you "
                "must delete an existing version."
            )
        number = row.state["latest"] + 1
        name = f"v{number}"
        default = name if params.get("SetAsDefault") else row.state["default"]
        versions = {**row.state["versions"], name: version_of(text)}
        return save(transaction, row, versions=versions, latest=number, default=default), name

    return {"PolicyVersion": shown_version(*write(context, change), document=False)}


@SERVICE.operation("GetPolicyVersion")
def get_policy_version(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    arn, version = params["PolicyArn"], params["VersionId"]
    managed = managed_policies().get(arn)
    if managed is not None:
        if version != managed.version:
            raise _no_version(arn, version)
        return {"PolicyVersion": shown_managed_version(managed, document=True)}
    row = require_policy(context.store.read, context.call.principal.account, arn)
    return {"PolicyVersion": shown_version(row, _require_version(row, version), document=True)}


@SERVICE.operation("ListPolicyVersions")
def list_policy_versions(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    managed = managed_policies().get(params["PolicyArn"])
    if managed is not None:
        return {"Versions": [shown_managed_version(managed, document=False)], "IsTruncated": False}
    row = require_policy(context.store.read, context.call.principal.account, params["PolicyArn"])
    newest_first = sorted(row.state["versions"], key=lambda version: -int(version[1:]))
    return numbered("Versions", newest_first, params, lambda version: shown_version(row, version, document=False))


@SERVICE.operation("SetDefaultPolicyVersion")
def set_default_policy_version(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def change(transaction: Transaction) -> None:
        row = require_policy(transaction, context.call.principal.account, params["PolicyArn"])
        save(transaction, row, default=_require_version(row, params["VersionId"]))

    write(context, change)
    return {}


@SERVICE.operation("DeletePolicyVersion")
def delete_policy_version(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    def change(transaction: Transaction) -> None:
        row = require_policy(transaction, context.call.principal.account, params["PolicyArn"])
        version = _require_version(row, params["VersionId"])
        if version == row.state["default"]:
            raise delete_conflict("Cannot delete the default version of a policy.")
        save(transaction, row, versions={each: v for each, v in row.state["versions"].items() if each != version})

    write(context, change)
    return {}
