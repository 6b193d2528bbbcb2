"""Managed policies: the customer's own, with their versions, and AWS's
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_Policy.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from clary.identity.managed import Managed, managed_policies
from clary.names import Arn, unique_id
from clary.services.context import Context
from clary.services.iam.attachments import checked_policy, policy_row
from clary.services.iam.entities import ENTITIES, POLICY, Rows, all_of, asked_tags, save, shown_document, shown_tags
from clary.services.iam.errors import delete_conflict, entity_exists, limit_exceeded, no_such_entity
from clary.services.iam.listing import numbered, page
from clary.services.iam.publication import write
from clary.services.iam.service import SERVICE
from clary.store.rows import AlreadyExists, Key, Row
from clary.store.transaction import Transaction

_VERSIONS_AT_MOST = 5
_POLICY_BYTES = 6144


def _version(text: str) -> dict[str, Any]:
    return {"document": text, "created": datetime.now(UTC).timestamp()}


def _sized(text: str) -> str:
    if len("".join(checked_policy(text).split())) > _POLICY_BYTES:
        raise limit_exceeded(f"Cannot exceed quota for PolicySize: {_POLICY_BYTES}")
    return text


def require_policy(rows: Rows, account: str, arn: str) -> Row:
    """A customer's policy. Raises NoSuchEntity, for AWS's own too: they cannot be changed."""
    row = policy_row(rows, account, arn)
    if row is None:
        raise no_such_entity(f"Policy {arn} was not found.")
    return row


def _holders(rows: Rows, account: str, arn: str, usage: str = "attached") -> Iterator[tuple[str, Row]]:
    for entity in ENTITIES:
        for row in all_of(rows, entity.kind, account):
            if (usage == "attached" and arn in row.state["attached"]) or (
                usage == "boundary" and arn == row.state["boundary"]
            ):
                yield entity.noun, row


def _counts(rows: Rows, account: str, arn: str) -> dict[str, Any]:
    return {
        "AttachmentCount": sum(1 for _ in _holders(rows, account, arn)),
        "PermissionsBoundaryUsageCount": sum(1 for _ in _holders(rows, account, arn, "boundary")),
        "IsAttachable": True,
    }


def _shown_managed(policy: Managed, counts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.version,
        "CreateDate": policy.created,
        "UpdateDate": policy.created,
        **counts,
    }


def _shown(row: Row, counts: Mapping[str, Any]) -> dict[str, Any]:
    out = {
        "PolicyName": row.spec["PolicyName"],
        "PolicyId": row.spec["PolicyId"],
        "Arn": row.arn,
        "Path": row.spec["Path"],
        "DefaultVersionId": row.state["default"],
        "CreateDate": row.created,
        "UpdateDate": row.modified,
        **counts,
    }
    if row.spec.get("Description"):
        out["Description"] = row.spec["Description"]
    return out


@SERVICE.operation("CreatePolicy")
def create_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    account, name, path = context.call.principal.account, params["PolicyName"], params.get("Path", "/")
    now, tags = datetime.now(UTC), asked_tags(params)
    row = Row(
        key=Key(POLICY, account, "", name.lower()),
        arn=str(Arn("iam", "", account, f"policy{path}{name}")),
        status="",
        created=now,
        modified=now,
        spec={
            "PolicyName": name,
            "PolicyId": unique_id("ANPA"),
            "Path": path,
            "Description": params.get("Description", ""),
        },
        state={"default": "v1", "latest": 1, "versions": {"v1": _version(_sized(params["PolicyDocument"]))}},
    )

    def change(transaction: Transaction) -> Row:
        try:
            stored = transaction.insert(row)
        except AlreadyExists as clash:
            raise entity_exists(f"A policy called {name} already exists. Duplicate names are not allowed.") from clash
        transaction.set_tags(row.arn, tags)
        return stored

    out = _shown(
        write(context, change), {"AttachmentCount": 0, "PermissionsBoundaryUsageCount": 0, "IsAttachable": True}
    )
    return {"Policy": out | ({"Tags": shown_tags(tags)} if tags else {})}


@SERVICE.operation("GetPolicy")
def get_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader, account, arn = context.store.read, context.call.principal.account, params["PolicyArn"]
    counts, managed = _counts(reader, account, arn), managed_policies().get(arn)
    if managed is not None:
        return {"Policy": _shown_managed(managed, counts)}
    return {"Policy": _shown(require_policy(reader, account, arn), counts) | {"Tags": shown_tags(reader.tags(arn))}}


@SERVICE.operation("ListPolicies")
def list_policies(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader, account, scope = context.store.read, context.call.principal.account, params.get("Scope", "All")
    found: list[dict[str, Any]] = []
    if scope in ("All", "AWS"):
        found += [_shown_managed(each, _counts(reader, account, each.arn)) for each in managed_policies().values()]
    if scope in ("All", "Local"):
        found += [_shown(row, _counts(reader, account, row.arn)) for row in all_of(reader, POLICY, account)]
    chosen = [policy for policy in found if _asked_for(policy, params)]
    return page("Policies", chosen, params, lambda policy: policy["Arn"], lambda policy: policy)


_USAGE = {"PermissionsPolicy": "AttachmentCount", "PermissionsBoundary": "PermissionsBoundaryUsageCount"}


def _asked_for(policy: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    if not policy["Path"].startswith(params.get("PathPrefix", "/")):
        return False
    counted = _USAGE[params.get("PolicyUsageFilter", "PermissionsPolicy")]
    return bool(policy[counted]) or not (params.get("OnlyAttached") or "PolicyUsageFilter" in params)


@SERVICE.operation("DeletePolicy")
def delete_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    account, arn = context.call.principal.account, params["PolicyArn"]

    def change(transaction: Transaction) -> None:
        row = require_policy(transaction, account, arn)
        if any(_holders(transaction, account, arn)) or any(_holders(transaction, account, arn, "boundary")):
            raise delete_conflict("Cannot delete a policy attached to entities.")
        if len(row.state["versions"]) > 1:
            raise delete_conflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                "versions. The default version is deleted with the policy."
            )
        transaction.delete(row.key)

    write(context, change)
    return {}


@SERVICE.operation("ListEntitiesForPolicy")
def list_entities_for_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader, account, arn = context.store.read, context.call.principal.account, params["PolicyArn"]
    if arn not in managed_policies():
        require_policy(reader, account, arn)
    usage = "boundary" if params.get("PolicyUsageFilter") == "PermissionsBoundary" else "attached"
    wanted, prefix = params.get("EntityFilter"), params.get("PathPrefix", "/")
    holders = [
        (noun, row)
        for noun, row in _holders(reader, account, arn, usage)
        if wanted in (None, noun) and row.spec["Path"].startswith(prefix)
    ]
    shown = {
        f"Policy{entity.noun}s": [
            {entity.name_member: row.spec[entity.name_member], entity.id_member: row.spec[entity.id_member]}
            for noun, row in holders
            if noun == entity.noun
        ]
        for entity in ENTITIES
    }
    return shown | {"IsTruncated": False}


def _shown_version(row: Row, version: str, *, document: bool) -> dict[str, Any]:
    found = row.state["versions"][version]
    out = {
        "VersionId": version,
        "IsDefaultVersion": version == row.state["default"],
        "CreateDate": datetime.fromtimestamp(found["created"], UTC),
    }
    return out | ({"Document": shown_document(found["document"])} if document else {})


def _shown_managed_version(policy: Managed, *, document: bool) -> dict[str, Any]:
    out = {"VersionId": policy.version, "IsDefaultVersion": True, "CreateDate": policy.created}
    return out | ({"Document": shown_document(policy.document)} if document else {})


def _require_version(row: Row, version: str) -> str:
    if version not in row.state["versions"]:
        raise _no_version(row.arn, version)
    return version


def _no_version(arn: str, version: str) -> Exception:
    return no_such_entity(f"Policy {arn} version {version} does not exist or is not attachable.")


@SERVICE.operation("CreatePolicyVersion")
def create_policy_version(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    account, text = context.call.principal.account, _sized(params["PolicyDocument"])

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
        versions = {**row.state["versions"], name: _version(text)}
        return save(transaction, row, versions=versions, latest=number, default=default), name

    return {"PolicyVersion": _shown_version(*write(context, change), document=False)}


@SERVICE.operation("GetPolicyVersion")
def get_policy_version(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    arn, version = params["PolicyArn"], params["VersionId"]
    managed = managed_policies().get(arn)
    if managed is not None:
        if version != managed.version:
            raise _no_version(arn, version)
        return {"PolicyVersion": _shown_managed_version(managed, document=True)}
    row = require_policy(context.store.read, context.call.principal.account, arn)
    return {"PolicyVersion": _shown_version(row, _require_version(row, version), document=True)}


@SERVICE.operation("ListPolicyVersions")
def list_policy_versions(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    managed = managed_policies().get(params["PolicyArn"])
    if managed is not None:
        return {"Versions": [_shown_managed_version(managed, document=False)], "IsTruncated": False}
    row = require_policy(context.store.read, context.call.principal.account, params["PolicyArn"])
    newest_first = sorted(row.state["versions"], key=lambda version: -int(version[1:]))
    return numbered("Versions", newest_first, params, lambda version: _shown_version(row, version, document=False))


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
