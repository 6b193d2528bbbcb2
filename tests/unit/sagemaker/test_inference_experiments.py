"""Inference experiments as clients see them, and what is left for the controller.

No public source shows AWS's words for what it refuses.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clary.lifecycles.inference_experiment import LIFECYCLE
from clary.store import Key

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
CONTAINER = {"Image": XGBOOST, "ModelDataUrl": "s3://data/model.tar.gz"}
KEY = Key("inference-experiment", ACCOUNT, "us-east-1", "x")
ARN = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:inference-experiment/x"
DAY = timedelta(days=1)


def variant(name, model="m", count=1):
    real_time = {"InstanceType": "ml.m5.large", "InstanceCount": count}
    infrastructure = {"InfrastructureType": "RealTimeInference", "RealTimeInferenceConfig": real_time}
    return {"ModelName": model, "VariantName": name, "InfrastructureConfig": infrastructure}


def mirroring(percentage=50, source="live", shadow="shade"):
    mirrored = {"ShadowModelVariantName": shadow, "SamplingPercentage": percentage}
    return {"SourceModelVariantName": source, "ShadowModelVariants": [mirrored]}


ASKED = {
    "Name": "x",
    "Type": "ShadowMode",
    "RoleArn": ROLE,
    "EndpointName": "e",
    "ModelVariants": [variant("live"), variant("shade")],
    "ShadowModeConfig": mirroring(),
}


@pytest.fixture
def sagemaker(inner):
    service = inner.service("sagemaker")
    service.call("CreateModel", ModelName="m", PrimaryContainer=CONTAINER, ExecutionRoleArn=ROLE)
    service.call("CreateModel", ModelName="two", Containers=[CONTAINER, CONTAINER], ExecutionRoleArn=ROLE)
    return service


def create(sagemaker, **changes):
    return sagemaker.call("CreateInferenceExperiment", **{**ASKED, **changes})["InferenceExperimentArn"]


def refusal(sagemaker, **changes):
    return sagemaker.refusal("CreateInferenceExperiment", **{**ASKED, **changes})


def come_to(inner, status, **state):
    """As the controller would."""

    def change(tx):
        row = tx.get(KEY)
        tx.save(replace(row, status=status, state={**row.state, **state}))

    inner.store.write(change)


def restore(inner, row):
    """As it was, whatever has become of it."""

    def change(tx):
        tx.delete(KEY)
        tx.insert(replace(row, version=0))

    inner.store.write(change)


def described(sagemaker):
    return sagemaker.call("DescribeInferenceExperiment", Name="x")


def test_an_experiment_is_described_as_it_was_asked_for(sagemaker):
    begins, ends = datetime.now(UTC).replace(microsecond=0) + DAY, datetime.now(UTC).replace(microsecond=0) + 3 * DAY
    storage = {"Destination": "s3://data/x", "ContentType": {"CsvContentTypes": ["text/csv"]}}
    schedule = {"StartTime": begins, "EndTime": ends}
    assert create(sagemaker, Schedule=schedule, DataStorageConfig=storage, Description="why") == ARN
    shown = described(sagemaker)
    assert (shown["Arn"], shown["Name"], shown["Status"]) == (ARN, "x", "Creating")
    assert shown["Schedule"] == schedule
    assert (shown["Description"], shown["DataStorageConfig"]) == ("why", storage)
    assert shown["EndpointMetadata"] == {"EndpointName": "e"}
    assert [each["Status"] for each in shown["ModelVariants"]] == ["Creating"] * 2
    (listed,) = sagemaker.call("ListInferenceExperiments", StatusEquals="Creating")["InferenceExperiments"]
    assert (listed["Name"], listed["Type"], listed["Description"]) == ("x", "ShadowMode", "why")
    assert sagemaker.call("ListInferenceExperiments", StatusEquals="Running")["InferenceExperiments"] == []


def test_without_a_schedule_it_begins_at_once_and_lasts_a_week(sagemaker):
    create(sagemaker)
    schedule = described(sagemaker)["Schedule"]
    assert schedule["EndTime"] - schedule["StartTime"] == 7 * DAY


def test_its_endpoint_is_shown_as_it_is(inner, sagemaker):
    shape = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    variants = [{"VariantName": "live", "ModelName": "m", **shape}]
    sagemaker.call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=variants)
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    create(sagemaker)
    wanted = {"EndpointName": "e", "EndpointConfigName": "c", "EndpointStatus": "Creating"}
    assert described(sagemaker)["EndpointMetadata"] == wanted


NOW = datetime.now(UTC)


REFUSED = (
    ({"ModelVariants": [variant("live")]}, "ModelVariants must be the variants"),
    ({"ShadowModeConfig": mirroring(shadow="other")}, "ModelVariants must be the variants"),
    ({"ShadowModeConfig": mirroring(shadow="live")}, "ModelVariants must be the variants"),
    ({"ShadowModeConfig": mirroring(101)}, "Member must have value less than or equal to 100"),
    ({"ShadowModeConfig": mirroring(-1)}, "SamplingPercentage must be between 0 and 100"),
    ({"ModelVariants": [variant("live"), variant("shade", "no")]}, "Could not find model"),
    ({"ModelVariants": [variant("live"), variant("shade", "two")]}, "not supported for multi-container"),
    ({"ModelVariants": [variant("live"), variant("shade", count=0)]}, "InstanceCount must be at least 1"),
    ({"Schedule": {"EndTime": NOW - DAY}}, "EndTime must be in the future"),
    ({"Schedule": {"StartTime": NOW + 2 * DAY, "EndTime": NOW + DAY}}, "EndTime must be in the future"),
    ({"Schedule": {"EndTime": NOW + 31 * DAY}}, "30 days at most"),
    ({"DataStorageConfig": {"Destination": "https://example.com/x"}}, "not a valid S3 URI"),
)
"""Changes of what is asked, and what is said of them."""


def test_what_cannot_be_tried_is_refused(sagemaker):
    for changes, said in REFUSED:
        code, text = refusal(sagemaker, **changes)
        assert (code, said in text) == ("ValidationException", True), text


def test_names_and_endpoints_are_taken_once(inner, sagemaker):
    create(sagemaker)
    assert refusal(sagemaker, EndpointName="other")[0] == "ResourceInUse"
    assert refusal(sagemaker, Name="y") == ("ResourceInUse", "Endpoint e is used by inference experiment x.")
    come_to(inner, "Cancelled")
    create(sagemaker, Name="y")


def test_what_is_not_there_is_not_found(sagemaker):
    for operation in ("Describe", "Start", "Update", "Delete"):
        assert sagemaker.refusal(f"{operation}InferenceExperiment", Name="x")[0] == "ResourceNotFound"


STOP = {"Name": "x", "ModelVariantActions": {"live": "Retain", "shade": "Remove"}}


@pytest.mark.parametrize(
    ("operation", "params", "possible"),
    [
        ("StartInferenceExperiment", {"Name": "x"}, {"Created"}),
        ("StopInferenceExperiment", STOP, {"Creating", "Created", "Starting", "Running", "Updating"}),
        ("UpdateInferenceExperiment", {"Name": "x", "Description": "d"}, {"Created", "Running"}),
        ("DeleteInferenceExperiment", {"Name": "x"}, {"Completed", "Cancelled"}),
    ],
)
def test_what_is_possible_when(inner, sagemaker, operation, params, possible):
    create(sagemaker)
    for status in sorted(set(LIFECYCLE.moves) - possible):
        come_to(inner, status)
        code, text = sagemaker.refusal(operation, **params)
        assert (code, text) == ("ConflictException", f'The inference experiment "{ARN}" is in status {status}.')
    for status in sorted(possible):
        come_to(inner, status)
        kept = inner.store.read.get(KEY)
        assert sagemaker.call(operation, **params)["InferenceExperimentArn"] == ARN
        restore(inner, kept)


@pytest.mark.parametrize(
    ("actions", "wanted"),
    [
        ({"live": "Retain"}, {"live": "Retain", "shade": "Remove"}),
        ({"shade": "Promote"}, {"live": "Remove", "shade": "Promote"}),
        ({"shade": "Retain"}, {"live": "Retain", "shade": "Retain"}),
    ],
    ids=["live", "promoted", "retained"],
)
def test_a_stop_says_what_becomes_of_both(inner, sagemaker, actions, wanted):
    create(sagemaker)
    come_to(inner, "Running")
    asked = {"ModelVariantActions": actions, "DesiredState": "Cancelled", "Reason": "enough"}
    sagemaker.call("StopInferenceExperiment", Name="x", **asked)
    row = inner.store.read.get(KEY)
    assert (row.target, row.state["stop"]["actions"], row.state["reason"]) == ("Cancelled", wanted, "enough")
    stopping_at_once(sagemaker, asked)


def stopping_at_once(sagemaker, asked):
    """It shows itself so, and acts so, before its controller has."""
    assert described(sagemaker)["Status"] == "Stopping"
    for status, count in (("Stopping", 1), ("Running", 0)):
        listed = sagemaker.call("ListInferenceExperiments", StatusEquals=status)["InferenceExperiments"]
        assert [each["Status"] for each in listed] == [status] * count
    for operation, params in (("Stop", asked), ("Update", {"Description": "d"})):
        code, text = sagemaker.refusal(f"{operation}InferenceExperiment", Name="x", **params)
        assert (code, text.endswith("is in status Stopping.")) == ("ConflictException", True)


NOT_LEFT = (
    ({"ModelVariantActions": {"other": "Retain"}}, "no variant other"),
    ({"ModelVariantActions": {"live": "Remove", "shade": "Remove"}}, "the production variant is retained"),
    ({"ModelVariantActions": {"live": "Promote"}}, "the production variant is retained"),
    ({"ModelVariantActions": {"live": "Retain", "shade": "Promote"}}, "the production variant is retained"),
    ({"ModelVariantActions": {"live": "Retain"}, "DesiredModelVariants": [variant("shade")]}, "is to be removed"),
    (
        {"ModelVariantActions": {"live": "Retain"}, "DesiredModelVariants": [variant("live", "no")]},
        "Could not find",
    ),
)
"""What is wanted of a stop, and what is said of it."""


def test_what_a_stop_cannot_leave_is_refused(inner, sagemaker):
    create(sagemaker)
    come_to(inner, "Running")
    for params, said in NOT_LEFT:
        code, text = sagemaker.refusal("StopInferenceExperiment", Name="x", **params)
        assert (code, said in text) == ("ValidationException", True), text


def test_one_that_runs_is_deployed_anew_where_its_variants_change(inner, sagemaker):
    create(sagemaker)
    come_to(inner, "Running", config="c", running="c")
    sagemaker.call("UpdateInferenceExperiment", Name="x", Description="d", Schedule={"EndTime": NOW + 2 * DAY})
    assert (described(sagemaker)["Status"], described(sagemaker)["Description"]) == ("Running", "d")
    assert "StartTime" in described(sagemaker)["Schedule"]
    sagemaker.call("UpdateInferenceExperiment", Name="x", ModelVariants=[variant("shade", count=2)])
    row = inner.store.read.get(KEY)
    assert (row.status, "config" in row.state, row.state["previous"]["ModelVariants"][1]) == (
        "Updating",
        False,
        variant("shade"),
    )
    assert row.spec["ModelVariants"] == [variant("live"), variant("shade", count=2)]


def test_the_beginning_of_one_that_runs_is_past(inner, sagemaker):
    create(sagemaker)
    come_to(inner, "Running")
    code, text = sagemaker.refusal("UpdateInferenceExperiment", Name="x", Schedule={"StartTime": NOW + DAY})
    assert (code, "only EndTime" in text) == ("ValidationException", True)


def test_start_begins_before_the_schedule(inner, sagemaker):
    create(sagemaker, Schedule={"StartTime": NOW + DAY, "EndTime": NOW + 2 * DAY})
    come_to(inner, "Created")
    sagemaker.call("StartInferenceExperiment", Name="x")
    assert described(sagemaker)["Schedule"]["StartTime"] < NOW + timedelta(hours=12)


STATUSES = (
    ("Running", None, ["InService", "InService"]),
    ("Updating", None, ["Updating", "Updating"]),
    ("Stopping", {"live": "Remove", "shade": "Promote"}, ["Deleting", "InService"]),
    ("Completed", {"live": "Retain", "shade": "Retain"}, ["InService", "InService"]),
    ("Cancelled", None, ["InService", "Deleted"]),
)
"""Of an experiment, what its stop says, and those of its variants."""


def test_variants_have_statuses_of_their_own(inner, sagemaker):
    create(sagemaker)
    for status, actions, shown in STATUSES:
        come_to(inner, status, stop={"actions": actions, "variants": []} if actions else None)
        assert [each["Status"] for each in described(sagemaker)["ModelVariants"]] == shown
