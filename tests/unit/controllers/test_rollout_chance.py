"""Whatever happens to an update, in whatever order: who answers, with which share, and that it ends."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from clary.compute.base import Running
from clary.controllers.activities import Done
from clary.controllers.endpoint_route import route
from clary.controllers.endpoint_seen import containers_of
from clary.lifecycles.endpoint import is_ready, replicas_of
from clary.services.sagemaker.deployment import launching, standing
from clary.services.sagemaker.deployment_config import rollout
from tests.unit.controllers.endpoints import deployment, served, variant

ONE = {"Type": "INSTANCE_COUNT", "Value": 1}
SOME = {"Type": "CAPACITY_PERCENT", "Value": 30}


def blue_green(kind, **more):
    routing = {"Type": kind, "WaitIntervalInSeconds": 60, **more}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": 60}}


CONFIGS = [
    None,
    blue_green("ALL_AT_ONCE"),
    blue_green("CANARY", CanarySize=SOME),
    blue_green("LINEAR", LinearStepSize=SOME),
    {"RollingUpdatePolicy": {"MaximumBatchSize": ONE, "WaitIntervalInSeconds": 60}},
    {"RollingUpdatePolicy": {"MaximumBatchSize": SOME, "WaitIntervalInSeconds": 0, "RollbackMaximumBatchSize": ONE}},
]
EVENTS = st.sampled_from(["rise", "rise", "crash", "time", "time", "alarm", "well", "unknown", "kill", "update"])


def update(world, config):
    """As UpdateEndpoint writes it, where the endpoint's status allows for it."""
    if world.row.status not in ("InService", "UpdateRollbackFailed"):
        return
    old, new = standing(world.row.state), deployment(variant("v", 3), config="new")
    alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}]}}
    plan = rollout({**(config or {}), **alarms}, old, new, world.now)
    state = {"current": old, "next": launching(new, plan["steps"][0]["counts"]), "rollout": plan}
    world.row = replace(world.row, status="Updating", state=state)


def rise(world, picked):
    container = picked(sorted(containers_of(world.row)))
    world.bundles[container], world.states[container] = Done(), Running(world.now)
    world.healthy.add(container)


def happen(world, event, config, picked):
    if event == "rise":
        rise(world, picked)
    elif event == "crash":
        world.crash(picked(sorted(containers_of(world.row))))
    elif event == "time":
        world.now += 30
    elif event == "kill":
        world.bundles.clear()
        world.healthy.clear()
    elif event == "update":
        update(world, config)
    else:
        world.alarms = {"alarm": {"a": "ALARM"}, "well": {"a": "OK"}, "unknown": None}[event]
    world.settle()


def check(world):
    entries = route(world.row).variants
    assert abs(sum(entry.share for entry in entries) - 1) < 1e-9
    assert all(0 < entry.share <= 1 for entry in entries)
    named = containers_of(world.row)
    assert all(set(target.containers) <= named for entry in entries for target in entry.targets)
    ready = sum(map(is_ready, replicas_of(world.row.state["current"])))
    assert any(entry.targets for entry in entries) or not ready, "who answers is asked"
    rolling = "rollout" in world.row.state and world.row.state["rollout"]["type"] == "ROLLING"
    assert len(named) <= (3 + 3 if not rolling or world.row.status != "Updating" else 3 + 2)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CONFIGS), st.lists(EVENTS, max_size=40), st.data())
def test_somebody_answers_with_the_right_share_and_every_update_ends(config, events, data):
    world = served(variant("v", 3))
    world.alarms = {"a": "OK"}
    update(world, config)
    world.settle()
    for event in events:
        happen(world, event, config, lambda among: data.draw(st.sampled_from(among)))
        check(world)
    world.alarms = {"a": "OK"}
    for _ in range(30):
        for container in containers_of(world.row):
            rise(world, lambda _, container=container: container)
        world.settle()
        world.now += 60
        check(world)
    assert world.row.status in ("InService", "UpdateRollbackFailed")
    assert ("next" in world.row.state and world.row.state["next"] is not None) == (world.row.status != "InService")
    assert all(map(is_ready, replicas_of(world.row.state["current"])))
