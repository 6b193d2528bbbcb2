"""Messages of all queues. Queues are known by ids that are never given twice: what a deleted one leaves is nobody's."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from clary.commits import Writer
from clary.names import random_hex
from clary.queues.arrivals import Arrivals
from clary.queues.model import Counts, Kept, Letter, Place, Received, Reception, Terms
from clary.queues.schema import open_database

_Row = tuple[Any, ...]

SAME_MS = 300_000
"""So long a message that says the same as an earlier one is that one (five minutes)."""

_FREE = (
    "SELECT number, id, body, attributes, system, sent, received, first FROM message"
    " WHERE queue = :queue AND due <= :now AND sent > :oldest ORDER BY due, number LIMIT :most"
)
_FREE_IN_ORDER = (
    "SELECT number, id, body, attributes, system, sent, received, first FROM message INDEXED BY message_by_number"
    " WHERE queue = :queue AND due <= :now AND sent > :oldest AND family NOT IN"
    " (SELECT family FROM message WHERE queue = :queue AND due > :now AND receipt <> '')"
    " ORDER BY number LIMIT :most"
)
_COUNT = (
    "SELECT count(*) FILTER (WHERE due <= :now), count(*) FILTER (WHERE due > :now AND receipt <> ''),"
    " count(*) FILTER (WHERE due > :now AND receipt = '') FROM message WHERE queue = :queue AND sent > :oldest"
)


class MessageStore:
    """One process opens it; it may be asked from any thread. Every change returns when it is durable."""

    def __init__(self, database: Path) -> None:
        """Raises ClaryError for a file of a newer Clary."""
        self._writer = Writer(open_database(database), "messages-writer")
        self.arrivals = Arrivals()

    def close(self) -> None:
        """Finish what was asked for."""
        self._writer.close()

    def send(self, queue: str, letters: Sequence[Letter], now: int, retention: int) -> list[Kept]:
        """Keep all of them, in their order, and let go of what is too old."""

        def change(connection: sqlite3.Connection) -> list[Kept]:
            connection.execute("DELETE FROM message WHERE queue = ? AND sent <= ?", (queue, now - retention))
            return [_keep(connection, queue, letter, now) for letter in letters]

        kept = self._writer.run(change)
        self.arrivals.tell([queue])
        return kept

    def receive(self, queue: str, terms: Terms) -> Reception:
        """What can be received now. Messages that were received too often go to the dead-letter queue instead."""
        reception = self._writer.run(lambda connection: _receive(connection, queue, terms))
        if reception.moved and terms.redrive is not None:
            self.arrivals.tell([terms.redrive.queue])
        return reception

    def delete(self, place: Place) -> bool:
        """False where the receipt is not the message's newest, or the message is gone."""
        where = "number = ? AND queue = ? AND receipt = ?"
        values = (place.number, place.queue, place.receipt)
        return self._changed(f"DELETE FROM message WHERE {where}", values)  # noqa: S608 - no value is in the text

    def hide(self, place: Place, now: int, hidden: int) -> bool:
        """Let a message in flight be received again after so many milliseconds; False where it is not in flight."""
        text = "UPDATE message SET due = ? WHERE number = ? AND queue = ? AND receipt = ? AND due > ?"
        done = self._changed(text, (now + hidden, place.number, place.queue, place.receipt, now))
        self.arrivals.tell([place.queue])
        return done

    def in_flight(self, place: Place, now: int) -> bool | None:
        """Whether the receipt's message is in flight; None where there is no such message."""
        text = "SELECT due > ? AND receipt = ? FROM message WHERE number = ? AND queue = ?"
        values = (now, place.receipt, place.number, place.queue)
        row = self._writer.run(lambda connection: connection.execute(text, values).fetchone())
        return None if row is None else bool(row[0])

    def counts(self, queue: str, now: int, retention: int) -> Counts:
        """How many messages there are."""
        values = {"queue": queue, "now": now, "oldest": now - retention}
        return Counts(*self._writer.run(lambda connection: connection.execute(_COUNT, values).fetchone()))

    def purge(self, queue: str) -> None:
        """Delete all messages of a queue, and what is known of those that were sent."""
        self._writer.run(lambda connection: _empty(connection, queue))

    def keep_only(self, queues: Sequence[str]) -> None:
        """Delete what other queues have left: control died between the queue's row and its messages."""

        def change(connection: sqlite3.Connection) -> None:
            there = "SELECT queue FROM message UNION SELECT queue FROM sent_before"
            for queue in {queue for (queue,) in connection.execute(there)} - set(queues):
                _empty(connection, queue)

        self._writer.run(change)

    def clear(self) -> None:
        """Delete everything."""

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM message")
            connection.execute("DELETE FROM sent_before")

        self._writer.run(change)

    def _changed(self, text: str, values: tuple[object, ...]) -> bool:
        change: Callable[[sqlite3.Connection], bool] = lambda each: each.execute(text, values).rowcount == 1  # noqa: E731
        return self._writer.run(change)


def _empty(connection: sqlite3.Connection, queue: str) -> None:
    connection.execute("DELETE FROM message WHERE queue = ?", (queue,))
    connection.execute("DELETE FROM sent_before WHERE queue = ?", (queue,))


def _keep(connection: sqlite3.Connection, queue: str, letter: Letter, now: int) -> Kept:
    earlier = _earlier(connection, queue, letter.said, now)
    if earlier is not None:
        return earlier
    text = (
        "INSERT INTO message (queue, id, body, attributes, system, family, sent, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    )
    told = json.dumps(letter.attributes), json.dumps(letter.system)
    values = (queue, letter.id, letter.body, *told, letter.family, now, now + letter.delay)
    number = connection.execute(text, values).lastrowid or 0
    if letter.said:
        said = (queue, letter.said, now + SAME_MS, letter.id, number)
        connection.execute("INSERT INTO sent_before (queue, said, until, id, number) VALUES (?, ?, ?, ?, ?)", said)
    return Kept(letter.id, number)


def _earlier(connection: sqlite3.Connection, queue: str, said: str, now: int) -> Kept | None:
    if not said:
        return None
    connection.execute("DELETE FROM sent_before WHERE queue = ? AND until <= ?", (queue, now))
    text = "SELECT id, number FROM sent_before WHERE queue = ? AND said = ?"
    row = connection.execute(text, (queue, said)).fetchone()
    return Kept(*row) if row else None


def _receive(connection: sqlite3.Connection, queue: str, terms: Terms) -> Reception:
    found: list[Received] = []
    moved = False
    while len(found) < terms.most:
        free = _free(connection, queue, terms, terms.most - len(found))
        spent = [row for row in free if terms.redrive is not None and row[6] >= terms.redrive.most]
        for number, _, _, _, system, *_ in spent:
            moved = True
            _move(connection, number, json.loads(system), terms)
        fresh = [row for row in free if row not in spent]
        found += [_hand_out(connection, row, terms) for row in fresh]
        if not spent:
            break
    return Reception(tuple(found), _next_due(connection, queue, terms), moved)


def _free(connection: sqlite3.Connection, queue: str, terms: Terms, most: int) -> list[_Row]:
    values = {"queue": queue, "now": terms.now, "oldest": terms.now - terms.retention, "most": most}
    return connection.execute(_FREE_IN_ORDER if terms.ordered else _FREE, values).fetchall()


def _hand_out(connection: sqlite3.Connection, row: _Row, terms: Terms) -> Received:
    number, id_, body, attributes, system, sent, received, first = row
    receipt = random_hex(8)
    times, begun = received + 1, first or terms.now
    connection.execute(
        "UPDATE message SET due = ?, received = ?, first = ?, receipt = ? WHERE number = ?",
        (terms.now + terms.hidden, times, begun, receipt, number),
    )
    told = json.loads(attributes), json.loads(system)
    return Received(number, id_, body, *told, sent, times, begun, receipt)


def _move(connection: sqlite3.Connection, number: int, system: dict[str, str], terms: Terms) -> None:
    """Into the dead-letter queue. A standard message keeps the time at which it was sent, one of a FIFO queue begins
    anew (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html)."""
    redrive = terms.redrive
    if redrive is None:
        return
    told = json.dumps({**system, "DeadLetterQueueSourceArn": redrive.source})
    columns = "queue, id, body, attributes, family"
    connection.execute(
        f"INSERT INTO message ({columns}, system, sent, due, received, first) SELECT ?, id, body, attributes, family,"  # noqa: S608
        " ?, CASE WHEN ? THEN ? ELSE sent END, ?, received, first FROM message WHERE number = ?",
        (redrive.queue, told, redrive.ordered, terms.now, terms.now, number),
    )
    connection.execute("DELETE FROM message WHERE number = ?", (number,))


def _next_due(connection: sqlite3.Connection, queue: str, terms: Terms) -> int | None:
    text = "SELECT min(due) FROM message WHERE queue = ? AND due > ?"
    (due,) = connection.execute(text, (queue, terms.now)).fetchone()
    return None if due is None else int(due)
