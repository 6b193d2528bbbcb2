"""Shadow variants as clients see them, and as the edges are told of them.

No public source shows AWS's words for what it refuses.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from clary.controllers.endpoint_route import route
from clary.store import Key
from tests.unit.controllers.endpoints import served
from tests.unit.controllers.endpoints import variant as deployed

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
KEY = Key("endpoint", ACCOUNT, "us-east-1", "e")
CONTAINER = {"Image": XGBOOST, "ModelDataUrl": "s3://data/model.tar.gz"}


def variant(name, weight=1.0, count=1, model="m"):
    shape = {"InstanceType": "ml.m5.large", "InitialInstanceCount": count, "InitialVariantWeight": weight}
    return {"VariantName": name, "ModelName": model, **shape}


def configure(sagemaker, name="c", production=None, shadow=None):
    sagemaker.call(
        "CreateEndpointConfig",
        EndpointConfigName=name,
        ProductionVariants=[production or variant("live")],
        ShadowProductionVariants=[shadow or variant("shade")],
    )
    return name


@pytest.fixture
def sagemaker(inner):
    service = inner.service("sagemaker")
    service.call("CreateModel", ModelName="m", PrimaryContainer=CONTAINER, ExecutionRoleArn=ROLE)
    service.call("CreateModel", ModelName="two", Containers=[CONTAINER, CONTAINER], ExecutionRoleArn=ROLE)
    return service


def serve(inner):
    """As the controller does when every replica is ready."""

    def change(tx):
        row = tx.get(KEY)
        current = {**row.state["next"], "variants": [_ready(each) for each in row.state["next"]["variants"]]}
        tx.save(replace(row, status="InService", state={"current": current, "next": None}))

    inner.store.write(change)


def _ready(each):
    containers = (f"{each['name']}{number}" for number in range(each["desired_count"]))
    return {**each, "replicas": [{"members": [{"container": container, "ready": True}]} for container in containers]}


@pytest.fixture
def endpoint(inner, sagemaker):
    configure(sagemaker, production=variant("live", 2.0), shadow=variant("shade", 1.0, 2))
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    serve(inner)
    return sagemaker


def described(sagemaker):
    return sagemaker.call("DescribeEndpoint", EndpointName="e")


def routed(inner):
    return route(inner.store.read.get(KEY)).variants


def test_a_configuration_keeps_its_shadow(sagemaker):
    configure(sagemaker, shadow={key: of for key, of in variant("shade").items() if key != "InitialVariantWeight"})
    shown = sagemaker.call("DescribeEndpointConfig", EndpointConfigName="c")
    assert shown["ShadowProductionVariants"] == [variant("shade", 1.0)]
    assert shown["ProductionVariants"] == [variant("live")]


REFUSED = (
    ([variant("a"), variant("b")], [variant("s")], "only one variant for ProductionVariants"),
    ([variant("a")], [variant("s"), variant("t")], "only one variant for ShadowProductionVariants"),
    ([variant("a")], [variant("a")], "unique: a"),
    ([variant("a")], [variant("s", model="no")], "Could not find model"),
    ([variant("a")], [variant("s", model="two")], "not supported for multi-container"),
    ([variant("a", model="two")], [variant("s")], "not supported for multi-container"),
)
"""Production variants, shadows, and what is said of them."""


def test_what_cannot_have_a_shadow_is_refused(sagemaker):
    for production, shadows, said in REFUSED:
        asked = {"ProductionVariants": production, "ShadowProductionVariants": shadows}
        code, text = sagemaker.refusal("CreateEndpointConfig", EndpointConfigName="c", **asked)
        assert (code, said in text) == ("ValidationException", True), text


def test_an_endpoint_shows_its_shadow_apart(endpoint):
    shown = described(endpoint)
    assert [each["VariantName"] for each in shown["ProductionVariants"]] == ["live"]
    (shade,) = shown["ShadowProductionVariants"]
    assert (shade["VariantName"], shade["CurrentWeight"], shade["CurrentInstanceCount"]) == ("shade", 1.0, 2)


@pytest.mark.parametrize(
    ("live", "shade", "part"),
    [(1.0, 1.0, 1.0), (2.0, 1.0, 0.5), (1.0, 3.0, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 1.0), (0.0, 0.0, 0.0)],
)
def test_a_shadow_gets_its_weights_part_of_the_requests(live, shade, part):
    world = served(deployed("live", weight=live), deployed("shade", weight=shade, shadow=True))
    (entry,) = route(world.row).variants
    assert (entry.name, entry.shadow.name, entry.shadow.weight) == ("live", "shade", part)
    assert (len(entry.targets), len(entry.shadow.targets)) == (1, 1)


def test_a_shadow_that_dies_is_replaced_and_production_stays():
    world = served(deployed("live"), deployed("shade", shadow=True))
    live, shade = world.containers("current")
    world.crash(shade)
    (entry,) = route(world.row).variants
    assert [each.containers for each in entry.targets] == [(live,)]
    assert entry.shadow.targets == ()
    assert world.row.status == "InService"
    assert shade not in world.containers("current")
    assert len(world.containers("current")) == 2


def test_weights_and_counts_of_a_shadow_change_alive(inner, endpoint):
    wanted = [{"VariantName": "shade", "DesiredWeight": 2.0, "DesiredInstanceCount": 1}]
    endpoint.call("UpdateEndpointWeightsAndCapacities", EndpointName="e", DesiredWeightsAndCapacities=wanted)
    (shade,) = described(endpoint)["ShadowProductionVariants"]
    assert (shade["CurrentWeight"], shade["DesiredWeight"], shade["DesiredInstanceCount"]) == (1.0, 2.0, 1)
    serve(inner)
    (entry,) = routed(inner)
    assert (entry.shadow.weight, len(entry.shadow.targets)) == (1.0, 1)


@pytest.mark.parametrize("size", [{"Type": "INSTANCE_COUNT", "Value": 1}, {"Type": "CAPACITY_PERCENT", "Value": 25}])
def test_while_traffic_shifts_each_fleet_mirrors_to_its_own_shadow(inner, sagemaker, size):
    configure(sagemaker, production=variant("live", 1.0, 4), shadow=variant("shade", 0.5))
    configure(sagemaker, "d", production=variant("live", 1.0, 4), shadow=variant("shade", 1.0))
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    serve(inner)
    canary = {"Type": "CANARY", "CanarySize": size, "WaitIntervalInSeconds": 60}
    deployment = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": canary}}
    sagemaker.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="d", DeploymentConfig=deployment)
    pending = described(sagemaker)["PendingDeploymentSummary"]
    assert [each["VariantName"] for each in pending["ProductionVariants"]] == ["live"]
    assert [each["VariantName"] for each in pending["ShadowProductionVariants"]] == ["shade"]
    row = inner.store.read.get(KEY)
    coming = {**row.state["next"], "variants": [_ready(each) for each in row.state["next"]["variants"]]}
    plan = row.state["rollout"]
    plan = {**plan, "shares": plan["steps"][0]["shares"]}
    old, new = route(replace(row, state={**row.state, "next": coming, "rollout": plan})).variants
    assert (old.share, old.config, old.shadow.weight) == (0.75, "c", 0.5)
    assert (new.share, new.config, new.shadow.weight) == (0.25, "d", 1.0)


def test_a_shadow_is_promoted_by_an_update_without_a_moment_of_both(inner, endpoint):
    endpoint.call("CreateEndpointConfig", EndpointConfigName="d", ProductionVariants=[variant("shade")])
    endpoint.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="d")
    row = inner.store.read.get(KEY)
    coming = {**row.state["next"], "variants": [_ready(each) for each in row.state["next"]["variants"]]}
    plan = {**row.state["rollout"], "shares": row.state["rollout"]["steps"][0]["shares"]}
    (entry,) = route(replace(row, state={**row.state, "next": coming, "rollout": plan})).variants
    assert (entry.name, entry.config, entry.shadow) == ("shade", "d", None)
