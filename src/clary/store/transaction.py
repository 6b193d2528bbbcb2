"""What a function sees that writes: rows as they are within its transaction, and the changes it may make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sqlalchemy import bindparam, delete, insert, update
from sqlalchemy.exc import IntegrityError

from clary.store.records import key_values, record_of
from clary.store.rows import AlreadyExists, Key, Row, Stale
from clary.store.schema import RESOURCE, TAG
from clary.store.view import SAME_KEY, View

_UNCHANGED = RESOURCE.c.version == bindparam("b_version")
_CHANGING = ("arn", "status", "target", "version", "parent", "created", "modified", "state", "spec")

_INSERT = insert(RESOURCE)
_SAVE = update(RESOURCE).where(*SAME_KEY, _UNCHANGED).values({name: bindparam(name) for name in _CHANGING})
_DELETE = delete(RESOURCE).where(*SAME_KEY)
_SET_TAG = insert(TAG)
_REMOVE_TAG = delete(TAG).where(TAG.c.arn == bindparam("b_arn"), TAG.c.key == bindparam("b_key"))
_REMOVE_TAGS = delete(TAG).where(TAG.c.arn == bindparam("b_arn"))


class Transaction(View):
    """All of it happens, or nothing. Used only within the function that `Store.write` runs."""

    def insert(self, row: Row) -> Row:
        """The row as stored (version 1). Raises AlreadyExists."""
        stored = replace(row, version=1)
        try:
            self._connection.execute(_INSERT, record_of(stored))
        except IntegrityError as clash:
            raise AlreadyExists(row.key) from clash
        return stored

    def save(self, row: Row) -> Row:
        """Replace the row that still has `row.version`; the row as stored, its version one higher. Raises Stale."""
        stored = replace(row, version=row.version + 1)
        record = record_of(stored)
        values = {name: record[name] for name in _CHANGING}
        done = self._connection.execute(_SAVE, values | key_values(row.key) | {"b_version": row.version})
        if done.rowcount != 1:
            raise Stale(row.key)
        return stored

    def delete(self, key: Key, version: int | None = None) -> bool:
        """Delete the row and its resource's tags; False where it is not there.

        With `version`, raises Stale where the row is gone or has another.
        """
        row = self.get(key)
        if version is not None and (row is None or row.version != version):
            raise Stale(key)
        if row is None:
            return False
        self._connection.execute(_DELETE, key_values(key))
        self._connection.execute(_REMOVE_TAGS, {"b_arn": row.arn})
        return True

    def set_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """Add tags; those with a key that is there already are replaced."""
        self.remove_tags(arn, tags)
        if tags:
            self._connection.execute(_SET_TAG, [{"arn": arn, "key": key, "value": tags[key]} for key in tags])

    def remove_tags(self, arn: str, keys: Iterable[str]) -> None:
        """Remove tags by key; keys that are not there are nothing."""
        gone = [{"b_arn": arn, "b_key": key} for key in keys]
        if gone:
            self._connection.execute(_REMOVE_TAG, gone)

    def clear(self) -> None:
        """Delete every row and tag: Clary's reset."""
        for table in (RESOURCE, TAG):
            self._connection.execute(delete(table))
