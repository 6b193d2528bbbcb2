"""Models, endpoint configurations and endpoints as clients see them, and what is left for the controller."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clary.controllers.endpoint_route import route
from clary.services.iam.bootstrap import ensure_defaults
from clary.store import Key

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ARN = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}"
CONTAINER = {"Image": XGBOOST, "ModelDataUrl": "s3://data/model.tar.gz"}


def variant(name="AllTraffic", model="m", **changes):
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        **changes,
    }


@pytest.fixture
def sagemaker(inner):
    service = inner.service("sagemaker")
    service.call("CreateModel", ModelName="m", PrimaryContainer=CONTAINER, ExecutionRoleArn=ROLE)
    service.call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant()])
    return service


def endpoint_key(name="e"):
    return Key("endpoint", ACCOUNT, "us-east-1", name)


def serve(inner, name="e", **changes):
    """As the controller does when every replica is ready."""

    def change(tx):
        row = tx.get(endpoint_key(name))
        current = dict(row.state["next"])
        current["variants"] = [
            {**v, "replicas": [{"members": [{"container": "1", "ready": True}]}]} for v in current["variants"]
        ]
        state = {**row.state, "current": current, "next": None}
        tx.save(replace(row, **{"status": "InService", "state": state, **changes}))

    inner.store.write(change)


def test_a_model_is_described_with_what_clients_index(sagemaker):
    model = sagemaker.call("DescribeModel", ModelName="m")
    assert model["PrimaryContainer"] == {"Mode": "SingleModel", "Environment": {}, **CONTAINER}
    assert (model["ModelArn"], model["EnableNetworkIsolation"]) == (f"{ARN}:model/m", False)
    assert model["ExecutionRoleArn"] == ROLE


NOUNS = {
    "Model": ("model", "model/x"),
    "EndpointConfig": ("endpoint configuration", "endpoint-config/x"),
    "Endpoint": ("endpoint", "endpoint/x"),
}


@pytest.mark.parametrize("noun", NOUNS)
def test_what_is_not_there_is_not_found_in_awss_words(sagemaker, noun):
    words, resource = NOUNS[noun]
    for operation in (f"Describe{noun}", f"Delete{noun}"):
        assert sagemaker.refusal(operation, **{f"{noun}Name": "X"}) == (
            "ValidationException",
            f'Could not find {words} "{ARN}:{resource}".',
        )


def test_names_are_taken_once_in_awss_words(sagemaker):
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    again = {
        'model "': ("CreateModel", {"ModelName": "m", "PrimaryContainer": CONTAINER}),
        'endpoint configuration "': (
            "CreateEndpointConfig",
            {"EndpointConfigName": "c", "ProductionVariants": [variant()]},
        ),
        'endpoint "': ("CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"}),
    }
    for words, (operation, params) in again.items():
        assert sagemaker.refusal(operation, **params)[1].startswith(f"Cannot create already existing {words}arn:")
    assert "already existing" in sagemaker.refusal("CreateEndpoint", EndpointName="E", EndpointConfigName="c")[1]
    assert "already existing" in sagemaker.refusal("CreateModel", ModelName="M", PrimaryContainer=CONTAINER)[1]


def test_models_are_refused_without_image_or_data(sagemaker):
    def refusal(**container):
        return sagemaker.refusal("CreateModel", ModelName="n", PrimaryContainer=container)[1]

    assert refusal(Image="no/such").startswith("Requested image no/such not found.")
    assert refusal(Image=XGBOOST, ModelDataUrl="s3://data/no") == "Could not find model data at s3://data/no."
    assert refusal(Image=XGBOOST, ModelDataUrl="s3://nobody/no") == "Could not find model data at s3://nobody/no."
    folder = {"S3Uri": "s3://data/none/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    assert "Could not find model data" in refusal(Image=XGBOOST, ModelDataSource={"S3DataSource": folder})
    assert "either PrimaryContainer or Containers" in sagemaker.refusal("CreateModel", ModelName="n")[1]
    sagemaker.call("CreateModel", ModelName="n", PrimaryContainer={"Image": XGBOOST})


def test_a_configuration_names_models_that_are_there(sagemaker):
    def refusal(*variants, **params):
        asked = {"EndpointConfigName": "d", "ProductionVariants": list(variants), **params}
        return sagemaker.refusal("CreateEndpointConfig", **asked)[1]

    assert refusal(variant(model="no")) == f'Could not find model "{ARN}:model/no".'
    assert "unique: a" in refusal(variant("a"), variant("a"))
    assert "InstanceType" in refusal({"VariantName": "v", "ModelName": "m"})
    shown = sagemaker.call("DescribeEndpointConfig", EndpointConfigName="c")
    assert shown["ProductionVariants"] == [variant(InitialVariantWeight=1.0)]


CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 50,
    "DestinationS3Uri": "s3://data/x",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}


def capturing(sagemaker, name="d", **changes):
    config = {member: value for member, value in {**CAPTURE, **changes}.items() if value is not None}
    asked = {"EndpointConfigName": name, "ProductionVariants": [variant()], "DataCaptureConfig": config}
    sagemaker.call("CreateEndpointConfig", **asked)
    return config


def test_a_configuration_says_what_is_captured_and_the_endpoint_how_it_stands(inner, sagemaker):
    config = capturing(sagemaker, KmsKeyId="alias/k", CaptureContentTypeHeader={"CsvContentTypes": ["text/csv"]})
    assert sagemaker.call("DescribeEndpointConfig", EndpointConfigName="d")["DataCaptureConfig"] == config
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="d")
    serve(inner)
    assert sagemaker.call("DescribeEndpoint", EndpointName="e")["DataCaptureConfig"] == {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 50,
        "DestinationS3Uri": "s3://data/x",
        "KmsKeyId": "alias/k",
    }


@pytest.mark.parametrize(("enabled", "status"), [(True, "Started"), (None, "Started"), (False, "Stopped")])
def test_capture_is_on_unless_it_is_turned_off(inner, sagemaker, enabled, status):
    capturing(sagemaker, EnableCapture=enabled)
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="d")
    serve(inner)
    shown = sagemaker.call("DescribeEndpoint", EndpointName="e")["DataCaptureConfig"]
    assert (shown["CaptureStatus"], shown["EnableCapture"]) == (status, status == "Started")
    (routed,) = route(inner.store.read.get(endpoint_key())).variants
    assert (routed.capture is not None) == (status == "Started")
    if routed.capture:
        wanted = ("s3://data/x", 50, True, False, ROLE)
        there = routed.capture
        assert (there.destination, there.percentage, there.input, there.output, there.role) == wanted


def test_an_update_brings_the_capture_of_its_configuration(inner, sagemaker):
    capturing(sagemaker)
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="d")
    serve(inner)
    sagemaker.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c", RetainAllVariantProperties=True)
    assert sagemaker.call("DescribeEndpoint", EndpointName="e")["DataCaptureConfig"]["CaptureStatus"] == "Started"
    serve(inner)
    assert "DataCaptureConfig" not in sagemaker.call("DescribeEndpoint", EndpointName="e")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"InitialSamplingPercentage": 101}, "Member must have value less than or equal to 100"),
        ({"CaptureOptions": []}, "Member must have length greater than or equal to 1"),
        ({"CaptureOptions": [{"CaptureMode": "Both"}]}, "Member must satisfy enum value set"),
        ({"CaptureOptions": None}, "captureOptions' failed to satisfy constraint: Member must not be null"),
        ({"DestinationS3Uri": "data/x"}, "Member must satisfy regular expression pattern"),
        ({"DestinationS3Uri": "https://example.com/x"}, "https://example.com/x is not a valid S3 URI."),
        ({"CaptureContentTypeHeader": {"CsvContentTypes": ["csv"]}}, "Member must satisfy regular expression pattern"),
    ],
    ids=["percentage", "no options", "mode", "without options", "no address", "another host", "content type"],
)
def test_what_cannot_be_captured_is_refused(sagemaker, changes, said):
    config = {member: value for member, value in {**CAPTURE, **changes}.items() if value is not None}
    asked = {"EndpointConfigName": "d", "ProductionVariants": [variant()], "DataCaptureConfig": config}
    code, text = sagemaker.refusal("CreateEndpointConfig", **asked)
    assert (code, said in text) == ("ValidationException", True), text


def test_a_new_endpoint_is_creating_and_names_what_is_to_be_deployed(inner, sagemaker):
    sagemaker.call(
        "CreateEndpointConfig",
        EndpointConfigName="two",
        ProductionVariants=[
            variant("a", InitialVariantWeight=0.5, ContainerStartupHealthCheckTimeoutInSeconds=60),
            variant("b", InitialInstanceCount=2),
        ],
    )
    sagemaker.call("CreateEndpoint", EndpointName="E", EndpointConfigName="two", Tags=[{"Key": "k", "Value": "v"}])
    row = inner.store.read.get(endpoint_key("E"))
    assert (row.status, row.target, inner.woken) == ("Creating", "InService", [row.key])
    first, second = row.state["next"]["variants"]
    assert first == {
        "name": "a",
        "weight": 0.5,
        "desired_count": 1,
        "instance_type": "ml.m5.large",
        "model": "m",
        "container_definitions": [{"Mode": "SingleModel", "Environment": {}, **CONTAINER}],
        "direct": False,
        "role": ROLE,
        "isolated": False,
        "replicas": [],
        "startup_seconds": 60.0,
    }
    assert (second["weight"], second["desired_count"]) == (1.0, 2)
    assert sagemaker.call("ListTags", ResourceArn=f"{ARN}:endpoint/e")["Tags"] == [{"Key": "k", "Value": "v"}]
    sagemaker.call("DeleteEndpointConfig", EndpointConfigName="two")
    sagemaker.call("DeleteModel", ModelName="m")
    serve(inner, "E")
    shown = sagemaker.call("DescribeEndpoint", EndpointName="E")
    assert (shown["EndpointStatus"], shown["EndpointConfigName"]) == ("InService", "two")
    one, two = shown["ProductionVariants"]
    assert (one["CurrentWeight"], one["CurrentInstanceCount"], two["DesiredInstanceCount"]) == (0.5, 1, 2)
    assert one["DeployedImages"][0]["SpecifiedImage"] == XGBOOST


def test_an_endpoint_needs_its_configuration_and_its_models(sagemaker):
    assert sagemaker.refusal("CreateEndpoint", EndpointName="e", EndpointConfigName="no") == (
        "ValidationException",
        f'Could not find endpoint configuration "{ARN}:endpoint-config/no".',
    )
    sagemaker.call("DeleteModel", ModelName="m")
    assert "Could not find model" in sagemaker.refusal("CreateEndpoint", EndpointName="e", EndpointConfigName="c")[1]
    assert sagemaker.call("ListEndpoints")["Endpoints"] == []


def test_a_change_is_refused_while_another_is_under_way(inner, sagemaker):
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    for operation, params in (("DeleteEndpoint", {}), ("UpdateEndpoint", {"EndpointConfigName": "c"})):
        assert sagemaker.refusal(operation, EndpointName="e", **params) == (
            "ValidationException",
            f'Cannot update in-progress endpoint "{ARN}:endpoint/e".',
        )
    serve(inner)
    sagemaker.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c")
    assert "in-progress" in sagemaker.refusal("DeleteEndpoint", EndpointName="e")[1]


def test_an_update_shows_what_serves_and_what_is_coming(inner, sagemaker):
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    serve(inner)
    sagemaker.call("CreateEndpointConfig", EndpointConfigName="d", ProductionVariants=[variant(InitialVariantWeight=7)])
    sagemaker.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="d")
    shown = sagemaker.call("DescribeEndpoint", EndpointName="e")
    assert (shown["EndpointStatus"], shown["EndpointConfigName"]) == ("Updating", "c")
    assert shown["PendingDeploymentSummary"]["EndpointConfigName"] == "d"
    assert shown["PendingDeploymentSummary"]["ProductionVariants"][0]["DesiredWeight"] == 7.0
    serve(inner)
    shown = sagemaker.call("DescribeEndpoint", EndpointName="e")
    assert (shown["EndpointStatus"], shown["EndpointConfigName"]) == ("InService", "d")
    assert "PendingDeploymentSummary" not in shown


def test_an_update_may_retain_weights_and_counts(inner, sagemaker):
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    serve(inner)
    wanted = [{"VariantName": "AllTraffic", "DesiredWeight": 0.25, "DesiredInstanceCount": 3}]
    sagemaker.call("UpdateEndpointWeightsAndCapacities", EndpointName="e", DesiredWeightsAndCapacities=wanted)
    serve(inner)
    sagemaker.call(
        "UpdateEndpoint",
        EndpointName="e",
        EndpointConfigName="c",
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredInstanceCount"}],
    )
    [coming] = inner.store.read.get(endpoint_key()).state["next"]["variants"]
    assert (coming["weight"], coming["desired_count"], coming["replicas"]) == (0.25, 1, [])


def test_a_weight_that_is_not_finite_is_refused(inner, sagemaker):
    weight = float("inf")
    variants = [variant(InitialVariantWeight=weight)]
    code, text = sagemaker.refusal("CreateEndpointConfig", EndpointConfigName="d", ProductionVariants=variants)
    assert (code, "must be finite" in text) == ("ValidationException", True)
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    serve(inner)
    wanted = [{"VariantName": "AllTraffic", "DesiredWeight": weight}]
    code, text = sagemaker.refusal(
        "UpdateEndpointWeightsAndCapacities", EndpointName="e", DesiredWeightsAndCapacities=wanted
    )
    assert (code, "must be finite" in text) == ("ValidationException", True)


def test_weights_of_a_variant_that_is_not_there_are_refused(inner, sagemaker):
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    serve(inner)
    wanted = [{"VariantName": "no", "DesiredWeight": 1}]
    params = {"EndpointName": "e", "DesiredWeightsAndCapacities": wanted}
    text = 'The variant name(s) "no" is/are not present within endpoint configuration "c".'
    assert sagemaker.refusal("UpdateEndpointWeightsAndCapacities", **params) == ("ValidationException", text)
    assert inner.store.read.get(endpoint_key()).status == "InService"


def test_a_deleted_endpoints_name_is_free_at_once_while_its_containers_end(inner, sagemaker):
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c", Tags=[{"Key": "k", "Value": "v"}])
    serve(inner)
    sagemaker.call("DeleteEndpoint", EndpointName="e")
    assert "Could not find endpoint" in sagemaker.refusal("DescribeEndpoint", EndpointName="e")[1]
    assert sagemaker.call("ListEndpoints")["Endpoints"] == []
    [leaving] = inner.store.read.rows("endpoint")
    assert (leaving.status, leaving.target) == ("Deleting", "Deleted")
    assert leaving.state["current"]["variants"][0]["replicas"][0]["members"][0]["container"] == "1"
    assert inner.woken[-2:] == [endpoint_key(), leaving.key]
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    assert sagemaker.call("ListTags", ResourceArn=f"{ARN}:endpoint/e")["Tags"] == []
    assert [e["EndpointStatus"] for e in sagemaker.call("ListEndpoints")["Endpoints"]] == ["Creating"]


def test_a_failed_endpoint_says_why_and_can_only_be_deleted(inner, sagemaker):
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    serve(inner, status="Failed", state={"current": None, "next": None, "failure_reason": "no ping"})
    shown = sagemaker.call("DescribeEndpoint", EndpointName="e")
    assert (shown["EndpointStatus"], shown["FailureReason"]) == ("Failed", "no ping")
    update = {"EndpointName": "e", "EndpointConfigName": "c"}
    assert "Cannot update failed endpoint" in sagemaker.refusal("UpdateEndpoint", **update)[1]
    sagemaker.call("DeleteEndpoint", EndpointName="e")


def test_lists_of_hosting_resources(inner, sagemaker):
    for n in range(3):
        sagemaker.call("CreateEndpoint", EndpointName=f"e{n}", EndpointConfigName="c")
    serve(inner, "e1")
    page = sagemaker.call("ListEndpoints", MaxResults=2)
    assert [e["EndpointName"] for e in page["Endpoints"]] == ["e2", "e1"]
    assert [e["EndpointName"] for e in sagemaker.call("ListEndpoints", NextToken=page["NextToken"])["Endpoints"]] == [
        "e0"
    ]
    assert [e["EndpointName"] for e in sagemaker.call("ListEndpoints", StatusEquals="InService")["Endpoints"]] == ["e1"]
    assert [m["ModelName"] for m in sagemaker.call("ListModels", NameContains="m")["Models"]] == ["m"]
    assert len(sagemaker.call("ListEndpointConfigs", SortBy="Name", SortOrder="Ascending")["EndpointConfigs"]) == 1


def test_tags_are_added_replaced_listed_and_removed(sagemaker):
    arn = f"{ARN}:model/m"
    tag = lambda key, value: {"Key": key, "Value": value}  # noqa: E731
    added = sagemaker.call("AddTags", ResourceArn=arn, Tags=[tag("b", "1"), tag("a", "2")])
    assert added["Tags"] == [tag("a", "2"), tag("b", "1")]
    sagemaker.call("AddTags", ResourceArn=arn, Tags=[tag("a", "3")])
    sagemaker.call("DeleteTags", ResourceArn=arn, TagKeys=["b", "no"])
    assert sagemaker.call("ListTags", ResourceArn=arn)["Tags"] == [tag("a", "3")]
    many = [tag(f"k{n}", "") for n in range(50)]
    assert sagemaker.refusal("AddTags", ResourceArn=arn, Tags=many)[0] == "ResourceLimitExceeded"
    assert "Duplicate" in sagemaker.refusal("AddTags", ResourceArn=arn, Tags=[tag("x", "1"), tag("x", "2")])[1]
    assert "aws:" in sagemaker.refusal("AddTags", ResourceArn=arn, Tags=[tag("aws:x", "1")])[1]
    for operation, more in (("AddTags", {"Tags": []}), ("ListTags", {}), ("DeleteTags", {"TagKeys": ["a"]})):
        missing = sagemaker.refusal(operation, ResourceArn=f"{ARN}:model/none", **more)
        assert missing == ("ValidationException", "Requested resource not found.")


def test_with_signatures_checked_a_role_must_be_there_and_trust_sagemaker(tmp_path, make_inner):
    inner = make_inner(tmp_path / "strict", auth="sigv4")
    ensure_defaults(inner.store, inner.settings)
    create = {"ModelName": "m", "PrimaryContainer": {"Image": XGBOOST}}
    inner("sagemaker", "CreateModel", **create, ExecutionRoleArn=ROLE)
    missing = f"arn:aws:iam::{ACCOUNT}:role/nobody"
    code, text = inner.refusal("sagemaker", "CreateModel", **{**create, "ModelName": "n"}, ExecutionRoleArn=missing)
    assert code == "ValidationException"
    assert text.startswith(f"Could not assume role {missing}. Please ensure that the role exists")


def test_models_that_are_not_offered_are_refused_at_once(sagemaker):
    more = {"S3Uri": "s3://data/a", "S3DataType": "S3Prefix", "CompressionType": "None"}
    container = {"Image": XGBOOST, "AdditionalModelDataSources": [{"ChannelName": "a", "S3DataSource": more}]}
    assert "not offered" in sagemaker.refusal("CreateModel", ModelName="n", PrimaryContainer=container)[1]


MANY = {"Image": XGBOOST, "ModelDataUrl": "s3://data/models/", "Mode": "MultiModel"}


def test_a_container_of_many_models_names_their_prefix_where_nothing_need_be_yet(inner, sagemaker):
    container = {**MANY, "MultiModelConfig": {"ModelCacheSetting": "Disabled"}}
    sagemaker.call("CreateModel", ModelName="n", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    described = sagemaker.call("DescribeModel", ModelName="n")["PrimaryContainer"]
    assert described == {**container, "Environment": {}}
    sagemaker.call("CreateEndpointConfig", EndpointConfigName="n", ProductionVariants=[variant(model="n")])
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="n")
    serve(inner)
    [routed] = route(inner.store.read.get(endpoint_key())).variants
    assert routed.many_models_in == 0


def test_one_of_the_containers_in_line_may_have_many_models(inner, sagemaker):
    containers = [CONTAINER, MANY]
    sagemaker.call("CreateModel", ModelName="n", Containers=containers, ExecutionRoleArn=ROLE)
    sagemaker.call("CreateEndpointConfig", EndpointConfigName="n", ProductionVariants=[variant(model="n")])
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="n")
    serve(inner)
    [routed] = route(inner.store.read.get(endpoint_key())).variants
    assert routed.many_models_in == 1

    def refusal(**more):
        return sagemaker.refusal("CreateModel", ModelName="m", ExecutionRoleArn=ROLE, **more)[1]

    assert refusal(Containers=[MANY, MANY]) == "A model can have only one container with Mode MultiModel."
    assert "MultiModel with InferenceExecutionConfig.Mode Direct is not offered" in refusal(
        Containers=containers, InferenceExecutionConfig={"Mode": "Direct"}
    )


# no public source shows AWS's words
@pytest.mark.parametrize(
    ("container", "said"),
    [
        ({"ModelDataUrl": None}, "requires ModelDataUrl to be a prefix"),
        ({"ModelDataUrl": "s3://data/model.tar.gz"}, "is not a prefix"),
        (
            {
                "ModelDataSource": {
                    "S3DataSource": {"S3Uri": "s3://data/m/", "S3DataType": "S3Prefix", "CompressionType": "None"}
                }
            },
            "does not support ModelDataSource",
        ),
    ],
    ids=["no prefix", "an archive", "a source"],
)
def test_what_cannot_hold_many_models_is_refused(sagemaker, container, said):
    asked = {name: value for name, value in {**MANY, **container}.items() if value is not None}
    assert said in sagemaker.refusal("CreateModel", ModelName="n", PrimaryContainer=asked, ExecutionRoleArn=ROLE)[1]


def named(*hostnames):
    return [{**CONTAINER, **({"ContainerHostname": name} if name else {})} for name in hostnames]


def test_a_model_of_several_containers_is_one_after_the_other(sagemaker):
    sagemaker.call("CreateModel", ModelName="n", Containers=named(None, None), ExecutionRoleArn=ROLE)
    model = sagemaker.call("DescribeModel", ModelName="n")
    assert [each["Image"] for each in model["Containers"]] == [XGBOOST, XGBOOST]
    assert model["InferenceExecutionConfig"] == {"Mode": "Serial"}
    assert "PrimaryContainer" not in model


# no public source shows AWS's words
@pytest.mark.parametrize(
    ("containers", "mode", "said"),
    [
        ([], "Serial", "at least one container"),
        (named("a", "a", "b", "b"), "Serial", "must be unique in a model: a, b."),
        (named("a", None), "Serial", "must specify it for every one"),
        (named(None, None), "Direct", "requires a ContainerHostname for every container"),
        (named("a"), "Direct", "requires at least two Containers"),
        (named(*(f"c{number}" for number in range(16))), "Serial", "less than or equal to 15"),
    ],
)
def test_containers_that_do_not_belong_together_are_refused(sagemaker, containers, mode, said):
    params = {"Containers": containers, "InferenceExecutionConfig": {"Mode": mode}}
    code, message = sagemaker.refusal("CreateModel", ModelName="n", **params)
    assert (code, said in message) == ("ValidationException", True), message


def test_an_endpoint_is_deployed_with_all_containers_of_its_model(inner, sagemaker):
    direct = {"InferenceExecutionConfig": {"Mode": "Direct"}, "Containers": named("a", "b")}
    sagemaker.call("CreateModel", ModelName="n", ExecutionRoleArn=ROLE, **direct)
    sagemaker.call("CreateEndpointConfig", EndpointConfigName="d", ProductionVariants=[variant(model="n")])
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="d")
    (deployed,) = inner.store.read.get(endpoint_key()).state["next"]["variants"]
    assert [each["ContainerHostname"] for each in deployed["container_definitions"]] == ["a", "b"]
    assert deployed["direct"]
    serve(inner)
    (shown,) = sagemaker.call("DescribeEndpoint", EndpointName="e")["ProductionVariants"]
    assert [each["SpecifiedImage"] for each in shown["DeployedImages"]] == [XGBOOST, XGBOOST]


@pytest.mark.parametrize("host", ["https://data.s3.amazonaws.com/", "https://s3.us-east-1.amazonaws.com/data/"])
def test_model_data_may_be_named_by_its_https_address(sagemaker, host):
    url = f"{host}model.tar.gz"
    sagemaker.call("CreateModel", ModelName="n", PrimaryContainer={"Image": XGBOOST, "ModelDataUrl": url})
    elsewhere = {"Image": XGBOOST, "ModelDataUrl": "https://example.com/data/model.tar.gz"}
    assert "Could not find model data" in sagemaker.refusal("CreateModel", ModelName="o", PrimaryContainer=elsewhere)[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"ManagedInstanceScaling": {"Status": "ENABLED"}},
    ],
)
def test_variants_that_are_not_offered_are_refused_at_once(sagemaker, changes):
    text = sagemaker.refusal("CreateEndpointConfig", EndpointConfigName="d", ProductionVariants=[variant(**changes)])[1]
    assert f"{next(iter(changes))} is not offered" in text


def test_more_instances_than_a_machine_can_hold_are_a_quota(sagemaker):
    many = [variant(InitialInstanceCount=1000)]
    code, text = sagemaker.refusal("CreateEndpointConfig", EndpointConfigName="d", ProductionVariants=many)
    assert (code, "ml.m5.large for endpoint usage" in text) == ("ResourceLimitExceeded", True)


ALL_AT_ONCE = {
    "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}}
}


def test_a_deployment_configuration_is_kept_where_it_is_asked_for(inner, sagemaker):
    def update(**params):
        sagemaker.call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c", **params)
        serve(inner)
        return sagemaker.call("DescribeEndpoint", EndpointName="e").get("LastDeploymentConfig")

    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    serve(inner)
    assert update(DeploymentConfig=ALL_AT_ONCE) == ALL_AT_ONCE
    assert update(RetainDeploymentConfig=True) == ALL_AT_ONCE
    assert update() is None


def test_weights_and_counts_on_their_way_are_desired_before_they_are_current(inner, sagemaker):
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    serve(inner)
    wanted = {"VariantName": "AllTraffic", "DesiredWeight": 0.0, "DesiredInstanceCount": 2}
    params = {"EndpointName": "e", "DesiredWeightsAndCapacities": [wanted]}
    sagemaker.call("UpdateEndpointWeightsAndCapacities", **params)
    shown = sagemaker.call("DescribeEndpoint", EndpointName="e")
    (variant_,) = shown["ProductionVariants"]
    assert (shown["EndpointStatus"], variant_["CurrentWeight"], variant_["CurrentInstanceCount"]) == (
        "Updating",
        1.0,
        1,
    )
    assert (variant_["DesiredWeight"], variant_["DesiredInstanceCount"]) == (0.0, 2)
    assert "in-progress" in sagemaker.refusal("UpdateEndpointWeightsAndCapacities", **params)[1]


def test_a_variant_of_no_instances_is_refused(inner, sagemaker):
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    serve(inner)
    wanted = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 0}]
    params = {"EndpointName": "e", "DesiredWeightsAndCapacities": wanted}
    assert "at least 1" in sagemaker.refusal("UpdateEndpointWeightsAndCapacities", **params)[1]


def test_a_call_that_an_sdk_tries_again_after_a_kill_gets_its_answer(inner, sagemaker):
    calls = [
        ("CreateModel", {"ModelName": "again", "PrimaryContainer": CONTAINER}),
        ("CreateEndpointConfig", {"EndpointConfigName": "again", "ProductionVariants": [variant(model="again")]}),
        ("CreateEndpoint", {"EndpointName": "again", "EndpointConfigName": "again"}),
    ]
    for number, (operation, params) in enumerate(calls):
        inner.invocation_id = f"invocation-{number}"
        assert sagemaker.call(operation, **params) == sagemaker.call(operation, **params)
    for operation, params in calls:
        inner.invocation_id = "another"
        assert "already existing" in sagemaker.refusal(operation, **params)[1]
    serve(inner, "again")
    inner.invocation_id = "update"
    for _ in range(2):
        sagemaker.call("UpdateEndpoint", EndpointName="again", EndpointConfigName="again")
    inner.invocation_id = "another"
    assert "in-progress" in sagemaker.refusal("UpdateEndpoint", EndpointName="again", EndpointConfigName="again")[1]


def routed(sagemaker, **changes):
    variants = [variant(**changes)]
    sagemaker.call("CreateEndpointConfig", EndpointConfigName="routed", ProductionVariants=variants)
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="routed")


@pytest.mark.parametrize(("strategy", "at_random"), [("RANDOM", True), ("LEAST_OUTSTANDING_REQUESTS", False)])
def test_a_routing_strategy_is_kept_described_and_told_to_edges(sagemaker, inner, strategy, at_random):
    given = {"RoutingStrategy": strategy}
    routed(sagemaker, RoutingConfig=given)
    serve(inner)
    config = sagemaker.call("DescribeEndpointConfig", EndpointConfigName="routed")
    described = sagemaker.call("DescribeEndpoint", EndpointName="e")
    assert [each["ProductionVariants"][0]["RoutingConfig"] for each in (config, described)] == [given, given]
    (published,) = route(inner.store.read.get(endpoint_key())).variants
    assert published.at_random is at_random


def test_where_no_routing_strategy_is_said_none_is_shown(sagemaker, inner):
    routed(sagemaker)
    serve(inner)
    assert "RoutingConfig" not in sagemaker.call("DescribeEndpoint", EndpointName="e")["ProductionVariants"][0]
    (published,) = route(inner.store.read.get(endpoint_key())).variants
    assert not published.at_random


@pytest.mark.parametrize("strategy", ["PREFIX_AWARE", "KV_AWARE"])
def test_routing_that_looks_into_prompts_is_refused(sagemaker, strategy):
    variants = [variant(RoutingConfig={"RoutingStrategy": strategy})]
    refused = sagemaker.refusal("CreateEndpointConfig", EndpointConfigName="routed", ProductionVariants=variants)
    assert f"{strategy} is not offered" in refused[1]
