"""An inference component is decided as an endpoint is: what is its own is the room for its copies."""

from __future__ import annotations

from dataclasses import replace

from clary.controllers.endpoint_route import route, route_id
from clary.instances import Shape
from clary.store.rows import Key
from clary.workload.placement import NO_HOST, NO_ROOM, Room
from tests.unit.controllers.endpoints import NOW, World, deployment, endpoint, variant

ONE = Shape(cpus=4, memory_bytes=16 * 2**30)
DEMAND = {"millicores": 2000, "memory_mb": 1024, "most_memory_mb": 0, "accelerators": 0}
KEY = Key("inference-component", "000000000000", "us-east-1", "c")
ROOM = Room(ONE, 1, ())


def component(count=1, **more):
    return variant(count=count, endpoint="e", demand=DEMAND, **more)


def world(count=1, room=ROOM):
    made = World(replace(endpoint(next=deployment(component(count), config="")), key=KEY))
    made.room = room
    made.settle()
    return made


def in_service(count=1, room=ROOM):
    made = world(count, room)
    made.come_up()
    assert made.row.status == "InService"
    return made


def wanted(made, count, **more):
    """As an Update writes it."""
    current = made.row.state["current"]
    [fleet] = current["variants"]
    coming = {**current, "variants": [{**fleet, "desired_count": count, **more}]}
    made.row = replace(made.row, status="Updating", state={**made.row.state, "next": coming})
    made.settle()


def test_copies_that_fit_come_up_and_are_routed_to_through_their_endpoint_only():
    made = in_service(2)
    shown = route(made.row)
    assert (shown.endpoint, shown.hosts_components, shown.idle) == ("e", False, False)
    [entry] = shown.variants
    assert (len(entry.targets), entry.log_group) == (2, "/aws/sagemaker/InferenceComponents/c")
    assert route_id(made.row.key).endswith("/inference-component/c")


def test_more_copies_than_there_is_room_for_fail_the_component_and_start_nothing():
    made = world(3)
    assert (made.row.status, made.row.state["failure_reason"]) == ("Failed", NO_ROOM)
    assert not made.row.state["next"]


def test_a_component_whose_endpoint_is_gone_fails():
    made = world(1, None)
    assert (made.row.status, made.row.state["failure_reason"]) == ("Failed", NO_HOST)


def test_what_others_hold_is_not_there():
    assert world(1, Room(ONE, 1, (DEMAND, DEMAND))).row.status == "Failed"
    assert world(1, Room(ONE, 2, (DEMAND, DEMAND))).row.status == "Creating"


def test_an_update_that_does_not_fit_leaves_what_serves():
    made = in_service(2)
    before = made.containers("current")
    wanted(made, 3)
    assert (made.row.status, made.row.state["failure_reason"]) == ("InService", NO_ROOM)
    assert made.containers("current") == before
    assert len(route(made.row).variants[0].targets) == 2


def test_a_copy_that_ends_is_replaced_also_where_the_instances_have_become_fewer():
    made = in_service(2)
    made.room = Room(ONE, 1, (DEMAND,))
    made.crash(made.containers("current")[0])
    assert made.row.status == "InService"
    assert len(made.containers("current")) == 2


def test_fewer_copies_are_no_question_of_room():
    made = in_service(2)
    made.room = Room(ONE, 1, (DEMAND, DEMAND))
    wanted(made, 1)
    assert made.row.status == "InService"
    assert "failure_reason" not in made.row.state
    assert len(made.containers("current")) == 1


def test_a_component_scaled_to_nothing_is_in_service_and_idle():
    made = in_service(1)
    wanted(made, 0)
    assert (made.row.status, route(made.row).idle) == ("InService", True)
    wanted(made, 1)
    assert (made.row.status, route(made.row).idle) == ("Updating", False)


def test_an_endpoint_without_a_model_is_in_service_at_once():
    bare = {**variant(count=2), "container_definitions": []}
    made = World(endpoint(next=deployment(bare)))
    made.settle()
    assert made.row.status == "InService"
    shown = route(made.row)
    assert (shown.hosts_components, shown.variants[0].targets) == (True, ())
    assert made.row.modified.timestamp() == NOW
