"""Managed policies: the customer's own, and AWS's
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_Policy.html)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clary.identity.managed import Managed, managed_policies
from clary.names import Arn, unique_id
from clary.services.context import Context
from clary.services.iam.attachments import checked_policy, policy_row
from clary.services.iam.entities import ENTITIES, POLICY, Rows, all_of, asked_tags, shown_tags
from clary.services.iam.errors import delete_conflict, entity_exists, limit_exceeded, no_such_entity
from clary.services.iam.listing import page
from clary.services.iam.publication import write
from clary.services.iam.service import SERVICE
from clary.store.rows import AlreadyExists, Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction

_POLICY_BYTES = 6144


def version_of(text: str) -> dict[str, Any]:
    """One version, as it stands in a policy's row; `created` in epoch seconds."""
    return {"document": text, "created": datetime.now(UTC).timestamp()}


def sized(text: str) -> str:
    """The document, if IAM would take it as a managed policy. Raises MalformedPolicyDocument, LimitExceeded."""
    if len("".join(checked_policy(text).split())) > _POLICY_BYTES:
        raise limit_exceeded(f"Cannot exceed quota for PolicySize: {_POLICY_BYTES}")
    return text


def require_policy(rows: Rows, account: str, arn: str) -> Row:
    """A customer's policy. Raises NoSuchEntity, for AWS's own too: they cannot be changed."""
    row = policy_row(rows, account, arn)
    if row is None:
        raise no_such_entity(f"Policy {arn} was not found.")
    return row


_Holder = tuple[str, Row]
"""The noun of an entity (`Role`) and its row."""


@dataclass(frozen=True)
class Usage:
    """Who has which policy, by ARN, read once."""

    attached: Mapping[str, list[_Holder]]
    bounding: Mapping[str, list[_Holder]]

    @classmethod
    def of(cls, rows: Rows, account: str) -> Usage:
        """Of one account."""
        usage = cls(defaultdict(list), defaultdict(list))
        for entity in ENTITIES:
            for row in all_of(rows, entity.kind, account):
                for arn in row.state["attached"]:
                    usage.attached[arn].append((entity.noun, row))
                if row.state["boundary"]:
                    usage.bounding[row.state["boundary"]].append((entity.noun, row))
        return usage

    def counts(self, arn: str) -> dict[str, Any]:
        """The members of `Policy` that tell of its use."""
        return {
            "AttachmentCount": len(self.attached.get(arn, ())),
            "PermissionsBoundaryUsageCount": len(self.bounding.get(arn, ())),
            "IsAttachable": True,
        }


def shown_managed(policy: Managed, counts: Mapping[str, Any]) -> dict[str, Any]:
    """The shape `Policy`, of one of AWS's."""
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.version,
        "CreateDate": policy.created,
        "UpdateDate": policy.updated,
        **counts,
    }


def shown_policy(row: Row, counts: Mapping[str, Any]) -> dict[str, Any]:
    """The same of a customer's."""
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
        state={"default": "v1", "latest": 1, "versions": {"v1": version_of(sized(params["PolicyDocument"]))}},
    )

    def change(transaction: Transaction) -> Row:
        try:
            stored = transaction.insert(row)
        except AlreadyExists as clash:
            raise entity_exists(f"A policy called {name} already exists. Duplicate names are not allowed.") from clash
        transaction.set_tags(row.arn, tags)
        return stored

    out = shown_policy(
        write(context, change), {"AttachmentCount": 0, "PermissionsBoundaryUsageCount": 0, "IsAttachable": True}
    )
    return {"Policy": out | ({"Tags": shown_tags(tags)} if tags else {})}


@SERVICE.operation("GetPolicy")
def get_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader, account, arn = context.store.read, context.call.principal.account, params["PolicyArn"]
    counts, managed = Usage.of(reader, account).counts(arn), managed_policies().get(arn)
    if managed is not None:
        return {"Policy": shown_managed(managed, counts)}
    found = shown_policy(require_policy(reader, account, arn), counts)
    return {"Policy": found | {"Tags": shown_tags(reader.tags(arn))}}


@SERVICE.operation("ListPolicies")
def list_policies(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    reader, account, scope = context.store.read, context.call.principal.account, params.get("Scope", "All")
    usage = Usage.of(reader, account)
    found: list[dict[str, Any]] = []
    if scope in ("All", "AWS"):
        found += [shown_managed(each, usage.counts(each.arn)) for each in managed_policies().values()]
    if scope in ("All", "Local"):
        found += [shown_policy(row, usage.counts(row.arn)) for row in all_of(reader, POLICY, account)]
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
        usage = Usage.of(transaction, account)
        if usage.attached.get(arn) or usage.bounding.get(arn):
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
    usage = Usage.of(reader, account)
    users = usage.bounding if params.get("PolicyUsageFilter") == "PermissionsBoundary" else usage.attached
    wanted, prefix = params.get("EntityFilter"), params.get("PathPrefix", "/")
    holders = [
        (noun, row)
        for noun, row in users.get(arn, ())
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
