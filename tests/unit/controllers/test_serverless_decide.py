"""A serverless endpoint's replicas: none without requests, as many as are asked for, none that is tried for ever."""

from __future__ import annotations

from dataclasses import replace

from clary.compute.base import Running
from clary.controllers.activities import Done, Failed
from clary.controllers.endpoint_route import route
from clary.controllers.endpoint_seen import containers_of
from clary.controllers.serverless_effects import with_asked
from clary.services.sagemaker.deployment_config import rollout
from clary.serving.routes import OnDemand
from tests.unit.controllers.endpoints import CRASH, World, deployment, endpoint, variant

ENDPOINT = "000000000000/us-east-1/e"


def serverless(name="v", most=3, provisioned=0, **more):
    made = variant(name, max(1, provisioned), startup_seconds=180.0, **more)
    made.pop("instance_type")
    limits = {"memory_mb": 2048, "max_concurrency": most, "provisioned": provisioned, "failures": 0, "said": ""}
    return {**made, "serverless": limits}


def served(**limits):
    world = World(endpoint(next=deployment(serverless(**limits))))
    world.settle()
    world.come_up()
    assert world.row.status == "InService"
    return world


def ask(world, wanted, *gone, config="cfg"):
    said = {"endpoint": ENDPOINT, "variant": "v", "config": config, "wanted": wanted, "gone": gone}
    asked = with_asked(world.row, said)
    world.row = asked or world.row
    return world.settle()


def on_demand(world):
    (shown,) = route(world.row).variants
    return shown.on_demand


def targets(world):
    (shown,) = route(world.row).variants
    return [container for target in shown.targets for container in target.containers]


def test_a_model_is_seen_to_come_up_and_nothing_of_it_stays():
    world = World(endpoint(next=deployment(serverless())))
    step = world.settle()
    assert len(step.prepare) == 1
    assert (world.row.status, route(world.row)) == ("Creating", None)
    world.come_up()
    assert (world.row.status, containers_of(world.row)) == ("InService", set())
    assert on_demand(world) == OnDemand(most=3, provisioned=0, wanted=0)


def test_a_model_that_does_not_come_up_is_no_endpoint():
    world = World(endpoint(next=deployment(serverless())))
    world.settle()
    world.said = dict.fromkeys(world.containers(), "no such file")
    world.bundles[world.containers()[0]] = Done()
    world.states[world.containers()[0]] = Running(world.now)
    world.now += 181
    world.settle()
    assert world.row.status == "Failed"
    reason = world.row.state["failure_reason"]
    assert reason.startswith("Unable to successfully stand up your model within the allotted 180 second timeout.")
    assert reason.endswith("no such file")


def test_replicas_come_when_they_are_asked_for_and_asking_twice_is_asking_once():
    world = served()
    assert len(ask(world, 2).prepare) == 2
    before = containers_of(world.row)
    ask(world, 2)
    assert containers_of(world.row) == before
    assert (on_demand(world).wanted, targets(world)) == (2, [])
    world.come_up("current")
    assert set(targets(world)) == before


def test_never_more_than_there_may_be_at_once():
    world = served(most=2)
    ask(world, 50)
    assert len(containers_of(world.row)) == 2


def test_those_that_have_nothing_to_do_are_let_go_but_for_what_is_provisioned():
    world = served(provisioned=1)
    (first,) = containers_of(world.row)
    ask(world, 3)
    world.come_up("current")
    idle = containers_of(world.row) - {first}
    ask(world, 0, *idle)
    assert containers_of(world.row) == {first}
    ask(world, 0, first)
    assert len(containers_of(world.row)) == 1, "another one takes its place"
    assert first not in containers_of(world.row)


def test_one_that_dies_is_not_replaced_before_it_is_asked_for():
    world = served()
    ask(world, 1)
    world.come_up("current")
    (dead,) = containers_of(world.row)
    world.crash(dead)
    assert containers_of(world.row) == set()
    assert on_demand(world) == OnDemand(most=3, provisioned=0, wanted=0), "nobody waits for it"
    ask(world, 1)
    assert len(containers_of(world.row)) == 1


def test_one_that_does_not_come_up_is_told_and_tried_no_more():
    world = served()
    ask(world, 2)
    first, second = world.containers("current")
    world.bundles[first] = Failed("ClientError: Could not find model data")
    world.settle()
    assert on_demand(world) == OnDemand(3, 0, 1, failures=1, said="ClientError: Could not find model data")
    world.states[second] = Running(world.now)
    world.said[second] = "ImportError: no module"
    world.settle()
    world.crash(second)
    assert containers_of(world.row) == set()
    assert (on_demand(world).wanted, on_demand(world).failures) == (0, 2)
    assert on_demand(world).said.endswith("ImportError: no module")


def test_one_that_takes_more_memory_than_it_may_says_so():
    world = served()
    ask(world, 1)
    (greedy,) = containers_of(world.row)
    world.states[greedy] = replace(CRASH, out_of_memory=True)
    world.settle()
    assert "used more memory than MemorySizeInMB allows" in on_demand(world).said


def test_one_that_takes_too_long_is_given_up():
    world = served()
    ask(world, 1)
    (slow,) = containers_of(world.row)
    world.bundles[slow] = Done()
    world.states[slow] = Running(world.now)
    world.settle()
    world.now += 181
    world.settle()
    assert (containers_of(world.row), on_demand(world).failures) == (set(), 1)


def test_what_is_provisioned_is_replaced_and_who_waits_is_told():
    world = served(provisioned=1)
    (first,) = containers_of(world.row)
    world.crash(first)
    assert len(containers_of(world.row)) == 1
    assert on_demand(world).failures == 0, "it had come up"
    (second,) = containers_of(world.row)
    world.crash(second)
    assert (len(containers_of(world.row)), on_demand(world).failures) == (1, 1)


def update(world, *variants, config="two"):
    new = deployment(*variants, config=config)
    plan = rollout(None, world.row.state["current"], new, world.now)
    state = {**world.row.state, "next": new, "rollout": plan}
    world.row = replace(world.row, status="Updating", state=state)
    world.settle()
    world.come_up()
    assert (world.row.status, world.row.state["current"]["config"]) == ("InService", config)


def test_after_an_update_a_replica_stays_where_requests_come():
    busy, idle = served(), served()
    ask(busy, 2)
    busy.come_up("current")
    for world, left in ((busy, 1), (idle, 0)):
        update(world, serverless())
        assert len(targets(world)) == left
        assert on_demand(world).wanted == left


def test_what_is_asked_of_a_configuration_that_is_gone_is_nothing():
    world = served()
    update(world, serverless())
    ask(world, 2)
    assert containers_of(world.row) == set()
    ask(world, 2, config="two")
    assert len(containers_of(world.row)) == 2


def test_instances_take_the_place_of_replicas_on_demand():
    world = served()
    update(world, variant("v", 2))
    (shown,) = route(world.row).variants
    assert (shown.on_demand, len(shown.targets)) == (None, 2)
