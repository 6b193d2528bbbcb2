"""Who runs and who waits: a machine has so many cores, so much memory, so many GPUs.

Work is placed strictly in order of its creation, so that nobody waits for ever behind smaller ones. What is here can be
made anew from the rows alone: those that run ask again after a start of control, before those that wait
(docs/decisions/0010).
"""

from __future__ import annotations

import bisect
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from clary.instances import Shape
from clary.store.rows import Key


@dataclass(frozen=True)
class Placed:
    """It may run."""


@dataclass(frozen=True)
class Queued:
    """So many are before it."""

    position: int
    """1 for the next."""


Placement = Placed | Queued


@dataclass(frozen=True, order=True)
class _Waiting:
    since: float
    name: tuple[str, ...]
    key: Key = field(compare=False)
    need: Shape = field(compare=False)


class Capacity:
    """The ledger. May be used from any thread; `wake` hears of everybody who is placed after having waited."""

    def __init__(self, machine: Shape, whole: Shape, wake: Callable[[Key], None]) -> None:
        """`machine` is what one instance can have at most; `whole` is given away."""
        self._machine = machine
        self._whole = whole
        self._wake = wake
        self._lock = threading.Lock()
        self._placed: dict[Key, Shape] = {}
        self._waiting: list[_Waiting] = []
        self._announced: dict[Key, float] = {}
        self._deferred: set[Key] = set()

    def announce(self, key: Key, since: float) -> None:
        """It is there and has not been looked at yet: until it asks or defers, nobody who came later is placed."""
        with self._lock:
            if key not in self._placed and key not in self._deferred and not self._waits(key):
                self._announced.setdefault(key, since)

    def defer(self, key: Key) -> None:
        """It is not ready to ask: those who came later need not wait for it."""
        with self._lock:
            if self._announced.pop(key, None) is not None:
                self._deferred.add(key)
            fresh = self._place()
        self._tell(fresh)

    def request(self, key: Key, shapes: Sequence[Shape], since: float) -> Placement:
        """A place for these instances, all at once; asked as often as one likes. `since` is its turn."""
        with self._lock:
            self._forget_news_of(key)
            if key not in self._placed and not self._waits(key):
                turn = (key.account, key.region, key.kind, key.name)
                bisect.insort(self._waiting, _Waiting(since, turn, key, self._need(shapes)))
            fresh = self._place()
            answer = self._placement(key)
        self._tell(fresh, but=key)
        return answer

    def hold(self, key: Key, shapes: Sequence[Shape]) -> None:
        """A place for what runs already, however full it is."""
        with self._lock:
            self._waiting = [each for each in self._waiting if each.key != key]
            self._placed[key] = self._need(shapes)

    def has(self, key: Key) -> bool:
        """Whether it has a place."""
        with self._lock:
            return key in self._placed

    def hand_over(self, new: Key, *old: Key) -> None:
        """The place that one of `old` has is `new`'s: the first that has one."""
        with self._lock:
            owner = next((key for key in old if key in self._placed), None)
            if owner is not None:
                self._waiting = [each for each in self._waiting if each.key != new]
                self._placed[new] = self._placed.pop(owner)

    def release(self, key: Key) -> None:
        """It needs no place any more, or never got one."""
        with self._lock:
            self._forget_news_of(key)
            self._placed.pop(key, None)
            self._waiting = [each for each in self._waiting if each.key != key]
            fresh = self._place()
        self._tell(fresh)

    @property
    def whole(self) -> Shape:
        """All that is given away."""
        return self._whole

    @property
    def taken(self) -> Shape:
        """What those that run have of it."""
        with self._lock:
            return _sum(self._placed.values())

    def queue(self) -> list[Key]:
        """Those that wait, in their order."""
        with self._lock:
            return [each.key for each in self._waiting]

    def _need(self, shapes: Sequence[Shape]) -> Shape:
        """No more than there is: an instance is no larger than the machine, and all of them no more than the whole."""
        one, whole = self._machine, self._whole
        return Shape(
            cpus=min(whole.cpus, sum(min(one.cpus, shape.cpus) for shape in shapes)),
            memory_bytes=min(whole.memory_bytes, sum(min(one.memory_bytes, shape.memory_bytes) for shape in shapes)),
            gpus=min(whole.gpus, sum(shape.gpus for shape in shapes)),
        )

    def _place(self) -> list[Key]:
        fresh = []
        while self._waiting and not self._is_preceded(self._waiting[0]) and self._fits(self._waiting[0].need):
            first = self._waiting.pop(0)
            self._placed[first.key] = first.need
            fresh.append(first.key)
        return fresh

    def _fits(self, need: Shape) -> bool:
        then, whole = _sum([*self._placed.values(), need]), self._whole
        return then.cpus <= whole.cpus and then.memory_bytes <= whole.memory_bytes and then.gpus <= whole.gpus

    def _waits(self, key: Key) -> bool:
        return any(each.key == key for each in self._waiting)

    def _is_preceded(self, first: _Waiting) -> bool:
        return any(since < first.since for since in self._announced.values())

    def _forget_news_of(self, key: Key) -> None:
        self._announced.pop(key, None)
        self._deferred.discard(key)

    def _placement(self, key: Key) -> Placement:
        if key in self._placed:
            return Placed()
        return Queued(next(number for number, each in enumerate(self._waiting, 1) if each.key == key))

    def _tell(self, keys: Sequence[Key], but: Key | None = None) -> None:
        """Out of the lock: whoever is woken may ask at once."""
        for key in keys:
            if key != but:
                self._wake(key)


def _sum(shapes: Collection[Shape]) -> Shape:
    return Shape(
        cpus=sum(each.cpus for each in shapes),
        memory_bytes=sum(each.memory_bytes for each in shapes),
        gpus=sum(each.gpus for each in shapes),
    )
