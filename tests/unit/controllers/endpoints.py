"""Endpoints without containers: their rows, and a world that applies what is decided."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

from clary.compute.base import Exited, Running
from clary.controllers.activities import Done
from clary.controllers.endpoint import Save, decide
from clary.controllers.endpoint_seen import Seen
from clary.lifecycles.endpoint import replicas_of
from clary.store.rows import Key, Row

NOW = 1_700_000_000.0
CRASH = Exited(at=NOW, code=1, since=NOW - 1)


def variant(name="v", count=1, weight=1.0, images=("i",), **more):
    return {
        "name": name,
        "weight": weight,
        "desired_count": count,
        "instance_type": "ml.m5.large",
        "model": "m",
        "container_definitions": [{"Image": image} for image in images],
        "role": "r",
        "isolated": False,
        **more,
    }


def deployment(*variants, config="cfg"):
    return {"config": config, "variants": list(variants)}


def endpoint(status="Creating", target="InService", **state):
    created = datetime.fromtimestamp(NOW, UTC)
    key = Key("endpoint", "000000000000", "us-east-1", "e")
    return Row(key, "arn", status, created, created, {}, state, target)


class World:
    """Applies steps as the controller does, with a clock of its own; what the containers do is said by the test."""

    def __init__(self, row):
        self.row, self.now = row, NOW
        self.ids = (f"c{number}" + "0" * 20 for number in itertools.count(1))
        self.states, self.bundles, self.healthy, self.silent = {}, {}, set(), set()
        self.statuses = []
        self.said = {}
        self.alarms = None
        self.room = None

    def settle(self):
        for _ in range(20):
            seen = Seen(
                lambda: next(self.ids),
                self.states,
                self.bundles,
                frozenset(self.healthy),
                frozenset(self.silent),
                lambda member: self.said.get(member["container"], ""),
                self.alarms,
                room=self.room,
            )
            step = decide(self.row, seen, self.now)
            if not isinstance(step, Save):
                return step
            self.row = step.row
            self.statuses.append(self.row.status)
        raise AssertionError("does not come to rest")

    def containers(self, which="next"):
        return [each["container"] for replica in replicas_of(self.row.state[which]) for each in replica["members"]]

    def come_up(self, which="next"):
        for container in self.containers(which):
            self.bundles[container] = Done()
            self.states[container] = Running(self.now)
            self.healthy.add(container)
        return self.settle()

    def crash(self, container):
        self.states[container] = replace(CRASH, at=self.now)
        return self.settle()


def served(*variants):
    world = World(endpoint(next=deployment(*(variants or [variant()]))))
    world.settle()
    world.come_up()
    assert world.row.status == "InService"
    return world
