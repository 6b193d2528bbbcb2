"""Inference components as clients see them, and what is left for the controller."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clary.control.entrances import entrances
from clary.controllers import placing
from clary.store import Key
from clary.store.rows import Stale
from clary.workload.placement import room_of

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ARN = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}"
CONTAINER = {"Image": XGBOOST, "ModelDataUrl": "s3://data/model.tar.gz"}
NEEDS = {"NumberOfCpuCoresRequired": 0.5, "MinMemoryRequiredInMb": 512}
SPEC = {"ModelName": "m", "ComputeResourceRequirements": NEEDS}


def host(name="AllTraffic", count=1, **changes):
    return {"VariantName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": count, **changes}


def configure(service, name, *variants, **more):
    return service.call(
        "CreateEndpointConfig",
        EndpointConfigName=name,
        ExecutionRoleArn=ROLE,
        ProductionVariants=list(variants),
        **more,
    )


def in_service(inner, key):
    """As the controller does when every copy is ready."""

    def change(tx):
        row = tx.get(key)
        current = dict(row.state["next"])
        current["variants"] = [
            {**v, "replicas": [{"members": [_member(v, n)]} for n in range(v["desired_count"])]}
            for v in current["variants"]
        ]
        state = {name: value for name, value in row.state.items() if name != "rollout"}
        tx.save(replace(row, status="InService", state={**state, "current": current, "next": None}))

    inner.store.write(change)


def _member(variant, number):
    return {"container": f"{variant['name']}-{number}", "ready": True}


def endpoint(name="e"):
    return Key("endpoint", ACCOUNT, "us-east-1", name)


def component(name="c"):
    return Key("inference-component", ACCOUNT, "us-east-1", name)


@pytest.fixture
def sagemaker(inner):
    service = inner.service("sagemaker")
    service.call("CreateModel", ModelName="m", PrimaryContainer=CONTAINER, ExecutionRoleArn=ROLE)
    configure(service, "config", host())
    service.call("CreateEndpoint", EndpointName="e", EndpointConfigName="config")
    return service


def create(service, name="c", specification=SPEC, **params):
    named = {"InferenceComponentName": name, "EndpointName": "e", "VariantName": "AllTraffic"}
    return service.call("CreateInferenceComponent", **{**named, "Specification": specification, **params})


def refused(service, name="c", specification=SPEC, **params):
    named = {"InferenceComponentName": name, "EndpointName": "e", "VariantName": "AllTraffic"}
    return service.refusal("CreateInferenceComponent", **{**named, "Specification": specification, **params})


def test_a_component_is_a_deployment_with_the_role_of_its_endpoint(inner, sagemaker):
    made = create(sagemaker, RuntimeConfig={"CopyCount": 2}, Tags=[{"Key": "k", "Value": "v"}])
    assert made == {"InferenceComponentArn": f"{ARN}:inference-component/c"}
    row = inner.store.read.get(component())
    [variant] = row.state["next"]["variants"]
    assert (variant["desired_count"], variant["role"], variant["endpoint"]) == (2, ROLE, "e")
    assert variant["demand"] == {"millicores": 500, "memory_mb": 512, "most_memory_mb": 0, "accelerators": 0}
    assert component() in inner.woken
    shown = sagemaker.call("DescribeInferenceComponent", InferenceComponentName="c")
    assert shown["Specification"] == SPEC
    assert shown["RuntimeConfig"] == {"DesiredCopyCount": 2, "CurrentCopyCount": 0}
    assert (shown["InferenceComponentStatus"], shown["EndpointArn"]) == ("Creating", f"{ARN}:endpoint/e")
    assert sagemaker.call("ListTags", ResourceArn=made["InferenceComponentArn"])["Tags"] == [{"Key": "k", "Value": "v"}]
    in_service(inner, component())
    shown = sagemaker.call("DescribeInferenceComponent", InferenceComponentName="c")
    assert shown["RuntimeConfig"] == {"DesiredCopyCount": 2, "CurrentCopyCount": 2}


@pytest.mark.parametrize("lets_in", [True, False], ids=["open", "closed"])
def test_its_copies_are_entered_where_the_variant_of_its_endpoint_lets_people_in(inner, sagemaker, lets_in):
    configure(sagemaker, "with-access", host(EnableSSMAccess=lets_in))
    sagemaker.call("CreateEndpoint", EndpointName="entered", EndpointConfigName="with-access")
    in_service(inner, endpoint("entered"))
    create(sagemaker, EndpointName="entered", RuntimeConfig={"CopyCount": 2})
    in_service(inner, component())
    assert entrances(inner.settings, inner.store, {"region": "us-east-1", "name": "c"}) == {
        "kind": "endpoint",
        "entrances": [
            {"host": f"AllTraffic/{number + 1}", "container": f"AllTraffic-{number}", "open": lets_in}
            for number in range(2)
        ],
    }


def test_a_container_stands_for_a_model(sagemaker):
    container = {"Image": XGBOOST, "ArtifactUrl": "s3://data/model.tar.gz", "Environment": {"A": "b"}}
    create(sagemaker, specification={"Container": container, "ComputeResourceRequirements": NEEDS})
    shown = sagemaker.call("DescribeInferenceComponent", InferenceComponentName="c")["Specification"]["Container"]
    assert shown["DeployedImage"]["SpecifiedImage"] == XGBOOST
    assert (shown["ArtifactUrl"], shown["Environment"]) == ("s3://data/model.tar.gz", {"A": "b"})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"specification": {"ComputeResourceRequirements": NEEDS}}, "one of ModelName and Container"),
        ({"specification": {**SPEC, "Container": {"Image": XGBOOST}}}, "only one of ModelName and Container"),
        ({"specification": {"ModelName": "m"}}, "ComputeResourceRequirements is required"),
        ({"specification": {**SPEC, "ModelName": "n"}}, f'Could not find model "{ARN}:model/n"'),
        ({"specification": {**SPEC, "BaseInferenceComponentName": "b"}}, "not offered"),
        (
            {"specification": {"Container": {"Environment": {}}, "ComputeResourceRequirements": NEEDS}},
            "Image is required",
        ),
        (
            {"specification": {**SPEC, "ComputeResourceRequirements": {**NEEDS, "MaxMemoryRequiredInMb": 256}}},
            "must not be smaller",
        ),
        ({"EndpointName": "x"}, f'Could not find endpoint "{ARN}:endpoint/x"'),
        ({"VariantName": "other"}, "no variant other that hosts inference components"),
        ({"RuntimeConfig": {"CopyCount": 65}}, "copies of an inference component"),
    ],
)  # fmt: skip
def test_what_cannot_be_deployed_is_refused(sagemaker, changes, said):
    assert said in refused(sagemaker, **changes)[1]


def test_a_variant_with_a_model_hosts_no_components(sagemaker):
    configure(sagemaker, "classic", host(ModelName="m"))
    sagemaker.call("CreateEndpoint", EndpointName="x", EndpointConfigName="classic")
    assert "hosts inference components" in refused(sagemaker, EndpointName="x")[1]


def test_what_is_not_there_is_not_found_in_awss_words(sagemaker):
    for operation in ("Describe", "Delete"):
        assert sagemaker.refusal(f"{operation}InferenceComponent", InferenceComponentName="x") == (
            "ValidationException",
            f'Could not find inference component "{ARN}:inference-component/x".',
        )
    create(sagemaker)
    assert "already existing inference component" in refused(sagemaker)[1]


def test_lists_are_filtered_by_endpoint_variant_and_status(inner, sagemaker):
    configure(sagemaker, "two", host("a"), host("b"))
    sagemaker.call("CreateEndpoint", EndpointName="f", EndpointConfigName="two")
    create(sagemaker, "c1")
    for name in ("a", "b"):
        create(sagemaker, f"f-{name}", EndpointName="f", VariantName=name)
    in_service(inner, component("c1"))

    def names(**filters):
        found = sagemaker.call("ListInferenceComponents", SortBy="Name", SortOrder="Ascending", **filters)
        return [each["InferenceComponentName"] for each in found["InferenceComponents"]]

    assert names() == ["c1", "f-a", "f-b"]
    assert names(EndpointNameEquals="f") == ["f-a", "f-b"]
    assert names(VariantNameEquals="b") == ["f-b"]
    assert names(StatusEquals="InService") == ["c1"]
    assert names(StatusEquals="Updating") == []
    first = sagemaker.call("ListInferenceComponents", MaxResults=2)
    second = sagemaker.call("ListInferenceComponents", MaxResults=2, NextToken=first["NextToken"])
    assert [len(page["InferenceComponents"]) for page in (first, second)] == [2, 1]


def test_a_variant_must_be_named_where_there_are_several(sagemaker):
    configure(sagemaker, "two", host("a"), host("b"))
    sagemaker.call("CreateEndpoint", EndpointName="f", EndpointConfigName="two")
    named = {"InferenceComponentName": "c", "EndpointName": "f", "Specification": SPEC}
    assert "VariantName is required" in sagemaker.refusal("CreateInferenceComponent", **named)[1]


def test_another_number_of_copies_keeps_those_that_there_are(inner, sagemaker):
    create(sagemaker)
    change = {"InferenceComponentName": "c", "DesiredRuntimeConfig": {"CopyCount": 3}}
    assert "in-progress" in sagemaker.refusal("UpdateInferenceComponentRuntimeConfig", **change)[1]
    in_service(inner, component())
    sagemaker.call("UpdateInferenceComponentRuntimeConfig", **change)
    row = inner.store.read.get(component())
    assert (row.status, "rollout" in row.state) == ("Updating", False)
    assert row.state["next"]["variants"][0]["replicas"] == row.state["current"]["variants"][0]["replicas"]
    shown = sagemaker.call("DescribeInferenceComponent", InferenceComponentName="c")
    assert shown["RuntimeConfig"] == {"DesiredCopyCount": 3, "CurrentCopyCount": 1}


def update(service, **params):
    return service.call("UpdateInferenceComponent", InferenceComponentName="c", **params)


def test_an_update_keeps_what_it_does_not_name_and_shows_what_serves(inner, sagemaker):
    create(sagemaker, RuntimeConfig={"CopyCount": 2})
    in_service(inner, component())
    sagemaker.call("CreateModel", ModelName="n", PrimaryContainer=CONTAINER, ExecutionRoleArn=ROLE)
    update(sagemaker, Specification={"ModelName": "n"})
    row = inner.store.read.get(component())
    assert row.state["next"]["specification"] == {**SPEC, "ModelName": "n"}
    assert [step["counts"] for step in row.state["rollout"]["steps"]] == [{"AllTraffic": 2}], "there is room for all"
    shown = sagemaker.call("DescribeInferenceComponent", InferenceComponentName="c")
    assert (shown["Specification"]["ModelName"], shown["RuntimeConfig"]["DesiredCopyCount"]) == ("m", 2)
    in_service(inner, component())
    shown = sagemaker.call("DescribeInferenceComponent", InferenceComponentName="c")
    assert shown["Specification"]["ModelName"] == "n"


def test_where_there_is_no_room_for_all_copies_at_once_they_are_replaced_one_by_one(inner, sagemaker):
    create(sagemaker, RuntimeConfig={"CopyCount": 3})
    in_service(inner, component())
    update(sagemaker, Specification={"StartupParameters": {"ModelDataDownloadTimeoutInSeconds": 60}})
    steps = inner.store.read.get(component()).state["rollout"]["steps"]
    assert [(step["counts"]["AllTraffic"], step["left"]["AllTraffic"]) for step in steps] == [(1, 2), (2, 1), (3, 0)]


def test_a_rolling_update_says_how_many_copies_at_a_time(inner, sagemaker):
    create(sagemaker, RuntimeConfig={"CopyCount": 2})
    in_service(inner, component())
    batch = {"Type": "COPY_COUNT", "Value": 1}
    policy = {"RollingUpdatePolicy": {"MaximumBatchSize": batch, "WaitIntervalInSeconds": 0}}
    update(sagemaker, Specification={"ModelName": "m"}, DeploymentConfig=policy)
    assert len(inner.store.read.get(component()).state["rollout"]["steps"]) == 2
    in_service(inner, component())
    shown = sagemaker.call("DescribeInferenceComponent", InferenceComponentName="c")
    assert shown["LastDeploymentConfig"] == policy


def test_an_update_of_nothing_is_refused(sagemaker):
    create(sagemaker)
    assert "At least one of" in sagemaker.refusal("UpdateInferenceComponent", InferenceComponentName="c")[1]


def test_an_endpoint_with_components_keeps_itself_and_room_for_them(inner, sagemaker):
    in_service(inner, endpoint())
    create(sagemaker, RuntimeConfig={"CopyCount": 4})
    in_service(inner, component())
    assert "inference components attached (c)" in sagemaker.refusal("DeleteEndpoint", EndpointName="e")[1]
    configure(sagemaker, "small", host(InstanceType="ml.r8g.medium"))
    configure(sagemaker, "renamed", host("other"))
    configure(sagemaker, "large", host(InstanceType="ml.m5.4xlarge"))
    for config, said in (("small", "must keep enough instances"), ("renamed", "must have a variant of that name")):
        assert said in sagemaker.refusal("UpdateEndpoint", EndpointName="e", EndpointConfigName=config)[1]
    sagemaker.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="large")
    in_service(inner, endpoint())
    sagemaker.call("DeleteInferenceComponent", InferenceComponentName="c")
    sagemaker.call("DeleteEndpoint", EndpointName="e")
    assert inner.store.read.get(component()) is None


def test_managed_scaling_is_filled_in_and_shown(inner, sagemaker):
    scaling = {"Status": "ENABLED", "MaxInstanceCount": 3}
    configure(sagemaker, "managed", host(ManagedInstanceScaling=scaling))
    sagemaker.call("CreateEndpoint", EndpointName="m", EndpointConfigName="managed")
    in_service(inner, endpoint("m"))
    [shown] = sagemaker.call("DescribeEndpoint", EndpointName="m")["ProductionVariants"]
    assert shown["ManagedInstanceScaling"] == {**scaling, "MinInstanceCount": 1}
    assert (shown["CurrentInstanceCount"], "DeployedImages" in shown) == (1, False)


@pytest.mark.parametrize(
    ("variants", "more", "said"),
    [
        ([host("a"), host("b", ModelName="m")], {}, "Either all production variants have a ModelName"),
        ([host(ManagedInstanceScaling={"Status": "ENABLED", "MinInstanceCount": 4, "MaxInstanceCount": 2})], {}, "Min"),
        ([host(ModelName="m", ManagedInstanceScaling={"Status": "ENABLED"})], {}, "not offered"),
        ([host()], {"ExecutionRoleArn": None}, "ExecutionRoleArn is required"),
    ],
)
def test_configurations_that_cannot_host_are_refused(sagemaker, variants, more, said):
    params = {"EndpointConfigName": "n", "ExecutionRoleArn": ROLE, "ProductionVariants": variants, **more}
    given = {name: value for name, value in params.items() if value is not None}
    assert said in sagemaker.refusal("CreateEndpointConfig", **given)[1]


def test_a_place_that_another_component_has_taken_meanwhile_is_decided_upon_again(inner, sagemaker):
    for name in ("c1", "c2"):
        create(sagemaker, name)
    row = inner.store.read.get(component("c1"))
    room = room_of(inner.store.read, row)
    in_service(inner, component("c2"))
    with pytest.raises(Stale):
        inner.store.write(lambda tx: placing.saved(tx, row, room))
    seen = room_of(inner.store.read, row)
    assert inner.store.write(lambda tx: placing.saved(tx, row, seen)).version == row.version + 1


def test_instances_follow_the_copies_that_are_placed(inner, sagemaker):
    scaling = {"Status": "ENABLED", "MaxInstanceCount": 3}
    configure(sagemaker, "managed", host(ManagedInstanceScaling=scaling))
    sagemaker.call("CreateEndpoint", EndpointName="m", EndpointConfigName="managed")
    in_service(inner, endpoint("m"))
    create(sagemaker, EndpointName="m", RuntimeConfig={"CopyCount": 5})
    in_service(inner, component())
    row = inner.store.read.get(component())
    inner.store.write(lambda tx: placing.saved(tx, row, room_of(tx, row)))
    [shown] = sagemaker.call("DescribeEndpoint", EndpointName="m")["ProductionVariants"]
    assert (shown["CurrentInstanceCount"], shown["DesiredInstanceCount"]) == (2, 2)
    sagemaker.call("DeleteInferenceComponent", InferenceComponentName="c")
    [leaving] = inner.store.read.rows("inference-component")
    inner.store.write(lambda tx: placing.deleted(tx, leaving))
    [shown] = sagemaker.call("DescribeEndpoint", EndpointName="m")["ProductionVariants"]
    assert shown["DesiredInstanceCount"] == 1


def test_an_endpoint_that_hosts_components_has_no_inference_experiment(sagemaker):
    infrastructure = {
        "InfrastructureType": "RealTimeInference",
        "RealTimeInferenceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    variants = [{"ModelName": "m", "VariantName": name, "InfrastructureConfig": infrastructure} for name in "ab"]
    shadows = [{"ShadowModelVariantName": "b", "SamplingPercentage": 50}]
    text = sagemaker.refusal(
        "CreateInferenceExperiment",
        Name="x",
        Type="ShadowMode",
        RoleArn=ROLE,
        EndpointName="e",
        ModelVariants=variants,
        ShadowModeConfig={"SourceModelVariantName": "a", "ShadowModelVariants": shadows},
    )[1]
    assert text == "Endpoint e hosts inference components: it cannot have a shadow variant."
