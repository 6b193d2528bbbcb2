"""What an endpoint needs next: from the first replica to the last, with everything that may happen to one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clary.compute.base import Absent, Exited, Lost, Running
from clary.controllers.activities import Done, Failed, Pending
from clary.controllers.endpoint import Act, Remove, decide
from clary.controllers.endpoint_route import route
from clary.controllers.endpoint_seen import Seen, containers_of
from clary.controllers.replica_failures import CRASHES, STARTUP_SECONDS
from clary.controllers.replicas import PATIENCE, backoff
from clary.lifecycles.endpoint import replicas_of
from clary.services.sagemaker.deployment import reweighted
from clary.serving.routes import Target
from tests.unit.controllers.endpoints import CRASH, NOW, World, deployment, endpoint, served, variant


def test_each_replica_is_named_prepared_started_and_asked():
    world = World(endpoint(next=deployment(variant("a", 2), variant("b", 1))))
    step = world.settle()
    first, *rest = ids = world.containers()
    assert len(set(ids)) == 3
    assert set(step.prepare) == set(ids)
    world.bundles[first] = Done()
    world.bundles |= dict.fromkeys(rest, Pending())
    assert world.settle() == Act(start=(first,), again=None)
    world.states[first] = Running(NOW)
    assert world.settle() == Act(probe=(first,), again=pytest.approx(STARTUP_SECONDS, abs=1))
    assert world.row.status == "Creating"
    assert route(world.row) is None


def test_in_service_when_all_replicas_have_answered():
    world = served(variant("a", 2, 3.0), variant("b", 1, 1.0))
    assert world.row.state["next"] is None
    shown = route(world.row)
    assert [(v.name, v.weight, len(v.targets)) for v in shown.variants] == [("a", 3.0, 2), ("b", 1.0, 1)]
    assert shown.variants[0].log_group == "/aws/sagemaker/Endpoints/e"
    assert next(replicas_of(world.row.state["current"]))["members"][0]["log_stream"].startswith("a/i-0")
    assert world.settle() == Act()


def test_one_replica_missing_holds_the_whole_deployment():
    world = World(endpoint(next=deployment(variant("a", 2))))
    world.settle()
    world.healthy.add(world.containers()[0])
    world.settle()
    assert world.row.status == "Creating"


def test_update_keeps_the_old_until_the_new_answers():
    world = served()
    old = containers_of(world.row)
    world.row = replace(world.row, state={**world.row.state, "next": deployment(variant("w"), config="two")})
    world.settle()
    assert world.row.status == "Updating"
    assert old < containers_of(world.row)
    assert {c for v in route(world.row).variants for t in v.targets for c in t.containers} == old
    world.come_up()
    assert (world.row.status, world.row.state["current"]["config"]) == ("InService", "two")
    assert not old & containers_of(world.row)


def update_weights(world, *wanted):
    state = {**world.row.state, "next": reweighted(world.row.state["current"], wanted)}
    world.row = replace(world.row, status="Updating", state=state)
    return world.settle()


def test_other_weights_replace_no_replica():
    world = served(variant("a", 2), variant("b", 1))
    before = containers_of(world.row)
    step = update_weights(world, {"VariantName": "b", "DesiredWeight": 3.0})
    assert (world.row.status, world.row.state["next"], step) == ("InService", None, Act())
    assert containers_of(world.row) == before
    assert [(v.name, v.weight, len(v.targets)) for v in route(world.row).variants] == [("a", 1.0, 2), ("b", 3.0, 1)]


def test_more_replicas_come_beside_those_that_serve():
    world = served(variant("v", 1))
    before = containers_of(world.row)
    step = update_weights(world, {"VariantName": "v", "DesiredInstanceCount": 3})
    assert set(step.prepare) == containers_of(world.row) - before
    assert len(step.prepare) == 2
    assert {c for v in route(world.row).variants for t in v.targets for c in t.containers} == before
    world.come_up()
    assert world.row.status == "InService"
    assert before < containers_of(world.row)


def test_fewer_replicas_are_some_of_those_that_serve():
    world = served(variant("v", 3))
    before = containers_of(world.row)
    update_weights(world, {"VariantName": "v", "DesiredInstanceCount": 1})
    assert world.row.status == "InService"
    assert len(containers_of(world.row)) == 1
    assert containers_of(world.row) < before


def test_replicas_that_do_not_come_up_leave_those_that_serve():
    world = served(variant("v", 1))
    before = containers_of(world.row)
    update_weights(world, {"VariantName": "v", "DesiredInstanceCount": 2, "DesiredWeight": 9.0})
    (fresh,) = containers_of(world.row) - before
    world.bundles[fresh] = Failed("ClientError: no model")
    world.settle()
    assert (world.row.status, containers_of(world.row)) == ("InService", before)
    assert route(world.row).variants[0].weight == 1.0


def test_a_shared_replica_that_dies_during_a_change_is_replaced():
    world = served(variant("v", 1))
    (dead,) = containers_of(world.row)
    update_weights(world, {"VariantName": "v", "DesiredInstanceCount": 2})
    world.crash(dead)
    assert dead not in containers_of(world.row)
    world.come_up("current")
    world.come_up("next")
    assert (world.row.status, len(containers_of(world.row))) == ("InService", 2)


def test_failed_update_rolls_back_to_what_served():
    world = served()
    old = containers_of(world.row)
    state = {**world.row.state, "next": deployment(variant("w"))}
    world.row = replace(world.row, status="Updating", state=state)
    world.settle()
    world.bundles[world.containers()[0]] = Failed("ClientError: no model")
    world.statuses.clear()
    world.settle()
    assert world.statuses == ["RollingBack", "InService"]
    assert containers_of(world.row) == old
    assert world.row.state["failure_reason"] == "ClientError: no model"


def test_what_can_never_start_fails_at_once():
    world = World(endpoint(next=deployment(variant())))
    world.settle()
    world.bundles[world.containers()[0]] = Failed("ClientError: Could not find the object s3://b/m.tar.gz.")
    world.settle()
    assert world.row.status == "Failed"
    assert world.row.state["failure_reason"].startswith("ClientError: Could not find")
    assert containers_of(world.row) == set()


def test_program_that_does_not_exist_fails_at_once():
    world = World(endpoint(next=deployment(variant())))
    world.settle()
    world.states[world.containers()[0]] = Exited(at=NOW, code=127, reason="serve: no such file")
    world.settle()
    assert world.row.state["failure_reason"].startswith("CannotStartContainerError. ")


def test_never_healthy_replica_is_tried_with_back_off_and_then_given_up():
    world = World(endpoint(next=deployment(variant("v"))))
    world.settle()
    for number in range(1, CRASHES):
        before = world.containers()[0]
        step = world.crash(before)
        assert world.containers()[0] != before
        if backoff(number):
            assert step == Act(again=pytest.approx(backoff(number)))
            world.now += backoff(number)
            assert world.settle().prepare
    world.crash(world.containers()[0])
    assert world.row.status == "Failed"
    assert world.row.state["failure_reason"] == (
        "The primary container for production variant v did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )


@pytest.mark.parametrize(("given", "limit"), [({}, STARTUP_SECONDS), ({"startup_seconds": 60}, 60)])
def test_replica_that_runs_and_never_answers_is_given_up_in_time(given, limit):
    world = World(endpoint(next=deployment(variant() | given)))
    world.settle()
    world.states[world.containers()[0]] = Running(NOW)
    assert world.settle().again == pytest.approx(limit, abs=0.1)
    world.now += limit + 0.01
    world.settle()
    assert world.row.status == "Failed"


@pytest.mark.parametrize("end", [CRASH, Lost(), Absent()])
def test_replica_that_dies_in_service_is_replaced_and_not_routed_to(end):
    world = served(variant("v", 2))
    dead, alive = world.containers("current")
    world.states[dead] = end
    step = world.settle()
    assert world.row.status == "InService"
    (shown,) = route(world.row).variants
    assert [target.containers for target in shown.targets] == [(alive,)]
    fresh = containers_of(world.row) - {alive}
    assert set(step.prepare) == fresh != {dead}
    world.come_up("current")
    assert len(route(world.row).variants[0].targets) == 2


def test_replica_that_runs_and_answers_no_more_is_replaced():
    world = served(variant("v", 2))
    hung, alive = world.containers("current")
    world.silent.add(hung)
    step = world.settle()
    assert world.row.status == "InService"
    assert [target.containers for target in route(world.row).variants[0].targets] == [(alive,)]
    assert set(step.prepare) == containers_of(world.row) - {alive} != {hung}


def test_replica_that_keeps_crashing_in_service_waits_longer_each_time():
    world = served()
    pauses = []
    for _ in range(12):
        step = world.crash(world.containers("current")[0])
        pauses.append(step.again if not step.prepare else 0.0)
        world.now += 100
    assert world.row.status == "InService"
    assert pauses[0] == 0.0
    assert pauses[-1] == pytest.approx(30.0)


def killed(world):
    """The first of its replicas, a second old."""
    world.states[world.containers("current")[0]] = Exited(at=world.now, code=137, since=world.now - 1)
    return world.settle()


def test_replicas_that_are_killed_every_second_are_replaced_at_once_but_not_for_ever():
    world = served()
    for _ in range(PATIENCE):
        assert killed(world).prepare
        world.come_up("current")
    pauses = []
    for _ in range(10):
        step = killed(world)
        pauses.append(step.again if not step.prepare else 0.0)
        world.now += 100
        world.come_up("current")
    assert pauses[0] == 0.0
    assert pauses[-1] == pytest.approx(30.0)


def test_one_that_is_killed_before_it_answered_is_not_held_against_those_that_did():
    world = served()
    for _ in range(10):
        world.crash(world.containers("current")[0])
        assert world.crash(world.containers("current")[0]).prepare
        world.come_up("current")


@pytest.mark.parametrize(
    ("said", "once"), [({}, False), ({"CLARY_REPLAY": "off"}, True), ({"CLARY_REPLAY": "on"}, False)]
)
def test_a_models_environment_says_whether_its_requests_may_be_asked_twice(said, once):
    definition = {"Image": "i", "Environment": said}
    world = served(variant() | {"container_definitions": [{"Image": "i"}, definition]})
    assert [each.once for each in route(world.row).variants] == [once]


def test_replica_that_lasted_is_replaced_at_once():
    world = served()
    (container,) = world.containers("current")
    world.states[container] = Exited(at=NOW, code=1, since=NOW - 100)
    assert world.settle().prepare
    assert next(replicas_of(world.row.state["current"]))["members"][0]["restarts"] == 0


def test_fewer_replicas_than_before():
    world = served(variant("v", 2))
    state = {**world.row.state, "current": deployment(world.row.state["current"]["variants"][0] | {"desired_count": 1})}
    world.row = replace(world.row, state=state)
    world.settle()
    assert len(containers_of(world.row)) == 1


def test_deleted_endpoint_is_removed_whatever_it_was_doing():
    for status in ("Creating", "InService", "Updating", "Failed", "Deleting"):
        assert decide(endpoint(status, "Deleted"), Seen(lambda: "x"), NOW) == Remove()


def test_nothing_is_done_when_all_is_well():
    world = served()
    before = repr(world.row)
    assert world.settle() == Act()
    assert repr(world.row) == before


def test_the_reason_of_a_crash_holds_the_last_lines_of_its_log():
    world = World(endpoint(next=deployment(variant())))
    world.settle()
    for _ in range(CRASHES):
        (container,) = world.containers()
        world.bundles[container] = Done()
        world.said[container] = "ValueError: no such file"
        world.crash(container)
        world.now += 60
    assert world.row.status == "Failed"
    reason = world.row.state["failure_reason"]
    assert reason.startswith("The primary container for production variant v did not pass the ping health check.")
    assert reason.endswith("Its last lines: ValueError: no such file")


def test_the_reason_of_one_that_never_answers_holds_what_it_says_at_the_end():
    world = World(endpoint(next=deployment(variant())))
    world.settle()
    (container,) = world.containers()
    world.bundles[container], world.states[container] = Done(), Running(NOW)
    world.settle()
    world.said[container] = "still loading"
    world.now += STARTUP_SECONDS + 1
    world.settle()
    assert world.row.state["failure_reason"].endswith("Its last lines: still loading")


def test_memory_that_ran_out_is_named():
    world = World(endpoint(next=deployment(variant())))
    world.settle()
    for _ in range(CRASHES):
        (container,) = world.containers()
        world.bundles[container] = Done()
        world.states[container] = Exited(at=world.now, code=137, signal=9, out_of_memory=True)
        world.settle()
        world.now += 60
    assert "more memory than its instance type has" in world.row.state["failure_reason"]


def test_building_and_fetching_do_not_count_as_starting():
    world = World(endpoint(next=deployment(variant())))
    world.settle()
    world.bundles |= dict.fromkeys(world.containers(), Pending())
    world.now += 10 * STARTUP_SECONDS
    world.settle()
    assert world.row.status == "Creating"


THREE = {"images": ("a", "b", "c")}


def test_every_container_of_a_replica_is_prepared_started_and_asked_by_itself():
    world = World(endpoint(next=deployment(variant(**THREE))))
    step = world.settle()
    first, second, third = ids = world.containers()
    assert set(step.prepare) == set(ids)
    world.bundles |= {first: Done(), second: Pending(), third: Done()}
    assert set(world.settle().start) == {first, third}
    (replica,) = replicas_of(world.row.state["next"])
    assert [member["log_stream"] for member in replica["members"]] == [
        f"v/i-0{first[:16]}/container-{number}" for number in (1, 2, 3)
    ]


def test_a_replica_answers_once_all_of_its_containers_do():
    world = World(endpoint(next=deployment(variant(**THREE))))
    world.settle()
    *before, last = world.containers()
    world.states |= dict.fromkeys((*before, last), Running(NOW))
    world.healthy |= set(before)
    world.settle()
    assert world.row.status == "Creating"
    world.healthy.add(last)
    world.settle()
    (shown,) = route(world.row).variants
    assert world.row.status == "InService"
    assert (shown.targets, shown.hostnames, shown.direct) == (
        (Target((*before, last)),),
        ("container-1", "container-2", "container-3"),
        False,
    )


def test_containers_are_called_by_their_hostnames():
    definitions = [{"Image": "i", "ContainerHostname": name} for name in ("pre", "post")]
    world = served(variant() | {"container_definitions": definitions, "direct": True})
    (shown,) = route(world.row).variants
    (replica,) = replicas_of(world.row.state["current"])
    assert (shown.hostnames, shown.direct) == (("pre", "post"), True)
    assert [member["log_stream"].rpartition("/")[2] for member in replica["members"]] == ["pre", "post"]


@pytest.mark.parametrize("place", range(3))
def test_a_container_that_dies_takes_its_replica_out_of_service_and_is_replaced_alone(place):
    world = served(variant("v", 2, **THREE))
    containers = world.containers("current")
    step = world.crash(containers[place])
    fresh = set(world.containers("current")) - set(containers)
    assert set(step.prepare) == fresh
    assert len(fresh) == 1
    assert world.containers("current")[place] in fresh
    assert [target.containers for target in route(world.row).variants[0].targets] == [tuple(containers[3:])]
    assert world.row.status == "InService"
    world.come_up("current")
    assert [target.containers for target in route(world.row).variants[0].targets] == [
        tuple(world.containers("current")[:3]),
        tuple(containers[3:]),
    ]


def test_the_container_that_did_not_answer_is_named():
    world = World(endpoint(next=deployment(variant(**THREE))))
    world.settle()
    first, second, third = world.containers()
    world.states |= dict.fromkeys((first, second, third), Running(NOW))
    world.healthy |= {first, third}
    world.settle()
    world.said[second] = "still loading"
    world.now += STARTUP_SECONDS + 1
    world.settle()
    assert world.row.state["failure_reason"] == (
        "The container-2 for production variant v did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint. Its last lines: still loading"
    )


def test_replicas_of_several_containers_come_and_go_as_a_whole():
    world = served(variant("v", 1, **THREE))
    before = containers_of(world.row)
    step = update_weights(world, {"VariantName": "v", "DesiredInstanceCount": 2})
    assert len(step.prepare) == 3
    world.come_up()
    assert len(containers_of(world.row)) == 6
    update_weights(world, {"VariantName": "v", "DesiredInstanceCount": 1})
    assert containers_of(world.row) == before
