"""An event loop that two threads run in turns: nothing that comes is missed, whoever runs it."""

import asyncio
import queue
import random
import socket
import threading
import time

import pytest

from clary.toolkit.server import turns as turning
from clary.toolkit.server.listener import Listener, bind
from clary.toolkit.server.turns import Turns

SOON = 10.0
LONG = 100 * turning._MOMENT


class Box:
    """What a loop's callbacks bring for the main thread."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.turns = Turns(self.loop)
        self.things = queue.SimpleQueue()
        self.by = []

    def send(self, thing):
        """From any thread."""
        self.loop.call_soon_threadsafe(self._bring, thing)

    def _bring(self, thing):
        self.by.append(threading.current_thread().name)
        self.things.put(thing)
        self.turns.wake()

    def take(self):
        while self.things.empty():
            self.turns.wait(lambda: not self.things.empty())
        return self.things.get()


@pytest.fixture
def box():
    made = Box()
    made.turns.start()
    yield made
    made.turns.close()
    assert made.loop.is_closed()


def until(true):
    deadline = time.monotonic() + SOON
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_who_waits_runs_the_loop(box):
    threading.Timer(0.1, box.send, ["a"]).start()
    assert box.take() == "a"
    assert box.by == ["MainThread"]


def test_somebody_else_runs_it_while_the_main_thread_computes_for_long(box):
    box.send("a")
    assert box.take() == "a"
    for _ in range(3):
        box.send("b")
        until(lambda: not box.things.empty())  # without a turn of ours
        assert box.take() == "b"
    assert set(box.by[1:]) == {"http"}


def test_who_says_that_it_will_take_long_is_relieved_at_once(box, monkeypatch):
    threading.Timer(0.1, box.send, ["a"]).start()
    box.take()
    monkeypatch.setattr(turning, "_MOMENT", SOON)
    time.sleep(LONG / 20)  # by then the stand-in has seen that we are away, and waits for a moment to pass
    began = time.monotonic()
    box.turns.lend()
    box.send("b")
    until(lambda: not box.things.empty())
    assert time.monotonic() - began < SOON / 2


def test_a_short_absence_costs_no_change(box):
    box.send("a")
    box.take()
    for number in range(200):
        threading.Thread(target=box.send, args=[number]).start()
        assert box.take() == number
    assert box.by.count("http") < 20  # a machine may be busy for a moment


def test_nothing_is_missed_however_long_each_thing_takes(box):
    by = random.Random(7)

    def sender():
        for number in range(600):
            box.send(number)
            time.sleep(by.choice([0, 0, 0, 0.0005, 0.003]))

    thread = threading.Thread(target=sender)
    thread.start()
    for number in range(600):
        assert box.take() == number
        time.sleep(by.choice([0, 0, 0, 0, turning._MOMENT, 1.05 * turning._MOMENT]) if number % 7 == 0 else 0)
        if number % 50 == 0:
            box.turns.lend()
    thread.join()


def test_what_is_awaited_is_done_whoever_runs_the_loop(box):
    async def pause():
        await asyncio.sleep(0.001)

    for wait in (0.0, turning._MOMENT, 2 * turning._MOMENT) * 10:
        time.sleep(wait)
        box.send("a")
        box.turns.complete(pause())
        assert box.take() == "a"


def test_a_late_word_to_give_way_ends_nothing(box):
    box.send("a")
    box.take()
    for _ in range(20):
        box.loop.call_soon_threadsafe(box.turns._give_way)
        box.turns.complete(asyncio.sleep(0.001))


@pytest.mark.parametrize(("away", "times", "rests"), [(False, 7, True), (True, 7, False), (False, 8, False)])
def test_who_leaves_just_as_the_stand_in_goes_to_rest_is_seen(away, times, rests):
    turns = Turns(asyncio.new_event_loop())
    turns._away, turns._times = away, times
    turns._has_left.set()
    turns._rest(7)
    assert turns._has_left.is_set() is not rests
    turns._loop.close()


def test_requests_that_have_come_are_read_before_the_door_closes():
    for _ in range(100):
        listener = Listener(bind(0, "127.0.0.1"), lambda _: None, 1000)
        listener.start()
        with socket.create_connection(("127.0.0.1", listener.port)) as client:
            client.sendall(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n7")
            listener.end()
            taken = listener.take(8, 1000)
            listener.refuse_more()
            while not listener.requests.empty():
                taken += listener.take(8, 1000)
        assert [each.request.body for each in taken] == [b"7"]
        listener.turns.close()


def test_a_server_that_is_told_to_end_again_when_it_has_ended_does_not_fail():
    """A signal's handler stays until the process has gone, which may take a second with large libraries."""
    listener = Listener(bind(0, "127.0.0.1"), lambda _: None, 1000)
    listener.start()
    listener.end()
    assert listener.take(1, 1) == []
    listener.refuse_more()
    listener.stop()
    listener.end()
