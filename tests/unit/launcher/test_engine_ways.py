"""The place at which an engine's container finds servers of this host."""

from __future__ import annotations

import threading

from clary.launcher.engine_ways import Entry


def _nobody(_connection: object) -> None:
    """Serves none."""


def test_the_port_of_before_is_waited_for_where_its_last_keeper_is_on_its_way_out() -> None:
    before = Entry(0, _nobody)
    made: list[Entry] = []
    after = threading.Thread(target=lambda: made.append(Entry(before.port, _nobody)))
    after.start()
    after.join(0.3)
    assert after.is_alive()
    before.close()
    after.join(60)
    assert [entry.port for entry in made] == [before.port]
    made[0].close()
