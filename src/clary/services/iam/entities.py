"""Users, roles and groups have the same bones: a name that no other of their kind has in any case of letters, a path,
an id, and policies inline and attached."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from clary.names import Arn, unique_id
from clary.services.iam.errors import entity_exists, no_such_entity, unmodifiable
from clary.store.rows import AlreadyExists, Key, Row

if TYPE_CHECKING:  # each process loads only the parts that it holds
    from clary.store.transaction import Transaction


class Rows(Protocol):
    """Reads, within a transaction or without."""

    def get(self, key: Key) -> Row | None: ...
    def by_arn(self, arn: str) -> Row | None: ...
    def rows(self, kind: str) -> list[Row]: ...
    def tags(self, arn: str) -> dict[str, str]: ...


_INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class Entity:
    """One kind of them."""

    noun: str
    """`Role`: begins its members' names and its sentences."""
    id_prefix: str

    @property
    def kind(self) -> str:
        """The kind of its rows, and the type of its ARNs: `role`, `instance-profile`."""
        return _INNER_CAPITAL.sub("-", self.noun).lower()

    @property
    def name_member(self) -> str:
        """`RoleName`."""
        return f"{self.noun}Name"

    @property
    def id_member(self) -> str:
        """`RoleId`."""
        return f"{self.noun}Id"


USER = Entity("User", "AIDA")
ROLE = Entity("Role", "AROA")
GROUP = Entity("Group", "AGPA")
ENTITIES = (USER, ROLE, GROUP)
"""What has policies."""

INSTANCE_PROFILE = Entity("InstanceProfile", "AIPA")
SERVER_CERTIFICATE = Entity("ServerCertificate", "ASCA")
"""These have a path as well."""

SERVICE_LINKED_PATH = "/aws-service-role/"
"""Roles below it belong to services."""

ACCESS_KEY = "access-key"
POLICY = "policy"
"""The kinds of the other rows."""

ORGANIZATION, MEMBER = "organization", "account"
"""The kinds of Organizations' rows: the one organization, and its accounts, each by its id."""

SUSPENDED = "SUSPENDED"
"""The status of an account that was closed: nobody of it can do anything."""

ACTIVE = "Active"
"""The status of an access key that may sign; otherwise it is Inactive."""


def key(entity: Entity, account: str, name: str) -> Key:
    """Names are the same whatever their case."""
    return Key(entity.kind, account, "", name.lower())


def arn_of(entity: Entity, account: str, path: str, name: str) -> str:
    """`arn:aws:iam::ACCOUNT:role/PATH/NAME`."""
    return str(Arn("iam", "", account, f"{entity.kind}{path}{name}"))


def member_key(account: str) -> Key:
    """Of an account's row."""
    return Key(MEMBER, account, "", account)


def is_suspended(rows: Rows, account: str) -> bool:
    """Whether the account was closed."""
    row = rows.get(member_key(account))
    return row is not None and row.status == SUSPENDED


def require(rows: Rows, entity: Entity, account: str, name: str) -> Row:
    """The row. Raises NoSuchEntity."""
    row = rows.get(key(entity, account, name))
    if row is None:
        raise no_such_entity(f"The {entity.kind} with name {name} cannot be found.")
    return row


def require_changeable(rows: Rows, entity: Entity, account: str, name: str) -> Row:
    """The row, to be changed by a customer. Raises NoSuchEntity; UnmodifiableEntity where it is a service's."""
    row = require(rows, entity, account, name)
    if row.spec["Path"].startswith(SERVICE_LINKED_PATH):
        raise unmodifiable(
            f"Cannot perform the operation on the protected role '{row.spec[entity.name_member]}' - this role is only "
            "modifiable by AWS"
        )
    return row


def all_of(rows: Rows, kind: str, account: str) -> list[Row]:
    """All rows of a kind in one account."""
    return [row for row in rows.rows(kind) if row.key.account == account]


def new_row(
    entity: Entity,
    account: str,
    params: Mapping[str, Any],
    state: Mapping[str, Any] | None = None,
    *,
    identifier: str = "",
) -> Row:
    """A row for what a Create asks; `spec` holds its name, path, id and whatever else was asked but tags. `state` is
    that of entities without policies."""
    name, path, now = params[entity.name_member], params.get("Path", "/"), datetime.now(UTC)
    spec = {member: value for member, value in params.items() if member not in {"Tags", "PermissionsBoundary"}}
    spec |= {"Path": path, entity.id_member: identifier or unique_id(entity.id_prefix)}
    return Row(
        key=key(entity, account, name),
        arn=arn_of(entity, account, path, name),
        status="",
        created=now,
        modified=now,
        spec=spec,
        state=state or {"attached": [], "inline": {}, "boundary": params.get("PermissionsBoundary")},
    )


def insert(transaction: Transaction, entity: Entity, row: Row, tags: Mapping[str, str]) -> Row:
    """Raises EntityAlreadyExists."""
    try:
        stored = transaction.insert(row)
    except AlreadyExists as clash:
        name = row.spec[entity.name_member]
        raise entity_exists(f"{entity.noun} with name {name} already exists.") from clash
    transaction.set_tags(row.arn, tags)
    return stored


def save(transaction: Transaction, row: Row, *, spec: Mapping[str, Any] | None = None, **state: Any) -> Row:  # noqa: ANN401
    """The row with some members of its spec and its state replaced."""
    changed = replace(row, spec={**row.spec, **(spec or {})}, state={**row.state, **state}, modified=datetime.now(UTC))
    return transaction.save(changed)


def shown_document(text: str) -> str:
    """Policy documents travel percent-encoded (RFC 3986) in IAM's answers."""
    return quote(text, safe="")


def shown_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """The shape `tagListType`."""
    return [{"Key": name, "Value": value} for name, value in tags.items()]


def asked_tags(params: Mapping[str, Any]) -> dict[str, str]:
    """The inverse."""
    return {tag["Key"]: tag["Value"] for tag in params.get("Tags") or ()}


def shown(entity: Entity, row: Row, tags: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The shape `Role`, `User` or `Group`; with `tags` as Get and Create show it, without as List does."""
    out: dict[str, Any] = {
        "Path": row.spec["Path"],
        entity.name_member: row.spec[entity.name_member],
        entity.id_member: row.spec[entity.id_member],
        "Arn": row.arn,
        "CreateDate": row.created,
    }
    if tags:
        out["Tags"] = shown_tags(tags)
    if row.state.get("boundary") and tags is not None:
        out["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": row.state["boundary"],
        }
    return out
