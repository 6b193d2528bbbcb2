"""The edge's side of its lanes: processes beside it that answer predictions while one process is too few
(docs/decisions/0068).

A lane is started when the edge is busy and several clients ask for predictions, and ends when nobody has been with it
for a while. Connections are shared out evenly, each at the beginning of a request; a client notices nothing.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from clary.edge.connection import Connection, Hall
from clary.edge.passing import Channel, Handed, Left
from clary.edge.predictions import OPENING, Predictions

BUSY = 0.6
"""Of its time: an edge that computes for more of it, or waits for a core to, is helped."""

IDLE_SECONDS = 60.0
"""A lane that nobody was with for so long ends."""

END_SECONDS = 6.0
"""That a lane has for the answers which are under way when it is to end."""

PATIENCE = 60.0
"""Seconds for a lane to be ready, and for an empty one to end: one that takes longer is killed, as it would keep its
place for ever. A busy machine starts a process in ten or twenty."""

STEADY = 10.0
"""Seconds of service after which a lane counts as sound: its end is the first failure again."""

_LOOK_SECONDS = 1.0
_SOON = 0.1
"""While one is being started."""

_log = logging.getLogger(__name__)


def demanded() -> float:
    """Seconds in which the event loop's thread computed, or could have and had no core: on a busy machine an edge that
    has too much to do computes for less than its time. By the kernel's scheduler statistics, where it keeps them."""
    try:
        ran, waited, *_ = Path("/proc/self/schedstat").read_text().split()
    except OSError:  # a kernel without these
        return time.process_time()
    return (int(ran) + int(waited)) / 1e9


class Process(Protocol):
    """A lane's: `supervisor.child.Child`."""

    ready: bool
    failure: str
    due: float

    def start(self, now: float) -> None: ...
    def listen(self) -> None: ...
    def reap(self, now: float) -> int | None: ...
    def ask_to_end(self) -> None: ...
    def end(self, grace: float) -> None: ...


Make = Callable[[socket.socket], Process]
"""A process, not started yet, that inherits this end of its channel."""


@dataclass(eq=False)
class _Lane:
    process: Process
    channel: Channel
    empty_since: float
    ready_since: float
    """The present, while it is not."""
    due: float
    """When it is to be ready; or to have ended, where it was asked to."""
    clients: int = 0
    ending: bool = False

    def is_overdue(self, now: float) -> bool:
        """Whether it hangs."""
        return now >= self.due and (self.ending or not self.process.ready)

    def ask_to_end(self, now: float) -> None:
        """Nobody is with it any more."""
        self.ending, self.due = True, now + PATIENCE
        self.process.ask_to_end()


class Lanes:
    """Of one edge. Belongs to its event loop."""

    def __init__(self, predictions: Predictions, make: Make, most: int) -> None:
        """At most so many."""
        self._predictions = predictions
        self._make = make
        self._most = most
        self._lanes: list[_Lane] = []
        self._lately: dict[Connection, float] = {}
        """Who has asked here for a prediction, and when."""
        self._not_before = 0.0
        self._fails = 0
        self._spent = demanded()
        self._looked = time.monotonic()

    def attach(self, hall: Hall) -> None:
        """Here is who comes back."""
        self._hall = hall

    def passes(self, connection: Connection, data: bytes) -> bool:
        """On to a lane, where one has fewer clients than are here."""
        if not data.startswith(OPENING):
            return False
        self._lately[connection] = self._looked
        lane = self._emptiest()
        if lane is None or lane.clients + 1 >= len(self._lately):
            return False
        if connection.stays or not connection.movable or not self._predictions.are(data):
            return False
        if not lane.channel.hand(connection.descriptor(), data):
            return False
        lane.clients += 1
        connection.depart()
        self.left(connection)
        return True

    def left(self, connection: Connection) -> None:
        """It is here no more."""
        self._lately.pop(connection, None)

    def leave(self) -> None:
        """Lanes answer what is under way and end."""
        self._most = 0
        for lane in self._lanes:
            lane.process.ask_to_end()

    def close(self) -> None:
        """They have ended when this returns."""
        for lane in self._lanes:
            lane.process.end(END_SECONDS)
            lane.channel.close()
        self._lanes.clear()

    async def watch(self) -> None:
        """Starts lanes and ends them; runs as long as the edge."""
        while True:
            starting = any(not lane.process.ready for lane in self._lanes)
            await asyncio.sleep(_SOON if starting else _LOOK_SECONDS)
            self.look(time.monotonic(), demanded())

    def look(self, now: float, spent: float) -> None:
        """At the time `now`, when the edge has `demanded` so many seconds of a core since its start."""
        for lane in list(self._lanes):
            self._tend(lane, now)
        if now - self._looked < _LOOK_SECONDS:
            return
        busy = (spent - self._spent) / (now - self._looked)
        self._lately = {each: when for each, when in self._lately.items() if when >= self._looked}
        self._spent, self._looked = spent, now
        if busy >= BUSY and len(self._lately) > 1 and len(self._lanes) < self._most and now >= self._not_before:
            self._start(now)

    def _emptiest(self) -> _Lane | None:
        ready = [lane for lane in self._lanes if lane.process.ready and not lane.ending]
        return min(ready, key=lambda lane: lane.clients, default=None)

    def _start(self, now: float) -> None:
        try:
            lane = self._started(now)
        except OSError as error:
            _log.warning("no further process for predictions could be started: %s", error)
            self._failed(now, now)
            return
        self._lanes.append(lane)
        asyncio.get_running_loop().add_reader(lane.channel.fileno(), self._hear, lane)

    def _started(self, now: float) -> _Lane:
        """Raises OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            lane = _Lane(self._make(theirs), Channel(ours), now, now, now + PATIENCE)
            try:
                lane.process.start(now)
            except OSError:
                lane.channel.close()
                raise
        return lane

    def _tend(self, lane: _Lane, now: float) -> None:
        lane.process.listen()
        code = lane.process.reap(now)
        if code is not None:
            self._ended(lane, code, now)
        elif lane.is_overdue(now):
            self._kill(lane, now)
        elif not lane.process.ready:
            lane.ready_since = lane.empty_since = now
        elif lane.clients:
            lane.empty_since = now
        elif now - lane.empty_since >= IDLE_SECONDS and not lane.ending:
            lane.ask_to_end(now)

    def _ended(self, lane: _Lane, code: int, now: float) -> None:
        self._let_go(lane)
        if not lane.ending:
            _log.warning("a process for predictions ended with %d. %s", code, lane.process.failure)
            self._failed(lane.ready_since, now)

    def _kill(self, lane: _Lane, now: float) -> None:
        state = "did not end" if lane.ending else "was not ready"
        _log.warning("a process for predictions %s within %.0f s, and is killed", state, PATIENCE)
        lane.process.end(0.0)
        self._let_go(lane)
        self._failed(lane.ready_since, now)

    def _let_go(self, lane: _Lane) -> None:
        """Whom it has handed back is here already."""
        self._hear(lane)
        self._deaf(lane)
        lane.channel.close()
        self._lanes.remove(lane)

    def _failed(self, ready_since: float, now: float) -> None:
        """The next is tried after a pause that doubles, up to a minute, while none is steady."""
        steady = now - ready_since >= STEADY
        self._fails = 1 if steady else min(self._fails + 1, 6)
        self._not_before = now + 2**self._fails

    def _hear(self, lane: _Lane) -> None:
        for each in lane.channel.take():
            lane.clients -= each.count if isinstance(each, Left) else 1
            if isinstance(each, Handed):
                self._hall.welcome(each.connection, each.data, stays=True)
        if not lane.channel.open:
            self._deaf(lane)

    def _deaf(self, lane: _Lane) -> None:
        if lane.channel.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(lane.channel.fileno())
