"""Rows to records of the database and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from clary.errors import ValidationError
from clary.store.rows import Key, Row

COLUMNS = (
    *("kind", "account", "region", "name", "arn", "status", "target", "version", "parent"),
    *("created", "modified", "state", "spec"),
)
"""Those of the table of rows, in its order."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970; raises ValueError for a datetime without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {moment!r}")
    return (moment - _EPOCH) // _MICROSECOND


def moment(count: int) -> datetime:
    """The inverse of `microseconds`, in UTC."""
    return _EPOCH + count * _MICROSECOND


def record_of(row: Row) -> dict[str, Any]:
    """All columns, by name. Spec and state must be JSON: raises TypeError where they are not, and ValidationError where
    a number in them is not finite, as a client may send it."""
    return {
        "kind": row.key.kind,
        "account": row.key.account,
        "region": row.key.region,
        "name": row.key.name,
        "arn": row.arn,
        "status": row.status,
        "target": row.target,
        "version": row.version,
        "parent": row.parent,
        "created": microseconds(row.created),
        "modified": microseconds(row.modified),
        "state": _json(row.state),
        "spec": _json(row.spec),
    }


def _json(document: Mapping[str, Any]) -> str:
    """No public source shows AWS's words for the error."""
    try:
        return json.dumps(document, allow_nan=False, separators=(",", ":"))
    except ValueError:
        raise ValidationError("Numbers must be finite: the request holds NaN or Infinity.") from None


def row_of(record: Mapping[str, Any]) -> Row:
    """The inverse of `record_of`."""
    return row_in_order(tuple(record[name] for name in COLUMNS))


def row_in_order(values: tuple[Any, ...]) -> Row:
    """A row from the values of `COLUMNS`."""
    kind, account, region, name, arn, status, target, version, parent, created, modified, state, spec = values
    return Row(
        Key(kind, account, region, name),
        arn,
        status,
        moment(created),
        moment(modified),
        json.loads(spec),
        json.loads(state),
        target,
        version,
        parent,
    )


def key_values(key: Key) -> dict[str, str]:
    """The columns of the primary key, by the names that the statements bind."""
    return {"b_kind": key.kind, "b_account": key.account, "b_region": key.region, "b_name": key.name}
