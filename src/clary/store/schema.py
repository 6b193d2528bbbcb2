"""The tables, and the steps that bring an older database to them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Index, Integer, MetaData, String, Table, Text, func, select

from clary.errors import ClaryError

_name = String().with_variant(String(collation="C"), "postgresql")  # names are ordered bytewise, in no locale's way

METADATA = MetaData()

RESOURCE = Table(
    "resource",
    METADATA,
    Column("kind", _name, primary_key=True),
    Column("account", _name, primary_key=True),
    Column("region", _name, primary_key=True),
    Column("name", _name, primary_key=True),
    Column("arn", _name, nullable=False),
    Column("status", _name, nullable=False),
    Column("target", _name, nullable=False),
    Column("version", Integer, nullable=False),
    Column("parent", _name, nullable=False),
    Column("created", BigInteger, nullable=False),  # microseconds since 1970
    Column("modified", BigInteger, nullable=False),
    Column(
        "state", Text, nullable=False
    ),  # JSON; spec and state last: a scan over the columns before does not read them
    Column("spec", Text, nullable=False),
    sqlite_with_rowid=True,
)

_scope = (RESOURCE.c.kind, RESOURCE.c.account, RESOURCE.c.region)

Index("resource_by_created", *_scope, RESOURCE.c.created, RESOURCE.c.name)
Index("resource_by_modified", *_scope, RESOURCE.c.modified, RESOURCE.c.name)
Index("resource_by_status", RESOURCE.c.kind, RESOURCE.c.status, RESOURCE.c.account, RESOURCE.c.region, RESOURCE.c.name)
_ORDERED_BY_STATUS = Index("resource_ordered_by_status", *_scope, RESOURCE.c.status, RESOURCE.c.name)
Index("resource_by_parent", *_scope, RESOURCE.c.parent, RESOURCE.c.name)
Index("resource_by_arn", RESOURCE.c.arn)

TAG = Table(
    "tag",
    METADATA,
    Column("arn", _name, primary_key=True),
    Column("key", _name, primary_key=True),
    Column("value", Text, nullable=False),
)


def several_containers(connection: Connection) -> None:
    """An instance's one container, of an endpoint or of a transform, becomes the first of as many as its model has."""
    _reshape(connection, "endpoint", _endpoint_of_several)
    _reshape(connection, "transform-job", _definitions)


def _reshape(connection: Connection, kind: str, change: Callable[[dict[str, Any]], None]) -> None:
    key = (RESOURCE.c.kind, RESOURCE.c.account, RESOURCE.c.region, RESOURCE.c.name)
    for *names, state in connection.execute(select(*key, RESOURCE.c.state).where(RESOURCE.c.kind == kind)).all():
        found = json.loads(state)
        change(found)
        row = [column == name for column, name in zip(key, names, strict=True)]
        connection.execute(RESOURCE.update().where(*row).values(state=json.dumps(found)))


def _endpoint_of_several(state: dict[str, Any]) -> None:
    for deployment in filter(None, (state.get("current"), state.get("next"))):
        for variant in deployment["variants"]:
            _definitions(variant)
            variant["replicas"] = [{"members": [{**each, "position": 0}]} for each in variant.get("replicas", ())]


def _definitions(found: dict[str, Any]) -> None:
    if "container_definition" in found:
        found["container_definitions"] = [found.pop("container_definition")]


def ordered_by_status(connection: Connection) -> None:
    """Lists that are sorted by status have an index of their own."""
    _ORDERED_BY_STATUS.create(connection, checkfirst=True)


MIGRATION = Table(
    "migration",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("applied", BigInteger, nullable=False),
)

Migration = Callable[[Connection], None]

MIGRATIONS: tuple[Migration, ...] = (METADATA.create_all, several_containers, ordered_by_status)
"""In order; number N is the N-th. A new database gets today's tables at once and is marked as having had them all, so a
later step only ever meets the tables of the version before it."""


def migrate(connection: Connection) -> None:
    """Bring the database to today's tables, within the caller's transaction.

    Raises ClaryError where a newer Clary has written it.
    """
    MIGRATION.create(connection, checkfirst=True)
    done: int = connection.execute(select(func.coalesce(func.max(MIGRATION.c.number), 0))).scalar_one()
    if done > len(MIGRATIONS):
        raise ClaryError("The data folder was written by a newer Clary.", "Upgrade Clary, or name another --data-dir.")
    steps = MIGRATIONS[done:] if done else (METADATA.create_all,)
    for step in steps:
        step(connection)
    applied = int(time.time() * 1e6)
    for number in range(done + 1, len(MIGRATIONS) + 1):
        connection.execute(MIGRATION.insert().values(number=number, applied=applied))
