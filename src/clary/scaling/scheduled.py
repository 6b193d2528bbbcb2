"""A scheduled action's row as a schedule."""

from __future__ import annotations

from datetime import UTC, datetime

from clary.scaling.schedule import Schedule
from clary.store.rows import Row


def schedule_of(row: Row) -> Schedule:
    """Without a StartTime it counts from when it was made. Raises ValueError."""
    start, end = row.spec.get("StartTime"), row.spec.get("EndTime")
    return Schedule.of(
        row.spec["Schedule"],
        row.spec.get("Timezone"),
        row.created if start is None else datetime.fromtimestamp(start, UTC),
        None if end is None else datetime.fromtimestamp(end, UTC),
    )
