"""What control publishes, and how far each reader has come: also where control is killed between two lines."""

from __future__ import annotations

from pathlib import Path

from clary import publish
from clary.publish import Publisher, Subscriber


def test_a_document_whose_publisher_was_killed_before_it_said_so_does_not_count_as_the_next_one(tmp_path: Path) -> None:
    """Who has read it has not read the next one, however soon that comes: else replicas go while they are asked."""
    path = tmp_path / "d.json"
    killed = Publisher(path)
    killed.publish({"of": "before"})
    killed.publish({"of": "the killed one"})
    publish._COUNTER.pack_into(killed._counter, 0, 1)  # which it had not come to
    reader = Subscriber(path)
    assert (reader.current(), reader.generation) == ({"of": "the killed one"}, 2)
    assert Publisher(path).publish({"of": "the next one"}) == 3
    assert reader.changed()
    assert (reader.current(), reader.generation) == ({"of": "the next one"}, 3)


def test_a_document_that_the_machines_death_left_torn_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    Publisher(path).publish({"of": "before"})
    path.write_text("")
    Publisher(path).publish({"of": "after"})
    assert Subscriber(path).current() == {"of": "after"}
