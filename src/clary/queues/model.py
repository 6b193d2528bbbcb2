"""Messages, as they are kept and as they are received. Times are milliseconds since 1970."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Letter:
    """One message to be kept."""

    id: str
    body: str
    attributes: Mapping[str, Any]
    """Message attributes by name: `DataType`, and `StringValue` or `BinaryValue` (base64)."""
    system: Mapping[str, str]
    """System attributes that do not change: `SenderId`, `MessageGroupId`, `AWSTraceHeader`, …"""
    delay: int = 0
    """Milliseconds until it can be received."""
    family: str = ""
    """The message group whose order is kept; empty where there is no order."""
    said: str = ""
    """What tells it apart: another that says the same within five minutes is the same; empty where all are kept."""


@dataclass(frozen=True)
class Kept:
    """What became of a letter: its message's id (an earlier one's, where that said the same) and number."""

    id: str
    number: int


@dataclass(frozen=True)
class Redrive:
    """Where messages go that were received too often."""

    most: int
    """So often a message is received."""
    queue: str
    """The dead-letter queue's id."""
    source: str
    """The ARN of the queue that they come from."""
    ordered: bool


@dataclass(frozen=True)
class Terms:
    """Under which messages are received."""

    now: int
    most: int
    """Messages of one answer."""
    hidden: int
    """Milliseconds for which they are then not received again."""
    retention: int
    """Milliseconds after which a message is no more."""
    ordered: bool
    """First in, first out within each group, none of which is received while one before it is in flight."""
    redrive: Redrive | None = None


@dataclass(frozen=True)
class Received:
    """One message, received."""

    number: int
    id: str
    body: str
    attributes: Mapping[str, Any]
    system: Mapping[str, str]
    sent: int
    received: int
    """How often, this time included."""
    first: int
    receipt: str
    """Good for this reception only."""


@dataclass(frozen=True)
class Reception:
    """What a queue gave."""

    messages: tuple[Received, ...]
    due: int | None
    """When the next message can be received that cannot yet; None where there is none."""
    moved: bool
    """Whether messages went to the dead-letter queue."""


@dataclass(frozen=True)
class Counts:
    """How many messages a queue has."""

    visible: int = 0
    hidden: int = 0
    """In flight."""
    delayed: int = 0


@dataclass(frozen=True)
class Place:
    """A message by its receipt."""

    queue: str
    number: int
    receipt: str
