"""Training jobs as clients see them, and what Create leaves for the controller."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from clary.lifecycles.training_job import LIFECYCLE, MAX_RUNTIME_EXCEEDED, STOPPED
from clary.store import Key

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def request(name="job", **changes):
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://data/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        **changes,
    }


def channel(name="train", uri="s3://data/train/"):
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}


@pytest.fixture
def sagemaker(inner):
    return inner.service("sagemaker")


def key(name="job"):
    return Key("training-job", ACCOUNT, "us-east-1", name)


def move(inner, name="job", *, status, target=None, **state):
    """As the controller does."""

    def change(tx):
        row = tx.get(key(name))
        tx.save(replace(row, status=status, target=target or row.target, state={**row.state, **state}))

    inner.store.write(change)


def test_a_new_job_is_starting_and_its_controller_is_woken(inner, sagemaker):
    answer = sagemaker.call("CreateTrainingJob", **request("My-Job"))
    assert answer == {"TrainingJobArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/my-job"}
    row = inner.store.read.get(key("My-Job"))
    assert (row.status, row.target, inner.woken) == ("Starting", "Completed", [row.key])
    assert [entry["Status"] for entry in row.state["transitions"]] == ["Starting"]


def test_describe_has_every_member_that_clients_index(inner, sagemaker):
    sagemaker.call("CreateTrainingJob", **request(InputDataConfig=[channel()]))
    move(inner, status="Completed", training_start=100.0, container_end=130.2, training_end=131.0)
    job = sagemaker.call("DescribeTrainingJob", TrainingJobName="job")
    assert job["OutputDataConfig"] == {"KmsKeyId": "", "CompressionType": "GZIP", "S3OutputPath": "s3://data/out"}
    assert job["AlgorithmSpecification"]["MetricDefinitions"] == [{"Name": "train:rmse", "Regex": "rmse:(.*)"}]
    assert job["HyperParameters"] == {}
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": "s3://data/out/job/output/model.tar.gz"}
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed")
    assert (job["TrainingTimeInSeconds"], job["BillableTimeInSeconds"]) == (31, 31)
    assert job["SecondaryStatusTransitions"][0]["StatusMessage"] == "Starting the training job"
    assert job["SecondaryStatusTransitions"][0]["StartTime"] == job["CreationTime"]
    assert job["EnableNetworkIsolation"] is job["EnableManagedSpotTraining"] is False
    [shown] = job["InputDataConfig"]
    assert shown["CompressionType"] == shown["RecordWrapperType"] == "None"
    assert shown["DataSource"]["S3DataSource"]["S3DataDistributionType"] == "FullyReplicated"
    assert "Tags" not in job


def test_what_the_controller_found_is_shown(inner, sagemaker):
    sagemaker.call("CreateTrainingJob", **request())
    move(
        inner,
        status="Failed",
        failure_reason="AlgorithmError: no",
        metrics=[{"MetricName": "train:rmse", "Value": 1.5, "Timestamp": 7.0}],
    )
    job = sagemaker.call("DescribeTrainingJob", TrainingJobName="job")
    assert job["FailureReason"] == "AlgorithmError: no"
    assert job["FinalMetricDataList"][0]["Value"] == 1.5
    assert job["FinalMetricDataList"][0]["Timestamp"].timestamp() == 7.0


def test_a_describe_right_after_the_create_waits_for_the_end(inner, sagemaker):
    sagemaker.call("CreateTrainingJob", **request())
    end = threading.Timer(0.1, move, [inner], {"status": "Completed"})
    end.start()
    assert sagemaker.call("DescribeTrainingJob", TrainingJobName="job")["TrainingJobStatus"] == "Completed"
    end.join()


def test_names_are_taken_once_and_jobs_are_not_found_in_awss_words(sagemaker):
    sagemaker.call("CreateTrainingJob", **request())
    code, text = sagemaker.refusal("CreateTrainingJob", **request())
    assert code == "ResourceInUse"
    assert text.startswith("Training job names must be unique within an AWS account and region")
    for operation in ("DescribeTrainingJob", "StopTrainingJob", "DeleteTrainingJob"):
        assert sagemaker.refusal(operation, TrainingJobName="no") == (
            "ValidationException",
            "Requested resource not found.",
        )


def test_stopping_is_written_down_once_and_refused_at_the_end(inner, sagemaker):
    sagemaker.call("CreateTrainingJob", **request())
    sagemaker.call("StopTrainingJob", TrainingJobName="job")
    row = inner.store.read.get(key())
    assert row.target == STOPPED
    assert inner.woken == [row.key, row.key]
    sagemaker.call("StopTrainingJob", TrainingJobName="job")
    assert inner.store.read.get(key()) == row
    [listed] = sagemaker.call("ListTrainingJobs", StatusEquals="Stopping")["TrainingJobSummaries"]
    assert (listed["TrainingJobStatus"], listed["SecondaryStatus"]) == ("Stopping", "Starting")
    assert sagemaker.call("ListTrainingJobs", StatusEquals="InProgress")["TrainingJobSummaries"] == []
    move(inner, status=STOPPED)
    assert sagemaker.refusal("StopTrainingJob", TrainingJobName="job") == (
        "ValidationException",
        "The request was rejected because the training job is in status Stopped.",
    )


def test_only_a_job_that_has_ended_can_be_deleted(inner, sagemaker):
    arn = sagemaker.call("CreateTrainingJob", **request(Tags=[{"Key": "a", "Value": "b"}]))["TrainingJobArn"]
    assert sagemaker.call("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    assert sagemaker.refusal("DeleteTrainingJob", TrainingJobName="job")[0] == "ResourceInUse"
    move(inner, status="Completed")
    sagemaker.call("DeleteTrainingJob", TrainingJobName="job")
    assert sagemaker.refusal("DescribeTrainingJob", TrainingJobName="job")[0] == "ValidationException"
    assert sagemaker.refusal("ListTags", ResourceArn=arn)[0] == "ValidationException"
    sagemaker.call("CreateTrainingJob", **request())
    assert sagemaker.call("ListTags", ResourceArn=arn)["Tags"] == []


@pytest.mark.parametrize("status", LIFECYCLE.moves)
def test_every_status_shows_and_is_found_by_its_public_name(inner, sagemaker, status):
    sagemaker.call("CreateTrainingJob", **request())
    sagemaker.call("CreateTrainingJob", **request("other"))
    move(inner, "other", status="Failed" if status != "Failed" else "Completed")
    move(inner, status=status)
    [both] = [s for s in sagemaker.call("ListTrainingJobs")["TrainingJobSummaries"] if s["TrainingJobName"] == "job"]
    found = sagemaker.call("ListTrainingJobs", StatusEquals=both["TrainingJobStatus"])["TrainingJobSummaries"]
    assert "job" in [s["TrainingJobName"] for s in found]
    assert "other" not in [s["TrainingJobName"] for s in found]


def test_lists_are_sorted_filtered_and_paged(inner, sagemaker):
    for n in range(12):
        sagemaker.call("CreateTrainingJob", **request(f"j{n:02}"))
        move(inner, f"j{n:02}", status="Completed" if n % 2 else MAX_RUNTIME_EXCEEDED)
    ask = lambda **params: sagemaker.call("ListTrainingJobs", **params)  # noqa: E731
    names = lambda page: [s["TrainingJobName"] for s in page["TrainingJobSummaries"]]  # noqa: E731
    assert names(ask()) == [f"j{n:02}" for n in range(10)]
    assert "NextToken" not in ask(NextToken=ask()["NextToken"])
    assert names(ask(SortOrder="Descending", MaxResults=2)) == ["j11", "j10"]
    assert names(ask(SortBy="Name", SortOrder="Descending", NameContains="j0", MaxResults=3)) == ["j09", "j08", "j07"]
    first = ask(StatusEquals="Stopped", MaxResults=4)
    second = ask(StatusEquals="Stopped", MaxResults=4, NextToken=first["NextToken"])
    assert names(first) + names(second) == [f"j{n:02}" for n in range(0, 12, 2)]
    assert sagemaker.refusal("ListTrainingJobs", NextToken="x")[0] == "ValidationException"
    middle = sagemaker.call("DescribeTrainingJob", TrainingJobName="j05")["CreationTime"]
    assert names(ask(CreationTimeBefore=middle)) == [f"j{n:02}" for n in range(5)]
    assert names(ask(WarmPoolStatusEquals="Available")) == []


REFUSED = {
    "image": ({"AlgorithmSpecification": {"TrainingImage": "no/such", "TrainingInputMode": "File"}}, "Requested image"),
    "both": (
        {"AlgorithmSpecification": {"TrainingImage": XGBOOST, "AlgorithmName": "x", "TrainingInputMode": "File"}},
        "either an algorithm name or a training image",
    ),
    "no input": (
        {"InputDataConfig": [channel(uri="s3://data/nothing")]},
        'No S3 objects found under S3 URL "s3://data',
    ),
    "no bucket": ({"InputDataConfig": [channel(uri="s3://nobody/x")]}, 'permissions on bucket "nobody".'),
    "twice": ({"InputDataConfig": [channel(), channel()]}, "unique: train"),
    "many": (
        {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 10}},
        "account-level service limit 'ml.m5.large for training job usage' is 1 Instances",
    ),
    "no resources": ({"ResourceConfig": {"VolumeSizeInGB": 1}}, "InstanceType and InstanceCount are required"),
    "spot": ({"StoppingCondition": {"MaxRuntimeInSeconds": 9, "MaxWaitTimeInSeconds": 9}}, "EnableManagedSpotTraining"),
    "name": ({"TrainingJobName": "a_b"}, "1 validation error detected: Value 'a_b' at 'trainingJobName'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_refused_and_leaves_nothing(inner, sagemaker, case):
    changes, text = REFUSED[case]
    assert text in sagemaker.refusal("CreateTrainingJob", **request(**changes))[1]
    assert sagemaker.call("ListTrainingJobs")["TrainingJobSummaries"] == []
    assert inner.woken == []


def test_rights_are_asked_for_the_job_and_for_its_tags(inner, sagemaker):
    sagemaker.call("CreateTrainingJob", **request(Tags=[{"Key": "team", "Value": "x"}]))
    create, tag = inner.authorizer.needed
    assert (create.action, tag.action) == ("sagemaker:CreateTrainingJob", "sagemaker:AddTags")
    assert create.resource == f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/job"
    assert create.context["aws:RequestTag/team"] == "x"
    assert create.context["sagemaker:InstanceTypes"] == ["ml.m5.large"]


def test_regions_do_not_see_each_other(inner, sagemaker):
    sagemaker.call("CreateTrainingJob", **request())
    assert inner("sagemaker", "ListTrainingJobs", region="eu-west-1")["TrainingJobSummaries"] == []


def test_a_compressed_channel_is_refused_and_not_handed_on_compressed(sagemaker):
    """As the API's documentation has it: File mode knows no compression."""
    packed = channel() | {"CompressionType": "Gzip"}
    code, text = sagemaker.refusal("CreateTrainingJob", **request(InputDataConfig=[packed]))
    assert code == "ValidationException"
    assert text.startswith("Channel train: CompressionType is used only in Pipe input mode")
    sagemaker.call("CreateTrainingJob", **request(InputDataConfig=[channel() | {"CompressionType": "None"}]))
