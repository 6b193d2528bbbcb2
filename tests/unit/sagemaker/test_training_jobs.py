"""Training jobs as clients see them, and what Create leaves for the controller."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from clary.lifecycles.training_job import LIFECYCLE, MAX_RUNTIME_EXCEEDED, STOPPED
from clary.services.sagemaker import patience
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


GROUPS = [
    {"InstanceGroupName": "cpu", "InstanceType": "ml.m5.large", "InstanceCount": 2},
    {"InstanceGroupName": "more", "InstanceType": "ml.c5.xlarge", "InstanceCount": 1},
]


def channel(name="train", uri="s3://data/train/", **source):
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, **source}}}


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


def test_a_describe_right_after_the_create_waits_for_the_end(inner, sagemaker, monkeypatch):
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 60)
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
        {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 21, "VolumeSizeInGB": 10}},
        "account-level service limit 'ml.m5.large for training job usage' is 20 Instances",
    ),
    "none": (
        {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 0, "VolumeSizeInGB": 10}},
        "InstanceType and InstanceCount are required",
    ),
    "no resources": ({"ResourceConfig": {"VolumeSizeInGB": 1}}, "InstanceType and InstanceCount are required"),
    "no spot": (
        {"StoppingCondition": {"MaxRuntimeInSeconds": 9, "MaxWaitTimeInSeconds": 9}},
        "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true",
    ),
    "spot without a wait": (
        {"EnableManagedSpotTraining": True},
        "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds",
    ),
    "spot with a short wait": (
        {
            "EnableManagedSpotTraining": True,
            "StoppingCondition": {"MaxRuntimeInSeconds": 9, "MaxWaitTimeInSeconds": 8},
        },
        "It must be present and be greater than or equal to MaxRuntimeInSeconds",
    ),
    "groups and type": (
        {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceGroups": GROUPS}},
        "InstanceType or InstanceCount cannot be specified with InstanceGroups",
    ),
    "groups of one name": ({"ResourceConfig": {"InstanceGroups": [*GROUPS, GROUPS[0]]}}, "must be unique"),
    "a group of none": (
        {"ResourceConfig": {"InstanceGroups": [GROUPS[0] | {"InstanceCount": 0}]}},
        "one instance at least",
    ),
    "some channels for groups": (
        {
            "ResourceConfig": {"InstanceGroups": GROUPS},
            "InputDataConfig": [channel("a", InstanceGroupNames=["cpu"]), channel("b"), channel("c")],
        },
        "Some channels have assigned instance groups: [a] while others not: [b, c]",
    ),
    "an unknown group": ({"InputDataConfig": [channel("a", InstanceGroupNames=["x"])]}, "does not have: [x]"),
    "a pool of spot instances": (
        {
            "EnableManagedSpotTraining": True,
            "StoppingCondition": {"MaxRuntimeInSeconds": 9, "MaxWaitTimeInSeconds": 9},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "KeepAlivePeriodInSeconds": 9},
        },
        "KeepAlivePeriodInSeconds",
    ),
    "a pool of groups": (
        {"ResourceConfig": {"InstanceGroups": GROUPS, "KeepAlivePeriodInSeconds": 9}},
        "KeepAlivePeriodInSeconds",
    ),
    "a plan": (
        {"ResourceConfig": {"TrainingPlanArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-plan/x"}},
        "ResourceConfig.TrainingPlanArn is not offered by Clary",
    ),
    "augmented files": (
        {"InputDataConfig": [channel(S3DataType="AugmentedManifestFile", AttributeNames=["x"])]},
        "only be used with the input mode Pipe",
    ),
    "augmented nothing": (
        {"InputDataConfig": [channel(S3DataType="AugmentedManifestFile") | {"InputMode": "Pipe"}]},
        "needs AttributeNames",
    ),
    "a disabled profiler": (
        {"ProfilerConfig": {"DisableProfiler": True, "S3OutputPath": "s3://data/p"}},
        "ProfilerConfig is not allowed to have fields when disabled.",
    ),
    "an interval": ({"ProfilerConfig": {"ProfilingIntervalInMilliseconds": 7}}, "must be one of 100, 200"),
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


def test_a_compressed_channel_is_for_pipes_only(sagemaker):
    """As the API's documentation has it: File mode knows no compression."""
    packed = channel() | {"CompressionType": "Gzip"}
    code, text = sagemaker.refusal("CreateTrainingJob", **request(InputDataConfig=[packed]))
    assert code == "ValidationException"
    assert text.startswith("Channel train: CompressionType is used only in Pipe input mode")
    sagemaker.call("CreateTrainingJob", **request(InputDataConfig=[channel() | {"CompressionType": "None"}]))
    sagemaker.call("CreateTrainingJob", **request("pipe", InputDataConfig=[packed | {"InputMode": "Pipe"}]))


KEPT = {
    "ResourceConfig": {"InstanceGroups": GROUPS, "VolumeSizeInGB": 3, "VolumeKmsKeyId": "key"},
    "InputDataConfig": [channel("a", InstanceGroupNames=["cpu"]), channel("b", InstanceGroupNames=["cpu", "more"])],
    "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
    "EnableInterContainerTrafficEncryption": True,
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {
        "MaxRuntimeInSeconds": 9,
        "MaxWaitTimeInSeconds": 9,
        "MaxPendingTimeInSeconds": 7200,
    },
    "CheckpointConfig": {"S3Uri": "s3://data/c", "LocalPath": "/c"},
    "DebugHookConfig": {"S3OutputPath": "s3://data/d", "CollectionConfigurations": [{"CollectionName": "x"}]},
    "DebugRuleConfigurations": [{"RuleConfigurationName": "r", "RuleEvaluatorImage": "i"}],
    "TensorBoardOutputConfig": {"S3OutputPath": "s3://data/t"},
    "ExperimentConfig": {"ExperimentName": "e", "TrialName": "t"},
    "ProfilerConfig": {"S3OutputPath": "s3://data/p", "ProfilingIntervalInMilliseconds": 500},
    "ProfilerRuleConfigurations": [{"RuleConfigurationName": "r", "RuleEvaluatorImage": "i"}],
    "Environment": {"A": "b"},
    "RetryStrategy": {"MaximumRetryAttempts": 3},
    "RemoteDebugConfig": {"EnableRemoteDebug": True},
    "InfraCheckConfig": {"EnableInfraCheck": True},
}


def holds(shown, asked):
    """Whether `shown` has all that was asked for, defaults beside it."""
    if isinstance(asked, dict):
        return all(holds(shown[name], value) for name, value in asked.items())
    if isinstance(asked, list):
        return all(holds(*pair) for pair in zip(shown, asked, strict=True))
    return bool(shown == asked)


def test_what_was_asked_for_is_described_and_nothing_that_did_not_happen(inner, sagemaker):
    """SessionChainingConfig is taken, and is no member of Describe's output."""
    chained = {"SessionChainingConfig": {"EnableSessionTagChaining": True}}
    sagemaker.call("CreateExperiment", ExperimentName="e")
    sagemaker.call("CreateTrial", TrialName="t", ExperimentName="e")
    sagemaker.call("CreateTrainingJob", **request(**KEPT, **chained))
    job = described(inner, sagemaker)
    assert holds(job, KEPT)
    assert job["ProfilingStatus"] == "Disabled"
    assert not {"DebugRuleEvaluationStatuses", "ProfilerRuleEvaluationStatuses", "WarmPoolStatus"} & set(job)


def described(inner, sagemaker, name="job", **state):
    if state:
        move(inner, name, status=state.pop("status", "Completed"), **state)
    return sagemaker.call("DescribeTrainingJob", TrainingJobName=name)


def test_the_time_of_all_attempts_is_shown_and_that_of_the_last_one_billed(inner, sagemaker):
    sagemaker.call("CreateTrainingJob", **request())
    job = described(inner, sagemaker, attempts=[(100.0, 140.0)], training_start=200.0, container_end=210.5)
    assert (job["TrainingTimeInSeconds"], job["BillableTimeInSeconds"]) == (51, 11)
    assert job["TrainingStartTime"].timestamp() == 100.0


def test_metrics_are_series_where_some_are_defined(inner, sagemaker):
    sagemaker.call("CreateTrainingJob", **request())
    assert described(inner, sagemaker, status="Completed")["AlgorithmSpecification"]["EnableSageMakerMetricsTimeSeries"]


def test_rights_name_the_types_of_all_groups_and_the_pools_period(inner, sagemaker):
    sagemaker.call("CreateTrainingJob", **request(ResourceConfig={"InstanceGroups": GROUPS}))
    assert inner.authorizer.needed[0].context["sagemaker:InstanceTypes"] == ["ml.m5.large", "ml.c5.xlarge"]
    sagemaker.call("CreateTrainingJob", **request("warm", ResourceConfig=WARM))
    assert inner.authorizer.needed[-1].context["sagemaker:KeepAlivePeriod"] == "600"


WARM = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10, "KeepAlivePeriodInSeconds": 600}
POOLS = {
    "InUse": {"status": "Training"},
    "Available": {"warm_pool": {"since": 100.0, "until": 700.0}},
    "Reused": {"warm_pool": {"since": 100.0, "until": 700.0, "ended": 150.5, "reused_by": "next"}},
    "Terminated": {"warm_pool": {"since": 100.0, "until": 700.0, "ended": 700.0}},
}


@pytest.mark.parametrize("status", POOLS)
def test_a_warm_pool_is_described_and_found_by_its_status(inner, sagemaker, status):
    sagemaker.call("CreateTrainingJob", **request(ResourceConfig=WARM))
    sagemaker.call("CreateTrainingJob", **request("other"))
    pool = described(inner, sagemaker, **POOLS[status])["WarmPoolStatus"]
    assert pool["Status"] == status
    assert pool.get("ReusedByJob") == ("next" if status == "Reused" else None)
    if status in ("Reused", "Terminated"):
        assert pool["ResourceRetainedBillableTimeInSeconds"] == {"Reused": 51, "Terminated": 600}[status]
    for asked in POOLS:
        found = sagemaker.call("ListTrainingJobs", WarmPoolStatusEquals=asked)["TrainingJobSummaries"]
        assert [each["TrainingJobName"] for each in found] == (["job"] if asked == status else [])
        assert all(each["WarmPoolStatus"] == pool for each in found if asked != "Available")


def test_a_job_whose_machine_failed_retains_nothing(inner, sagemaker):
    sagemaker.call("CreateTrainingJob", **request(ResourceConfig=WARM))
    assert described(inner, sagemaker, status="Failed")["WarmPoolStatus"] == {"Status": "Terminated"}


def test_a_job_that_retains_a_pool_cannot_be_deleted(inner, sagemaker):
    sagemaker.call("CreateTrainingJob", **request(ResourceConfig=WARM))
    move(inner, status="Completed", **POOLS["Available"])
    assert sagemaker.refusal("DeleteTrainingJob", TrainingJobName="job")[0] == "ResourceInUse"
    move(inner, status="Completed", **POOLS["Terminated"])
    sagemaker.call("DeleteTrainingJob", TrainingJobName="job")


def update(sagemaker, **members):
    return sagemaker.call("UpdateTrainingJob", TrainingJobName="job", **members)


def refused(sagemaker, **members):
    return sagemaker.refusal("UpdateTrainingJob", TrainingJobName="job", **members)[1]


def test_the_period_of_an_available_pool_can_be_changed(inner, sagemaker):
    arn = sagemaker.call("CreateTrainingJob", **request(ResourceConfig=WARM))["TrainingJobArn"]
    period = {"ResourceConfig": {"KeepAlivePeriodInSeconds": 900}}
    assert "it is InUse" in refused(sagemaker, **period)
    move(inner, status="Completed", **POOLS["Available"])
    assert update(sagemaker, **period) == {"TrainingJobArn": arn}
    assert inner.woken[-1] == replace(key(), kind="warm-pool")
    assert inner.store.read.get(key()).state["warm_pool"] == {"since": 100.0, "until": 1000.0}
    assert described(inner, sagemaker)["ResourceConfig"] == WARM | {"KeepAlivePeriodInSeconds": 900}
    update(sagemaker, ResourceConfig={"KeepAlivePeriodInSeconds": 0})
    assert inner.store.read.get(key()).state["warm_pool"]["until"] == 100.0
    move(inner, status="Completed", **POOLS["Terminated"])
    assert "it is Terminated" in refused(sagemaker, **period)


def test_a_job_without_a_pool_has_no_period_to_change(inner, sagemaker):
    sagemaker.call("CreateTrainingJob", **request())
    move(inner, status="Completed")
    assert "it has none" in refused(sagemaker, ResourceConfig={"KeepAlivePeriodInSeconds": 9})


def test_the_profiler_can_be_changed_while_the_job_goes_on(inner, sagemaker):
    sagemaker.call("CreateTrainingJob", **request())
    profiler = {"ProfilerConfig": {"ProfilingIntervalInMilliseconds": 1000}, "ProfilerRuleConfigurations": []}
    update(sagemaker, **profiler)
    assert inner.store.read.get(key()).spec["ProfilerConfig"] == profiler["ProfilerConfig"]
    assert "when disabled" in refused(sagemaker, ProfilerConfig={"DisableProfiler": True, "S3OutputPath": "s3://b/p"})
    move(inner, status="Completed")
    assert refused(sagemaker, **profiler).endswith("is in status Completed.")


@pytest.mark.parametrize("status", LIFECYCLE.moves)
def test_remote_debugging_can_be_changed_while_data_come_and_the_program_runs(inner, sagemaker, status):
    sagemaker.call("CreateTrainingJob", **request())
    move(inner, status=status)
    debug = {"RemoteDebugConfig": {"EnableRemoteDebug": True}}
    if status in ("Downloading", "Training"):
        update(sagemaker, **debug)
        assert inner.store.read.get(key()).spec["RemoteDebugConfig"] == debug["RemoteDebugConfig"]
    else:
        assert f"it is {status}" in refused(sagemaker, **debug)


def test_a_job_that_is_not_there_cannot_be_updated(sagemaker):
    assert refused(sagemaker) == "Requested resource not found."


def test_a_channel_on_a_file_system_is_refused_with_what_to_do_instead(sagemaker):
    system = {
        "FileSystemId": "fs-0123456789a",
        "FileSystemType": "EFS",
        "FileSystemAccessMode": "ro",
        "DirectoryPath": "/data",
    }
    asked = {"ChannelName": "train", "DataSource": {"FileSystemDataSource": system}}
    assert sagemaker.refusal("CreateTrainingJob", **request(InputDataConfig=[asked]))[1] == (
        "The data source of channel train is not offered by Clary. Put the data into a bucket and name it by an "
        "S3DataSource with S3DataType S3Prefix, ManifestFile or AugmentedManifestFile."
    )
