"""A lifecycle: the statuses of one kind of resource, the moves between them, and what the public is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class ForbiddenTransition(Exception):
    """A move that the lifecycle does not know: an error of ours, never of a client."""


@dataclass(frozen=True)
class Lifecycle:
    """`moves` maps each status to those that may follow it; a status without followers is terminal."""

    kind: str
    initial: str
    moves: Mapping[str, frozenset[str]]

    def __post_init__(self) -> None:
        unknown = set().union(*self.moves.values(), {self.initial}) - set(self.moves)
        if unknown:
            raise ValueError(f"{self.kind}: statuses without a line of their own: {sorted(unknown)}")

    def terminal(self, status: str) -> bool:
        """Whether nothing follows `status`."""
        return not self.moves[status]

    def check(self, before: str, after: str) -> str:
        """`after`, where it may follow `before` or equals it; else ForbiddenTransition."""
        if after != before and after not in self.moves[before]:
            raise ForbiddenTransition(f"{self.kind}: {before} → {after}")
        return after
