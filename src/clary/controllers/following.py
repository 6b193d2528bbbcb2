"""What is done for a job while its program runs: its checkpoints are saved, its metrics read from its log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clary.controllers.activities import Activities, Pending
from clary.store.rows import Key, Row


@dataclass(frozen=True)
class Chore:
    """Something to be done every `seconds` for a row that wants it."""

    name: str
    seconds: float
    wanted: Callable[[Row], bool]
    work: Callable[[Row], None]
    at_end: bool = False
    """Once more when the program has ended."""


class Following:
    """Begins chores as they fall due; each runs as an activity, never twice at once."""

    def __init__(self, activities: Activities, chores: tuple[Chore, ...]) -> None:
        self._activities = activities
        self._chores = chores
        self._due: dict[tuple[Key, str], float] = {}

    def follow(self, row: Row, now: float) -> float:
        """Begin what is due; seconds until the next is. `now` in epoch seconds."""
        waits = [self._look(row, chore, now) for chore in self._chores if chore.wanted(row)]
        return min(waits, default=3600.0)

    def _look(self, row: Row, chore: Chore, now: float) -> float:
        due = self._due.setdefault((row.key, chore.name), now + chore.seconds)
        if now < due:
            return due - now
        if not isinstance(self._activities.outcome(row.key, chore.name), Pending):
            self._activities.forget(row.key, chore.name)
            self._activities.begin(row.key, chore.name, lambda _: chore.work(row))
        self._due[row.key, chore.name] = now + chore.seconds
        return chore.seconds

    def finish(self, row: Row) -> None:
        """The program has ended: what wants its last lines has them now."""
        for chore in self._chores:
            if chore.at_end and chore.wanted(row):
                chore.work(row)

    def forget(self, key: Key) -> None:
        """The job has ended."""
        for known in [known for known in self._due if known[0] == key]:
            self._due.pop(known, None)
