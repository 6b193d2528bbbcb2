"""Jobs of one kind whose containers are named in their rows."""

from __future__ import annotations

from clary.compute.base import State
from clary.controllers.container import Containers
from clary.lifecycles.table import Lifecycle
from clary.store import Store
from clary.store.rows import Row


class Jobs:
    """What the controllers of jobs ask about rows and their containers."""

    def __init__(self, lifecycle: Lifecycle, having: frozenset[str], store: Store, containers: Containers) -> None:
        """`having` are the statuses in which containers may be there."""
        self._lifecycle = lifecycle
        self._having = having
        self._store = store
        self._containers = containers

    def unfinished(self) -> list[Row]:
        """All that are not terminal."""
        statuses = [status for status in self._lifecycle.moves if not self._lifecycle.terminal(status)]
        return self._store.read.rows(self._lifecycle.kind, statuses)

    def wanted_containers(self) -> set[str]:
        """Ids that rows name."""
        return {container for row in self.unfinished() for container in containers_of(row)}

    def own(self, row: Row) -> None:
        """The job is woken when its containers change."""
        for container in containers_of(row):
            self._containers.own(container, row.key)

    def states(self, row: Row) -> tuple[State, ...]:
        """What its containers are doing, as the row names them."""
        if row.status not in self._having:
            return ()
        return tuple(self._containers.poll(container) for container in containers_of(row))


def containers_of(row: Row) -> list[str]:
    """Ids of the containers of a job."""
    found: list[str] = row.state.get("containers", [])
    return found
