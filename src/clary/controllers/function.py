"""What a function, or a version of one, needs next: `decide`, pure. Its code and its Python are prepared, then it can
be invoked; its execution environments are no rows and are seen to elsewhere (function_environments.py)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from clary.controllers.activities import Done, Failed, Outcome
from clary.lifecycles.function import ACTIVE, FAILED, LIFECYCLE, PENDING
from clary.store.rows import Row


@dataclass(frozen=True)
class Prepare:
    """Unpack the code, build the environment."""


@dataclass(frozen=True)
class Save:
    """Save this row, and publish it."""

    row: Row


@dataclass(frozen=True)
class Wait:
    """Nothing, until it is woken."""


Step = Prepare | Save | Wait


def preparation(row: Row) -> str:
    """The name of the activity that prepares it as it is now."""
    return f"prepare {row.state['environment']}"


def decide(row: Row, outcome: Outcome | None) -> Step:
    """The next step; `outcome` is that of its preparation, None where it was not begun since control started."""
    if row.status != PENDING:
        return Wait()
    if outcome is None:
        return Prepare()
    if isinstance(outcome, Done):
        state = {**row.state, "was_active": True, "reason": ""}
        return Save(replace(row, status=LIFECYCLE.check(row.status, ACTIVE), state=state))
    if isinstance(outcome, Failed):
        state = {**row.state, "reason": outcome.reason}
        return Save(replace(row, status=LIFECYCLE.check(row.status, FAILED), state=state))
    return Wait()
