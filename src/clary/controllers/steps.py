"""What a job's `decide` may say, where it is the same for every kind of job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from clary.store.rows import Row

Activity = TypeVar("Activity", bound=str)
"""The names of one kind's activities."""


@dataclass(frozen=True)
class Move:
    """Save this row, and look again."""

    row: Row


@dataclass(frozen=True)
class Begin(Generic[Activity]):
    """Have this activity done; the job is woken when it is."""

    activity: Activity


@dataclass(frozen=True)
class Start:
    """Start the containers that are not there yet."""


@dataclass(frozen=True)
class Wait:
    """Nothing to do until the job is woken, or so many seconds have passed."""

    seconds: float | None = None
