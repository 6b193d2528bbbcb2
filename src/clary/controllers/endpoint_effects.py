"""Doing what `endpoint.decide` says."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from clary.controllers import placing
from clary.controllers.activities import Activities, Outcome
from clary.controllers.alarm_states import AlarmStates
from clary.controllers.container import Containers
from clary.controllers.endpoint import Act, Remove, Save, decide
from clary.controllers.endpoint_route import route, route_id
from clary.controllers.endpoint_seen import Seen, by_container, containers_of
from clary.controllers.health import HealthGate
from clary.controllers.logs import Logs, lines_into
from clary.controllers.rollout import Alarms
from clary.errors import ClaryError
from clary.lifecycles import inference_component
from clary.lifecycles.endpoint import DELETED, IN_SERVICE, KIND, UPDATING, Member, Variant
from clary.lifecycles.rollout import Rollout
from clary.names import random_hex
from clary.serving.routes import RouteTable
from clary.store import Store
from clary.store.rows import Key, Row
from clary.workload.errors import WorkloadError, cannot_start
from clary.workload.hosting import HostingWorkload, log_group
from clary.workload.placement import Room, room_of

_KINDS = (KIND, inference_component.KIND)

_WATCH_SECONDS = 5.0
"""A look at the replicas even if no event came."""

_SETTLED_SECONDS = 60.0
"""The same of an endpoint in service for which nothing is to come: what happens to it is an event, whoever ends a
container or writes its row. Two hundred of them are looked at three times a second."""


class EndpointController:
    """Reconciles endpoints and inference components: whatever has replicas that answer."""

    def __init__(  # noqa: PLR0913, PLR0917  what an endpoint's life takes, put together in one place
        self,
        store: Store,
        workload: HostingWorkload,
        containers: Containers,
        activities: Activities,
        logs: Logs,
        routes: RouteTable,
        health: HealthGate,
        alarms: AlarmStates,
    ) -> None:
        self._store = store
        self._workload = workload
        self._containers = containers
        self._activities = activities
        self._logs = logs
        self._routes = routes
        self._health = health
        self._alarms = alarms

    def resume(self) -> list[Key]:
        """After a start of control: publish all routes, claim the containers; the endpoints are to be woken."""
        rows = self._rows()
        found = {route_id(row.key): route(row) for row in rows if row.target != DELETED}
        self._routes.replace({endpoint: there for endpoint, there in found.items() if there})
        for row in rows:
            self._own(row)
        return [row.key for row in rows]

    def wanted_containers(self) -> set[str]:
        """Ids that rows name."""
        return set().union(*(containers_of(row) for row in self._rows()))

    def _rows(self) -> list[Row]:
        return [row for kind in _KINDS for row in self._store.read.rows(kind)]

    def reconcile(self, key: Key) -> float | None:
        """Go on with an endpoint until it has to wait for something."""
        while (row := self._store.read.get(key)) is not None:
            seen = self._see(row)
            step = decide(row, seen, time.time())
            match step:
                case Save(wanted):
                    self._save(row, wanted, seen.room)
                case Remove():
                    self._remove(row)
                case Act():
                    return self._act(row, step)
        self._gone(key)
        return None

    def _see(self, row: Row) -> Seen:
        containers = containers_of(row)
        bundles = {container: self._bundle_outcome(row.key, container) for container in containers}
        return Seen(
            fresh=random_hex,
            containers={container: self._containers.poll(container) for container in containers},
            bundles={container: outcome for container, outcome in bundles.items() if outcome},
            healthy=frozenset(container for container in containers if self._health.healthy(container)),
            silent=frozenset(container for container in containers if self._health.silent(container)),
            said=lambda member: self._workload.last_lines(row.key, member),
            alarms=self._alarms_of(row),
            room=room_of(self._store.read, row),
        )

    def _alarms_of(self, row: Row) -> Alarms | None:
        """Those that take the update under way back; asked for as the role of what it brings."""
        rollout: Rollout | None = row.state.get("rollout")
        if row.status != UPDATING or not rollout or not rollout["alarms"]:
            return None
        role = row.state["next"]["variants"][0].get("role", "")
        return self._alarms.read(row.key, role, rollout["alarms"])

    def _bundle_outcome(self, key: Key, container: str) -> Outcome | None:
        return self._activities.outcome(key, container)

    def _save(self, row: Row, wanted: Row, room: Room | None) -> None:
        """The route is published before the status is seen: who reads InService can invoke."""
        self._routes.set(route_id(row.key), route(wanted))
        saved = self._store.write(lambda transaction: placing.saved(transaction, wanted, room))
        self._own(saved)
        self._let_go(row.key, containers_of(row) - containers_of(saved))

    def _remove(self, row: Row) -> None:
        self._routes.set(route_id(row.key), None)
        self._store.write(lambda transaction: placing.deleted(transaction, row))
        self._let_go(row.key, containers_of(row))

    def _gone(self, key: Key) -> None:
        """The row was deleted or renamed, by this controller or by an operation.

        A renamed row's containers are let go under either name; what of its own it had is nobody's now.
        """
        self._routes.set(route_id(key), None)
        self._let_go(key, self._containers.owned_by(key))
        self._activities.forget(key)

    def _let_go(self, key: Key, containers: set[str]) -> None:
        generation = self._routes.withdraw(containers)
        for container in containers:
            self._health.forget(container)
            self._activities.forget(key, container)
        self._containers.retire(containers, generation)

    def _own(self, row: Row) -> None:
        for container in containers_of(row):
            self._containers.own(container, row.key)

    def _act(self, row: Row, step: Act) -> float | None:
        found = by_container(row)
        dropped = self._containers.owned_by(row.key) - set(found)
        if dropped:  # an operation, or an edge, has written a row without them
            self._routes.set(route_id(row.key), route(row))
            self._let_go(row.key, dropped)
        for container in step.prepare:
            self._prepare(row.key, *found[container])
        for container in step.start:
            self._start(row.key, *found[container])
        for container in step.probe:
            self._health.probe(container, row.key)
        for container, (_, member) in found.items():
            if member.get("ready"):
                self._health.watch(container, row.key)
        pause = _SETTLED_SECONDS if _settled(row) else _WATCH_SECONDS
        return pause if step.again is None else min(step.again, pause)

    def _prepare(self, key: Key, variant: Variant, member: Member) -> None:
        work = partial(self._bundle, key, variant, member)
        self._activities.begin(key, member["container"], work, builds=True)

    def _bundle(self, key: Key, variant: Variant, member: Member, ended: Callable[[], bool]) -> None:
        try:
            self._lay_out(key, variant, member, ended)
        finally:
            self._containers.end_unless_owned(member["container"], key)

    def _lay_out(self, key: Key, variant: Variant, member: Member, ended: Callable[[], bool]) -> None:
        """Where it cannot be done its log says why: of a replica that is to take another's place nothing else does."""
        self._logs.ensure(key, log_group(key), member["log_stream"])
        with lines_into(self._workload.log_file(key, member)) as line:
            for notice in self._workload.notices(variant, member):
                line(notice)
            try:
                self._workload.build(variant, member, line)
                self._workload.lay_out(key, variant, member, ended)
            except WorkloadError as error:
                line(error.reason)
                raise

    def _start(self, key: Key, variant: Variant, member: Member) -> None:
        container = member["container"]
        try:
            self._containers.start(container, self._workload.container(key, variant, member), key)
        except (WorkloadError, ClaryError) as error:
            reason = cannot_start(error)
            with lines_into(self._workload.log_file(key, member)) as line:
                line(reason)
            self._activities.fail(key, container, reason)
            return
        self._health.probe(container, key)


def _settled(row: Row) -> bool:
    """Whether it is as it shall be, and all its replicas answer; a component may still wait for room."""
    if row.key.kind != KIND or row.status != IN_SERVICE or row.state.get("next"):
        return False
    return all(member.get("ready") for _, member in by_container(row).values())
