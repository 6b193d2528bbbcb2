"""What a group's filters make of events that were just put."""

from __future__ import annotations

import time
from collections.abc import Sequence

from clary.logfilters.deriving import Deriving
from clary.logfilters.rows import KINDS
from clary.services.context import Context
from clary.services.logs.rows import group_key, stream_name
from clary.store.rows import Row


def derive(context: Context, stream: Row, events: Sequence[tuple[int, str]]) -> None:
    """Of events (time in milliseconds, message)."""
    group = group_key(context, stream.parent)
    filters = [row for kind in KINDS for row in context.store.read.children(kind, group)]
    if filters and events:
        first = time.time_ns()
        numbered = [(first + number, when, message) for number, (when, message) in enumerate(events)]
        Deriving(context.invoke).derive(group, stream_name(stream), filters, numbered)
