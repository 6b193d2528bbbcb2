"""From rows to what is published of them: whose keys there are, and which policies each user, role and group has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from clary.identity.defaults import ROLE_NAME, SESSION_NAME, session_arn
from clary.identity.published import Identities, Key, Organization, Policy, Subject
from clary.services.iam.entities import (
    ACCESS_KEY,
    ACTIVE,
    ENTITIES,
    GROUP,
    INSTANCE_PROFILE,
    MEMBER,
    ORGANIZATION,
    POLICY,
    ROLE,
    SERVER_CERTIFICATE,
    SUSPENDED,
    USER,
    Entity,
    Rows,
)
from clary.services.iam.entities import key as entity_key
from clary.store.rows import Row


def identities(reader: Rows, account: str) -> Identities:
    """Of every account all keys that are active, all users, roles and groups, and all policies but AWS's own. `account`
    is the one that this Clary began with."""
    closed = {row.key.name for row in reader.rows(MEMBER) if row.status == SUSPENDED}

    def open_(kind: str) -> list[Row]:
        return [row for row in reader.rows(kind) if row.key.account not in closed]

    entities = {entity.kind: open_(entity.kind) for entity in ENTITIES}
    found = _Gathering(reader, account, entities, open_(POLICY)).identities(open_(ACCESS_KEY))
    kinds = (INSTANCE_PROFILE.kind, SERVER_CERTIFICATE.kind)
    others = [row.arn for kind in kinds for row in open_(kind)]
    return {**found, "others": others, "organization": _organization(reader)}


def identities_of(reader: Rows, account: str, arn: str, session_policies: Sequence[str] = ()) -> Identities:
    """The same of one user, role or group alone, for a question that control asks itself: nobody where it is gone."""
    row = reader.by_arn(arn)
    if row is None or row.key.account != account or row.key.kind not in _KINDS:
        return _Gathering(reader, account, {}, ()).identities(())
    holders = [row, *_groups_of(reader, row)]
    entities = {kind: [each for each in holders if each.key.kind == kind] for kind in _KINDS}
    customers = _customers_policies(reader, {*session_policies, *_named(holders)})
    return _Gathering(reader, account, entities, customers).identities(())


def _organization(reader: Rows) -> Organization | None:
    for row in reader.rows(ORGANIZATION):
        path = f"{row.spec['Id']}/{row.spec['RootId']}/"
        return {"id": row.spec["Id"], "path": path, "accounts": [each.key.name for each in reader.rows(MEMBER)]}
    return None


_KINDS = frozenset(entity.kind for entity in ENTITIES)


def _groups_of(reader: Rows, user: Row) -> Iterator[Row]:
    for name in user.state.get("groups", ()):
        group = reader.get(entity_key(GROUP, user.key.account, name))
        if group is not None:
            yield group


def _named(holders: Iterable[Row]) -> Iterator[str]:
    """ARNs of the policies that are attached, or bound."""
    for row in holders:
        yield from row.state["attached"]
        if row.state.get("boundary"):
            yield row.state["boundary"]


def _customers_policies(reader: Rows, names: Iterable[str]) -> Iterator[Row]:
    for name in names:
        row = reader.by_arn(name)
        if row is not None and row.key.kind == POLICY:
            yield row


def _in_force(row: Row) -> Policy:
    return {"type": "IAM Policy", "document": row.state["versions"][row.state["default"]]["document"]}


class _Gathering:
    """Rows, put together into what is published."""

    def __init__(
        self, reader: Rows, account: str, entities: Mapping[str, Iterable[Row]], customers: Iterable[Row]
    ) -> None:
        self._reader = reader
        self._account = account
        self._entities = {
            entity.kind: {(row.key.account, row.key.name): row for row in entities.get(entity.kind, ())}
            for entity in ENTITIES
        }
        self._policies: dict[str, Policy] = {row.arn: _in_force(row) for row in customers}

    def identities(self, keys: Iterable[Row]) -> Identities:
        subjects = {
            row.arn: self._subject(entity, row) for entity in ENTITIES for row in self._entities[entity.kind].values()
        }
        known = {row.key.name: key for row in keys if (key := self._key(row))}
        return {"account": self._account, "keys": known, "subjects": subjects, "policies": self._policies}

    def _subject(self, entity: Entity, row: Row) -> Subject:
        names = list(self._policies_of(entity, row))
        named = ((row.key.account, name) for name in row.state.get("groups", ()))
        groups = (self._entities[GROUP.kind].get(name) for name in named)
        for group in groups:
            names += self._policies_of(GROUP, group) if group else ()  # gone since: the next publication knows
        return {
            "id": row.spec[entity.id_member],
            "name": row.spec[entity.name_member],
            "policies": list(dict.fromkeys(names)),
            "boundary": row.state.get("boundary"),
            "tags": self._reader.tags(row.arn),
        }

    def _policies_of(self, entity: Entity, row: Row) -> Iterable[str]:
        owner = f"{row.key.account}:{entity.kind}/{row.spec[entity.name_member]}"
        for name, text in row.state["inline"].items():
            unique = f"{owner}/{name}"
            self._policies[unique] = {"type": entity.kind, "document": text}
            yield unique
        yield from row.state["attached"]

    def _key(self, row: Row) -> Key | None:
        if row.status != ACTIVE:
            return None
        user = self._entities[USER.kind].get((row.key.account, row.parent))
        if user is None:
            return self._default_key(row)
        return {
            "secret": row.state["secret"],
            "kind": "user",
            "arn": user.arn,
            "identity": user.arn,
            "user_id": user.spec[USER.id_member],
        }

    def _default_key(self, row: Row) -> Key | None:
        """The first key speaks for a session of the default role."""
        key = entity_key(ROLE, row.key.account, ROLE_NAME)
        role = self._entities[ROLE.kind].get((key.account, key.name))
        if role is None or row.parent:
            return None
        return {
            "secret": row.state["secret"],
            "kind": "assumed-role",
            "arn": session_arn(role.key.account, role.arn, SESSION_NAME),
            "identity": role.arn,
            "user_id": f"{role.spec[ROLE.id_member]}:{SESSION_NAME}",
        }
