"""Waiting for messages: nobody misses one, and one question is asked for all."""

from __future__ import annotations

import asyncio
import threading

from clary.errors import ServiceUnavailable
from clary.queues import arrivals, waiting
from clary.queues.arrivals import Arrivals
from clary.queues.waiting import QUESTION, Waiting

LONG = 30.0


class Control:
    """Answers as control does, in a thread."""

    def __init__(self):
        self.arrivals, self.asked, self.at_once, self.most = Arrivals(), 0, 0, 0
        self.away = 0

    async def ask(self, question, params):
        assert question == QUESTION
        self.asked += 1
        if self.away:
            self.away -= 1
            raise ServiceUnavailable("")
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        newest, queues = await asyncio.to_thread(self.arrivals.since, params["after"], params["seconds"])
        self.at_once -= 1
        return {"newest": newest, "queues": queues}


async def waited(control, edge, queue, tell, others=()):
    """Returns as soon as the wait for `queue` is over, which `tell` is to end."""
    heard = control.arrivals.newest
    waits = [asyncio.create_task(edge.arrival(name, heard, LONG)) for name in (queue, *others)]
    await asyncio.sleep(0)
    tell()
    await asyncio.wait_for(waits[0], LONG)
    for other in waits[1:]:
        assert not other.done()
        other.cancel()


def test_an_arrival_ends_the_wait_for_its_queue_alone():
    control = Control()
    asyncio.run(waited(control, Waiting(control.ask), "a", lambda: control.arrivals.tell(["a"]), others=("b", "c")))
    assert control.most == 1


def test_what_came_between_the_look_and_the_wait_is_not_missed():
    control = Control()
    edge = Waiting(control.ask)

    async def run():
        heard = control.arrivals.newest
        keeps = asyncio.create_task(edge.arrival("other", heard, LONG))  # somebody listens already
        await asyncio.sleep(0)
        control.arrivals.tell(["a"])
        for _ in range(2):  # the second one looked before, and waits after it was heard of
            await asyncio.wait_for(edge.arrival("a", heard, LONG), LONG)
        keeps.cancel()

    asyncio.run(run())


def test_what_came_before_others_began_to_listen_is_not_missed_by_who_looked_before_it():
    control = Control()
    edge = Waiting(control.ask)

    async def run():
        heard = control.arrivals.newest
        control.arrivals.tell(["a"])
        keeps = asyncio.create_task(edge.arrival("other", control.arrivals.newest, LONG))
        await asyncio.sleep(0)
        await asyncio.wait_for(edge.arrival("a", heard, 2 * LONG), LONG)
        keeps.cancel()

    asyncio.run(run())


def test_of_what_control_cannot_tell_one_by_one_nobody_misses_anything(monkeypatch):
    monkeypatch.setattr(arrivals, "_KEPT", 1)
    control = Control()
    edge = Waiting(control.ask)

    async def run():
        heard = control.arrivals.newest
        waits = asyncio.create_task(edge.arrival("other", heard, LONG))
        await asyncio.sleep(0)
        control.arrivals.tell(["a", "b", "c"])
        await asyncio.wait_for(waits, LONG)
        keeps = asyncio.create_task(edge.arrival("other", control.arrivals.newest, LONG))
        await asyncio.sleep(0)
        await asyncio.wait_for(edge.arrival("a", heard, 2 * LONG), LONG)
        keeps.cancel()

    asyncio.run(run())


def test_a_wait_has_an_end(monkeypatch):
    monkeypatch.setattr(waiting, "LISTENING_SECONDS", 0.05)
    control = Control()
    asyncio.run(asyncio.wait_for(Waiting(control.ask).arrival("a", control.arrivals.newest, 0.01), LONG))


def test_control_that_is_away_is_asked_again(monkeypatch):
    monkeypatch.setattr(waiting, "_AWAY_SECONDS", 0.0)
    control = Control()
    control.away = 2
    asyncio.run(waited(control, Waiting(control.ask), "a", lambda: control.arrivals.tell(["a"])))
    assert control.asked >= 3


def test_nobody_asks_when_nobody_waits(monkeypatch):
    monkeypatch.setattr(waiting, "LISTENING_SECONDS", 0.01)
    control = Control()
    edge = Waiting(control.ask)

    async def run():
        await edge.arrival("a", control.arrivals.newest, 0.01)
        await asyncio.wait_for(edge._listening, LONG)

    asyncio.run(run())


def test_whoever_has_heard_of_nothing_for_long_is_told_of_all(monkeypatch):
    monkeypatch.setattr(arrivals, "_KEPT", 2)
    told = Arrivals()
    before = told.newest
    told.tell(["a", "b", "c"])
    assert told.since(before, 0) == (told.newest, None)
    assert told.since(told.newest - 1, 0) == (told.newest, ["c"])


def test_numbers_of_a_process_before_this_one_are_lower():
    before = Arrivals().newest
    newest, queues = Arrivals().since(before, 0)
    assert newest > before
    assert queues is None


def test_since_keeps_its_thread_until_something_comes():
    told = Arrivals()
    number, answers = told.newest, []
    asking = threading.Thread(target=lambda: answers.append(told.since(number, LONG)))
    asking.start()
    told.tell(["a"])
    asking.join(LONG)
    assert answers == [(told.newest, ["a"])]
