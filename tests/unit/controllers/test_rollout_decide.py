"""How an update takes the place of what serves: every policy as a table of its stages, and what may happen in each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clary.compute.base import Running
from clary.controllers.activities import Done, Failed
from clary.controllers.endpoint import Remove, decide
from clary.controllers.endpoint_route import route
from clary.controllers.endpoint_seen import Seen, containers_of
from clary.controllers.replica_failures import CRASHES
from clary.controllers.rollout import ALARMS_SECONDS, Unreadable, counts
from clary.services.sagemaker.deployment import launching, standing
from clary.services.sagemaker.deployment_config import rollout
from tests.unit.controllers.endpoints import NOW, deployment, served, variant

ALARMS = {"Alarms": [{"AlarmName": "errors"}, {"AlarmName": "slow"}]}
WELL = {"errors": "OK", "slow": "INSUFFICIENT_DATA"}
TRIPPED = "The alarm(s) slow of AutoRollbackConfiguration are in ALARM state."


def percent(value):
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def instances(value):
    return {"Type": "INSTANCE_COUNT", "Value": value}


def blue_green(kind, wait=0, termination=0, limit=None, **size):
    policy = {"TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": wait, **size}}
    limits = {} if limit is None else {"MaximumExecutionTimeoutInSeconds": limit}
    return {"BlueGreenUpdatePolicy": {**policy, "TerminationWaitInSeconds": termination, **limits}}


def rolling(size, wait=0, **more):
    return {"RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": wait, **more}}


CANARY = blue_green("CANARY", 60, 30, CanarySize=percent(10))
LINEAR = blue_green("LINEAR", 60, LinearStepSize=instances(1))


def update(world, config, *variants):
    """As UpdateEndpoint writes it."""
    old, new = standing(world.row.state), deployment(*(variants or [variant("v", 3)]), config="two")
    plan = rollout(config, old, new, world.now)
    state = {"current": old, "next": launching(new, plan["steps"][0]["counts"]), "rollout": plan}
    world.row = replace(world.row, status="Updating", state=state)
    world.old = {replica for entry in route(world.row).variants for replica in entry.targets}
    if plan["alarms"] and world.alarms is None:
        world.alarms = WELL
    return world.settle()


def traffic(world, name=None):
    """What part of the requests, of those to variant `name`, goes to the new fleet."""
    entries = [entry for entry in route(world.row).variants if name in (None, entry.name) and entry.targets]
    whole = sum(entry.weight for entry in entries)
    return round(sum(entry.weight for entry in entries if not world.old & set(entry.targets)) / whole, 3)


def fleets(world):
    """Instances of the old and of the new one."""
    count = [0, 0]
    for which, replicas in (("current", 0), ("next", 1)):
        for each in (world.row.state[which] or {}).get("variants", ()):
            count[replicas] += len(each.get("replicas", ()))
    return tuple(count)


def seen_at(world):
    stage = world.row.state["rollout"]["stage"] if "rollout" in world.row.state else world.row.status
    return (round(world.now - NOW), stage, traffic(world), *fleets(world))


def stages(world, most=60):
    """What is seen until the update has ended, if all goes well: second, stage, share of the new fleet, instances."""
    found = [seen_at(world)]
    for _ in range(most):
        step = world.come_up() if world.row.state["next"] else world.settle()
        found += [seen_at(world)] if seen_at(world)[1:] != found[-1][1:] else []
        if world.row.status == "InService":
            return found
        world.now += step.again or 0.0
        world.settle()
        found += [seen_at(world)] if seen_at(world)[1:] != found[-1][1:] else []
    raise AssertionError(f"does not end: {found}")


def until(world, holds, do):
    """Let time pass from one due moment to the next, `do` at each, until it `holds`."""
    for _ in range(600):
        step = do()
        if holds():
            return
        world.now += step.again or 0.0
    raise AssertionError(f"never: {seen_at(world)}")


POLICIES = {
    "all at once": (None, [(0, "Creating", 0.0, 3, 3), (0, "InService", 1.0, 3, 0)]),
    "all at once, baked": (
        blue_green("ALL_AT_ONCE", 60, 30),
        [
            (0, "Creating", 0.0, 3, 3),
            (0, "Baking", 1.0, 3, 3),
            (60, "Waiting", 1.0, 3, 3),
            (90, "InService", 1.0, 3, 0),
        ],
    ),
    "canary": (
        CANARY,
        [
            (0, "Creating", 0.0, 3, 3),
            (0, "Baking", 0.1, 3, 3),
            (60, "Baking", 1.0, 3, 3),
            (120, "Waiting", 1.0, 3, 3),
            (150, "InService", 1.0, 3, 0),
        ],
    ),
    "canary of an instance": (
        blue_green("CANARY", 60, CanarySize=instances(1)),
        [
            (0, "Creating", 0.0, 3, 3),
            (0, "Baking", 0.333, 3, 3),
            (60, "Baking", 1.0, 3, 3),
            (120, "InService", 1.0, 3, 0),
        ],
    ),
    "linear": (
        blue_green("LINEAR", 60, 30, LinearStepSize=percent(40)),
        [
            (0, "Creating", 0.0, 3, 3),
            (0, "Baking", 0.4, 3, 3),
            (60, "Baking", 0.8, 3, 3),
            (120, "Baking", 1.0, 3, 3),
            (180, "Waiting", 1.0, 3, 3),
            (210, "InService", 1.0, 3, 0),
        ],
    ),
    "rolling": (
        rolling(percent(33), 60),
        [
            (0, "Creating", 0.0, 3, 1),
            (0, "Baking", 0.333, 3, 1),
            (60, "Creating", 0.333, 2, 2),
            (60, "Baking", 0.667, 2, 2),
            (120, "Creating", 0.667, 1, 3),
            (120, "Baking", 1.0, 1, 3),
            (180, "InService", 1.0, 3, 0),
        ],
    ),
}


@pytest.mark.parametrize("policy", POLICIES)
def test_an_update_goes_through_the_stages_of_its_policy(policy):
    config, expected = POLICIES[policy]
    world = served(variant("v", 3))
    update(world, config)
    assert stages(world) == expected
    assert world.row.state["current"]["config"] == "two"
    assert [(entry.weight, entry.share) for entry in route(world.row).variants] == [(1.0, 1.0)]


@pytest.mark.parametrize("policy", POLICIES)
def test_control_that_is_killed_at_every_step_goes_on_where_it_was(policy):
    config, expected = POLICIES[policy]
    world = served(variant("v", 3))
    update(world, config)
    found, alive = [], world.settle
    once = [seen_at(world)]
    for _ in range(200):
        for container in containers_of(world.row):
            world.bundles[container], world.states[container] = Done(), Running(world.now)
            world.healthy.add(container)
        saved = len(world.statuses)
        step = alive()
        once += [seen_at(world)] if seen_at(world)[1:] != once[-1][1:] else []
        found.append(len(world.statuses) - saved)
        world.bundles.clear()  # all that control had in its memory
        world.healthy.clear()
        if world.row.status == "InService":
            break
        world.now += step.again or 0.0
    assert once == expected


def test_a_rolling_update_of_more_instances_and_of_fewer():
    for before, after, batch, expected in (
        (2, 4, instances(2), [(2, 2), (1, 4)]),
        (4, 2, instances(1), [(4, 1), (2, 2)]),
    ):
        world = served(variant("v", before))
        update(world, rolling(batch, 60), variant("v", after))
        assert [row[3:] for row in stages(world) if row[1] == "Baking"] == expected


def test_deleting_is_seen_between_two_batches():
    world = served(variant("v", 2))
    update(world, rolling(instances(1), 60), variant("v", 2))
    world.come_up()
    world.now += 60
    saved = decide(world.row, seen(world), world.now).row
    assert (saved.state["rollout"]["stage"], counts(saved.state["current"])) == ("Deleting", {"v": 1})


def seen(world):
    return Seen(lambda: next(world.ids), world.states, world.bundles, frozenset(world.healthy), alarms=world.alarms)


@pytest.mark.parametrize("config", [CANARY, LINEAR, blue_green("ALL_AT_ONCE", 60)], ids=["canary", "linear", "at once"])
def test_an_alarm_takes_all_traffic_back_at_once(config):
    world = served(variant("v", 3))
    before = containers_of(world.row)
    update(world, {**config, "AutoRollbackConfiguration": ALARMS})
    world.come_up()
    assert traffic(world) > 0
    world.alarms = {**WELL, "slow": "ALARM"}
    world.statuses.clear()
    world.settle()
    assert world.statuses == ["RollingBack", "InService"]
    assert (traffic(world), containers_of(world.row)) == (0.0, before)
    assert (world.row.state["failure_reason"], "rollout" in world.row.state) == (TRIPPED, False)
    assert world.row.state["current"]["config"] == "cfg"


def test_an_alarm_in_the_second_step_takes_back_what_the_first_has_shifted():
    world = served(variant("v", 3))
    update(world, {**LINEAR, "AutoRollbackConfiguration": ALARMS})
    world.come_up()
    until(world, lambda: traffic(world) > 0.6, world.settle)
    world.alarms = {**WELL, "slow": "ALARM"}
    world.settle()
    assert (world.row.status, traffic(world), fleets(world)) == ("InService", 0.0, (3, 0))


def test_an_alarm_that_is_in_alarm_before_fails_the_update_before_anything_is_started():
    world = served(variant("v", 3))
    before = containers_of(world.row)
    world.alarms = {**WELL, "slow": "ALARM"}
    update(world, {**CANARY, "AutoRollbackConfiguration": ALARMS})
    assert (world.row.status, world.row.state["failure_reason"]) == ("InService", TRIPPED)
    assert next(world.ids).startswith("c7"), "three had served, three were named, none of them lives"
    assert containers_of(world.row) == before


def test_an_alarm_while_all_traffic_is_on_the_new_fleet_and_the_old_one_waits():
    world = served(variant("v", 3))
    update(world, {**CANARY, "AutoRollbackConfiguration": ALARMS})
    world.come_up()
    until(world, lambda: world.row.state["rollout"]["stage"] == "Waiting", world.settle)
    assert traffic(world) == 1.0
    world.alarms = {**WELL, "errors": "ALARM"}
    world.settle()
    assert (world.row.status, traffic(world), fleets(world)) == ("InService", 0.0, (3, 0))


@pytest.mark.parametrize(
    ("alarms", "said"),
    [
        ({"errors": "OK"}, "The alarm(s) slow of AutoRollbackConfiguration do not exist."),
        (Unreadable("not authorized"), "The alarms of AutoRollbackConfiguration cannot be described: not authorized"),
    ],
    ids=["missing", "forbidden"],
)
def test_alarms_that_cannot_be_watched_take_the_update_back(alarms, said):
    world = served(variant("v", 3))
    world.alarms = alarms
    update(world, {**CANARY, "AutoRollbackConfiguration": ALARMS})
    assert (world.row.status, world.row.state["failure_reason"]) == ("InService", said)


def test_no_baking_ends_while_the_alarms_are_unknown():
    world = served(variant("v", 3))
    update(world, {**CANARY, "AutoRollbackConfiguration": ALARMS})
    step = world.come_up()
    assert step.again == ALARMS_SECONDS
    world.alarms = None
    world.now += 3600
    world.settle()
    assert traffic(world) == 0.1
    world.alarms = WELL
    world.settle()
    assert traffic(world) == 1.0


@pytest.mark.parametrize("policy", POLICIES)
def test_a_new_version_that_never_answers_leaves_what_serves(policy):
    world = served(variant("v", 3))
    before = containers_of(world.row)
    update(world, POLICIES[policy][0])
    for _ in range(CRASHES):
        world.crash(world.containers()[0])
        world.now += 60
    assert (world.row.status, traffic(world), containers_of(world.row)) == ("InService", 0.0, before)
    assert "did not pass the ping health check" in world.row.state["failure_reason"]


def test_a_new_version_that_stops_to_answer_while_it_bakes_is_taken_back():
    world = served(variant("v", 3))
    update(world, blue_green("CANARY", 3600, CanarySize=percent(10)))
    world.come_up()
    for _ in range(CRASHES):
        world.crash(world.containers()[0])
        world.now += 60
    assert (world.row.status, traffic(world)) == ("InService", 0.0)


def test_the_old_version_dies_while_the_new_one_bakes():
    world = served(variant("v", 1))
    update(world, blue_green("CANARY", 60, CanarySize=percent(10)), variant("v", 1))
    world.come_up()
    step = world.crash(world.containers("current")[0])
    assert [entry.targets for entry in route(world.row).variants if entry.weight > 0] == [
        ((target),) for target in {t for entry in route(world.row).variants for t in entry.targets}
    ]
    assert traffic(world) == 1.0, "the new fleet takes what the old one cannot"
    assert step.prepare, "and the old one comes back"
    world.come_up("current")
    world.old = {target for entry in route(world.row).variants for target in entry.targets} - {
        target
        for entry in route(world.row).variants
        for target in entry.targets
        if set(target.containers) & set(world.containers())
    }
    assert traffic(world) == 0.1


def test_what_takes_too_long_is_taken_back():
    world = served(variant("v", 3))
    step = update(world, blue_green("CANARY", 60, limit=600, CanarySize=percent(10)))
    assert step.again == pytest.approx(600, abs=0.1)
    world.now += 600.1
    world.settle()
    assert world.row.status == "InService"
    assert world.row.state["failure_reason"] == (
        "The deployment did not complete within MaximumExecutionTimeoutInSeconds (600 seconds)."
    )


def test_an_endpoint_that_is_deleted_in_any_stage_is_removed():
    world = served(variant("v", 3))
    update(world, rolling(instances(1), 60))
    for _ in range(12):
        assert decide(replace(world.row, target="Deleted"), seen(world), world.now) == Remove()
        world.now += (world.come_up() if world.row.state["next"] else world.settle()).again or 0.0
    assert world.row.status == "InService"


def test_shares_hold_with_two_variants_whatever_their_weights():
    world = served(variant("a", 1, 1.0), variant("b", 1, 1.0))
    update(world, CANARY, variant("a", 1, 30.0), variant("b", 2, 10.0))
    world.come_up()
    assert (traffic(world), traffic(world, "a")) == (0.1, pytest.approx(0.143, abs=0.001))
    assert [(entry.name, entry.share) for entry in route(world.row).variants] == [
        ("a", 0.9), ("b", 0.9), ("a", 0.1), ("b", 0.1),
    ]  # fmt: skip


def test_a_variant_without_weight_is_shared_where_it_is_asked_for_by_name():
    world = served(variant("a", 1, 0.0), variant("b", 1, 1.0))
    update(world, CANARY, variant("a", 1, 0.0), variant("b", 1, 1.0))
    world.come_up()
    assert [(entry.weight, entry.share) for entry in route(world.row).variants if entry.name == "a"] == [
        (0.0, 0.9), (0.0, 0.1),
    ]  # fmt: skip


def test_variants_of_other_names_take_over_at_once():
    world = served(variant("a", 1, 2.0))
    update(world, blue_green("ALL_AT_ONCE", 60), variant("b", 1, 5.0))
    world.come_up()
    assert [(entry.name, entry.weight) for entry in route(world.row).variants] == [("b", 1.0)]


BACK = {
    "all at once": ({}, [(1.0, 3, 3), (0.0, 3, 0)]),
    "in batches": ({"RollbackMaximumBatchSize": instances(1)}, [(1.0, 2, 3), (0.5, 3, 1), (0.0, 3, 0)]),
}  # fmt: skip


@pytest.mark.parametrize("way", BACK)
def test_a_rolling_update_is_taken_back_in_batches(way):
    more, expected = BACK[way]
    world = served(variant("v", 3))
    update(world, {**rolling(instances(1), 60, **more), "AutoRollbackConfiguration": ALARMS})
    until(world, lambda: (traffic(world), *fleets(world)) == (1.0, 1, 3), world.come_up)
    world.alarms = {**WELL, "slow": "ALARM"}
    world.settle()
    known = set(world.containers())
    found = []
    for _ in expected[1:]:
        assert world.row.status == "RollingBack"
        found.append((share_of(world, known), *fleets(world)))
        world.come_up("current")
    assert [*found, (share_of(world, known), *fleets(world))] == expected
    assert (world.row.status, world.row.state["failure_reason"]) == ("InService", TRIPPED)
    assert world.row.state["current"]["config"] == "cfg"


def share_of(world, new):
    entries = [entry for entry in route(world.row).variants if entry.targets]
    share = sum(entry.weight for entry in entries if {c for t in entry.targets for c in t.containers} & new)
    return round(share / sum(entry.weight for entry in entries), 3)


def failed_rollback():
    world = served(variant("v", 2))
    update(world, {**rolling(instances(1), 60), "AutoRollbackConfiguration": ALARMS}, variant("v", 2))
    until(world, lambda: fleets(world) == (1, 2), world.come_up)
    world.alarms = {**WELL, "slow": "ALARM"}
    world.settle()
    assert (world.row.status, fleets(world)) == ("RollingBack", (2, 2))
    (returning,) = [c for c in world.containers("current") if c not in world.healthy]
    world.bundles[returning] = Failed("ClientError: the model is gone")
    world.settle()
    return world


def test_a_rollback_that_fails_leaves_both_in_service():
    world = failed_rollback()
    assert world.row.status == "UpdateRollbackFailed"
    assert world.row.state["failure_reason"] == f"{TRIPPED} Rolling back failed: ClientError: the model is gone"
    assert 0 < traffic(world) <= 1
    world.crash(world.containers()[0])
    assert world.row.status == "UpdateRollbackFailed", "and what dies of them is replaced"
    assert len(containers_of(world.row)) == 4


def test_after_a_failed_rollback_an_update_heals_the_endpoint():
    world = failed_rollback()
    update(world, None, variant("v", 2))
    assert (world.row.status, fleets(world)) == ("Updating", (2, 2))
    world.come_up()
    assert (world.row.status, fleets(world)) == ("InService", (2, 0))


def test_after_a_failed_rollback_what_answers_is_what_an_update_goes_out_from():
    world = failed_rollback()
    for each in world.row.state["current"]["variants"][0]["replicas"]:
        each["members"][0]["ready"] = False
    assert standing(world.row.state)["config"] == "two"
