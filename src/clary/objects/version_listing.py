"""Listing versions: keys bytewise, of each key the newest first; by seeking, as `listing` does it."""

# ruff: noqa: S608 - names of ours; no value is in the text of a query

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from clary.objects.listing import Scope, successor
from clary.objects.model import Version, decode_key, encode_key
from clary.objects.versions import COLUMNS, load_version

_NOT_OVERTAKEN = (
    "layout = '' AND NOT EXISTS (SELECT 1 FROM object o WHERE o.bucket = v.bucket AND o.key = v.key)"
    " AND NOT EXISTS (SELECT 1 FROM version n WHERE n.bucket = v.bucket AND n.key = v.key AND n.place > v.place)"
)
_FROM = (
    f"SELECT {COLUMNS}, 1 AS latest FROM object WHERE bucket = ?1 AND key >= ?2 AND key < ?3"
    f" UNION ALL SELECT {COLUMNS}, {_NOT_OVERTAKEN} FROM version v WHERE bucket = ?1 AND key >= ?2 AND key < ?3"
    " ORDER BY key, place DESC LIMIT ?4"
)
_REST_OF_KEY = (
    f"SELECT {COLUMNS}, 1 AS latest FROM object WHERE bucket = ?1 AND key = ?2 AND place < ?3"
    f" UNION ALL SELECT {COLUMNS}, {_NOT_OVERTAKEN} FROM version v WHERE bucket = ?1 AND key = ?2 AND place < ?3"
    " ORDER BY place DESC LIMIT ?4"
)
_BATCH = 1000
_GROWTH = 4


@dataclass(frozen=True)
class After:
    """Where a page begins: behind the key, or behind the version at `place` of it."""

    key: str
    place: int | None = None


@dataclass(frozen=True)
class Listed:
    """A version, and whether it is its key's newest."""

    version: Version
    latest: bool


@dataclass(frozen=True)
class VersionListing:
    """A page of versions and common prefixes; `last` is what stands at its end."""

    versions: tuple[Listed, ...]
    prefixes: tuple[str, ...]
    truncated: bool
    last: Version | str | None


def versions_from(connection: sqlite3.Connection, bucket: str, prefix: str) -> Iterator[Listed]:
    """All versions of the keys that begin with `prefix`, in order, read in batches."""
    scope = Scope(bucket, encode_key(prefix))
    return (entry for entry in _entries(connection, scope, None, _BATCH) if isinstance(entry, Listed))


def list_versions(connection: sqlite3.Connection, scope: Scope, after: After | None, limit: int) -> VersionListing:
    """At most `limit` versions and groups together. A page of none is never truncated, as on AWS."""
    entries = _entries(connection, scope, after, limit + 1)
    found = list(islice(entries, limit))
    last = found[-1] if found else None
    return VersionListing(
        versions=tuple(entry for entry in found if isinstance(entry, Listed)),
        prefixes=tuple(entry for entry in found if isinstance(entry, str)),
        truncated=bool(found) and next(entries, None) is not None,
        last=last.version if isinstance(last, Listed) else last,
    )


def _entries(connection: sqlite3.Connection, scope: Scope, after: After | None, batch: int) -> Iterator[Listed | str]:
    """Versions and groups in order; a group is left behind by one seek, and so is a key."""
    marker = None if after is None else encode_key(after.key)
    low, high = scope.start(marker), successor(scope.prefix)
    size = min(batch, _BATCH)
    if after is not None and after.place is not None and marker is not None and _stands_alone(scope, marker):
        yield from _rest(connection, scope.bucket, marker, after.place, size)
    while True:
        rows = connection.execute(_FROM, (scope.bucket, low, high, size)).fetchall()
        group: bytes | None = None
        for row in rows:
            if row[0] < low:  # in the group that was just given
                continue
            group = scope.common_prefix(row[0])
            if group is None:
                yield _listed(scope.bucket, row)
            else:
                yield decode_key(group)
                low = successor(group)
        if len(rows) < size:
            return
        if group is None:
            yield from _rest(connection, scope.bucket, rows[-1][0], rows[-1][7], size)
            low = rows[-1][0] + b"\0"
        size = max(1, size // _GROWTH) if group is not None else min(size * _GROWTH, _BATCH)


def _stands_alone(scope: Scope, key: bytes) -> bool:
    return key.startswith(scope.prefix) and scope.common_prefix(key) is None


def _rest(connection: sqlite3.Connection, bucket: str, key: bytes, place: int, size: int) -> Iterator[Listed]:
    """The versions of one key that stand behind `place`."""
    while True:
        rows = connection.execute(_REST_OF_KEY, (bucket, key, place, size)).fetchall()
        for row in rows:
            yield _listed(bucket, row)
        if len(rows) < size:
            return
        place = rows[-1][7]


def _listed(bucket: str, row: tuple[Any, ...]) -> Listed:
    return Listed(load_version(bucket, row[:-1]), bool(row[-1]))
