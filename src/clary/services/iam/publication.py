"""What every process must know of identities, published after each change of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

from clary.identity.defaults import ROLE_NAME, SESSION_NAME, session_arn
from clary.identity.published import Identities, Key, Policy, Subject, identities_path
from clary.publish import Publisher
from clary.services.context import Context
from clary.services.iam.entities import GROUP, ROLE, USER, Entity, Rows, all_of
from clary.services.iam.entities import key as entity_key
from clary.settings import Settings
from clary.store.rows import Row
from clary.store.transaction import Transaction

T = TypeVar("T")

ACCESS_KEY = "access-key"
POLICY = "policy"
ACTIVE = "Active"


def write(context: Context, change: Callable[[Transaction], T]) -> T:
    """Carry out a change of identities; when this returns, every process decides by it."""
    result = context.store.write(change)
    publish(context.store.read, context.settings)
    return result


def publish(reader: Rows, settings: Settings) -> None:
    """Publish identities as they are, unless nothing has changed since the last time."""
    _publication(settings.run_dir).publish(reader, settings)


class _Publication:
    """The last document and its publisher: one of two writers at once waits, and then reads what both have written."""

    def __init__(self, run_dir: Path) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        self._publisher = Publisher(identities_path(run_dir))
        self._last: Identities | None = None
        self._turn = threading.Lock()

    def publish(self, reader: Rows, settings: Settings) -> None:
        with self._turn:
            fresh = document(reader, settings)
            if fresh != self._last:
                self._publisher.publish(cast("dict[str, Any]", fresh))
                self._last = fresh


_publication = lru_cache(maxsize=8)(_Publication)


def document(reader: Rows, settings: Settings) -> Identities:
    """What is published."""
    return identities(reader, settings.account_id)


def identities(reader: Rows, account: str) -> Identities:
    """All keys that are active, all users, roles and groups, and all policies but AWS's own."""
    return _Gathering(reader, account).identities()


def _customers(row: Row) -> Policy:
    return {"type": "IAM Policy", "document": row.state["versions"][row.state["default"]]["document"]}


class _Gathering:
    """One reading of the store."""

    def __init__(self, reader: Rows, account: str) -> None:
        self._reader = reader
        self._account = account
        self._entities = {
            entity.kind: {row.key.name: row for row in all_of(reader, entity.kind, account)}
            for entity in (USER, ROLE, GROUP)
        }
        self._policies: dict[str, Policy] = {row.arn: _customers(row) for row in all_of(reader, POLICY, account)}

    def identities(self) -> Identities:
        subjects = {
            row.arn: self._subject(entity, row)
            for entity in (USER, ROLE, GROUP)
            for row in self._entities[entity.kind].values()
        }
        keys = {row.key.name: key for row in all_of(self._reader, ACCESS_KEY, self._account) if (key := self._key(row))}
        return {"account": self._account, "keys": keys, "subjects": subjects, "policies": self._policies}

    def _subject(self, entity: Entity, row: Row) -> Subject:
        names = list(self._policies_of(entity, row))
        groups = (self._entities[GROUP.kind].get(name) for name in row.state.get("groups", ()))
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
        owner = row.spec[entity.name_member]
        for name, text in row.state["inline"].items():
            unique = f"{entity.kind}/{owner}/{name}"
            self._policies[unique] = {"type": entity.kind, "document": text}
            yield unique
        yield from row.state["attached"]

    def _key(self, row: Row) -> Key | None:
        if row.status != ACTIVE:
            return None
        user = self._entities[USER.kind].get(row.parent)
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
        role = self._entities[ROLE.kind].get(entity_key(ROLE, self._account, ROLE_NAME).name)
        if role is None or row.parent:
            return None
        return {
            "secret": row.state["secret"],
            "kind": "assumed-role",
            "arn": session_arn(self._account, role.arn, SESSION_NAME),
            "identity": role.arn,
            "user_id": f"{role.spec[ROLE.id_member]}:{SESSION_NAME}",
        }
