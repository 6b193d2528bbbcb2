"""Rows: what was wanted (`spec`, `target`), what is (`status`, `state`), and the version that guards both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, order=True)
class Key:
    """Names are unique per kind, account and region; they are compared bytewise."""

    kind: str
    """`training-job`, `model`, `endpoint-config`, `endpoint`, `role`, `log-group`, …"""
    account: str
    region: str
    """Empty for global services (IAM)."""
    name: str


@dataclass(frozen=True)
class Row:
    """One resource: `spec` is the validated request with AWS's defaults filled in, `state` what controllers found."""

    key: Key
    arn: str
    status: str
    created: datetime
    modified: datetime
    spec: Mapping[str, Any]
    state: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""
    """The status that is wanted; empty for resources that have no lifecycle."""
    version: int = 0
    """Rises with each change; an update of an older version is refused."""
    parent: str = ""
    """Groups rows below another (`log-stream` rows by their group), and is queried; empty where there is none."""


SortBy = Literal["created", "modified", "name", "status"]


@dataclass(frozen=True)
class Query:
    """One page of rows of one kind. Bounds on times are exclusive, as AWS's `CreationTimeAfter` is."""

    kind: str
    account: str
    region: str
    sort_by: SortBy = "created"
    descending: bool = True
    limit: int = 100
    token: str | None = None
    """From the page before; opaque. A token of another query raises ValueError."""
    name_contains: str | None = None
    name_prefix: str | None = None
    statuses: tuple[str, ...] | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    modified_after: datetime | None = None
    modified_before: datetime | None = None
    parent: str | None = None


@dataclass(frozen=True)
class Page:
    """Rows in order, and the token of the next page (None on the last one)."""

    rows: tuple[Row, ...]
    token: str | None


class AlreadyExists(Exception):
    """A row with this key is there."""


class Stale(Exception):
    """The row has changed, or gone, since it was read."""
