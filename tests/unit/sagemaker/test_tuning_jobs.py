"""Tuning jobs as clients see them, and what Create leaves for the controller."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from clary.lifecycles.tuning_job import KIND, PARENTS_KIND, TRIAL_KIND
from clary.store import Key
from clary.store.rows import Row

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ARN = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:hyper-parameter-tuning-job/my-tuning"
RANGES = {"ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"}]}
OBJECTIVE = {"Type": "Minimize", "MetricName": "train:rmse"}
RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
OWN = [{"Name": "train:rmse", "Regex": "rmse:(.*)"}]


def definition(**changes):
    made = {
        "StaticHyperParameters": {"num_round": "5"},
        "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://data/out"},
        "ResourceConfig": RESOURCES,
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def config(**changes):
    made = {
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": OBJECTIVE,
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
        "ParameterRanges": RANGES,
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def request(name="My-Tuning", **changes):
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": config(),
        "TrainingJobDefinition": definition(),
        **changes,
    }


@pytest.fixture
def sagemaker(inner):
    return inner.service("sagemaker")


def key(name="My-Tuning", kind=KIND):
    return Key(kind, ACCOUNT, "us-east-1", name)


def described(sagemaker, name="My-Tuning"):
    return sagemaker.call("DescribeHyperParameterTuningJob", HyperParameterTuningJobName=name)


def listed(sagemaker, name="My-Tuning", **asked):
    page = sagemaker.call("ListTrainingJobsForHyperParameterTuningJob", HyperParameterTuningJobName=name, **asked)
    return [each["TrainingJobName"] for each in page["TrainingJobSummaries"]], page.get("NextToken")


def settle(inner, name="My-Tuning", status="Completed", objectives=(3.0, 1.0, 2.0, None)):
    """As the controller leaves it: the third job is the last to have an objective, the fourth has failed."""

    def change(tx):
        row = tx.get(key(name))
        made = datetime.fromtimestamp(1000.0, UTC)
        for number, value in enumerate(objectives):
            job = f"{name}-{number + 1:03}-aa"
            spec = {"number": number, "definition": "", "values": {"eta": str(number)}, "arn": arn_of_job(job)}
            state = {"created": 1000.0 - number, "started": 1001.0, "ended": 1005.0}
            state |= {"objective": value} if value is not None else {"failure_reason": "AlgorithmError: no"}
            ended = "Completed" if value is not None else "Failed"
            tx.insert(Row(key(job, TRIAL_KIND), "", ended, made, made, spec, state, parent=name))
        best = {"job": f"{name}-002-aa", "objective": 1.0} if objectives else None
        tx.save(replace(row, status=status, state={**row.state, "ended": 1010.0, "best": best}))

    inner.store.write(change)


def arn_of_job(name):
    return f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/{name.lower()}"


def test_a_new_tuning_is_in_progress_and_its_controller_is_woken(inner, sagemaker):
    assert sagemaker.call("CreateHyperParameterTuningJob", **request()) == {"HyperParameterTuningJobArn": ARN}
    assert inner.woken == [key()]
    tuning = described(sagemaker)
    assert tuning["HyperParameterTuningJobStatus"] == "InProgress"
    assert set(tuning["TrainingJobStatusCounters"].values()) == set(tuning["ObjectiveStatusCounters"].values()) == {0}
    assert "BestTrainingJob" not in tuning


def test_describe_has_every_member_that_clients_index(sagemaker):
    sagemaker.call("CreateHyperParameterTuningJob", **request())
    tuning = described(sagemaker)
    shown = tuning["TrainingJobDefinition"]
    assert shown["StaticHyperParameters"] == {"num_round": "5", "_tuning_objective_metric": "train:rmse"}
    assert shown["AlgorithmSpecification"]["MetricDefinitions"] == OWN
    assert shown["OutputDataConfig"]["KmsKeyId"] == ""
    assert shown["EnableNetworkIsolation"] is shown["EnableManagedSpotTraining"] is False
    settings = tuning["HyperParameterTuningJobConfig"]
    assert settings["TrainingJobEarlyStoppingType"] == "Off"
    assert settings["ParameterRanges"] == {
        "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5", "ScalingType": "Auto"}],
        "IntegerParameterRanges": [],
        "CategoricalParameterRanges": [],
    }


def test_the_resources_of_sdk_2_are_shown_as_both_generations_read_them(sagemaker):
    sent = {"InstanceConfigs": [{"InstanceType": "ml.c5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 9}]}
    asked = definition(ResourceConfig=None, HyperParameterTuningResourceConfig=sent)
    sagemaker.call("CreateHyperParameterTuningJob", **request(TrainingJobDefinition=asked))
    shown = described(sagemaker)["TrainingJobDefinition"]
    assert shown["HyperParameterTuningResourceConfig"] == sent
    assert shown["ResourceConfig"] == {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 9}


def test_names_are_taken_once_and_tunings_are_not_found_in_awss_words(sagemaker):
    sagemaker.call("CreateHyperParameterTuningJob", **request())
    assert sagemaker.refusal("CreateHyperParameterTuningJob", **request("my-tuning")) == (
        "ResourceInUse",
        "A hyperparameter tuning job with the name, my-tuning, already exists. Choose a different name.",
    )
    for operation in ("Describe", "Stop", "Delete"):
        assert sagemaker.refusal(f"{operation}HyperParameterTuningJob", HyperParameterTuningJobName="demo") == (
            "ResourceNotFound",
            "Amazon SageMaker can't find a tuning job called demo. Type another name.",
        )


def test_the_same_call_tried_again_finds_what_it_has_made(inner, sagemaker):
    inner.invocation_id = "one"
    first = sagemaker.call("CreateHyperParameterTuningJob", **request())
    assert sagemaker.call("CreateHyperParameterTuningJob", **request()) == first


@pytest.mark.parametrize(
    ("metrics", "code"),
    [
        (None, "The objective metric for the hyperparameter tuning job, [loss], isn't valid for the ["),
        ([{"Name": "accuracy", "Regex": "a=(.*)"}], "The objective metric for the hyperparameter tuning job, [loss]"),
    ],
    ids=["the algorithm's own", "the user's"],
)
def test_an_objective_that_nothing_defines_is_refused(sagemaker, metrics, code):
    algorithm = {"TrainingImage": XGBOOST, "TrainingInputMode": "File"}
    algorithm |= {"MetricDefinitions": metrics} if metrics else {}
    asked = request(
        HyperParameterTuningJobConfig=config(
            HyperParameterTuningJobObjective={"Type": "Minimize", "MetricName": "loss"}
        ),
        TrainingJobDefinition=definition(AlgorithmSpecification=algorithm),
    )
    error, text = sagemaker.refusal("CreateHyperParameterTuningJob", **asked)
    assert error == "ValidationException"
    assert text.startswith(code)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"TrainingJobDefinitions": [definition()]}, "either TrainingJobDefinition or TrainingJobDefinitions"),
        ({"TrainingJobDefinition": definition(ResourceConfig=None)}, "ResourceConfig"),
        (
            {"TrainingJobDefinition": definition(AlgorithmSpecification={"TrainingInputMode": "File"})},
            "algorithm name or a training image",
        ),
        (
            {"HyperParameterTuningJobConfig": config(HyperParameterTuningJobObjective=None)},
            "HyperParameterTuningJobObjective is required",
        ),
        (
            {
                "HyperParameterTuningJobConfig": config(
                    ParameterRanges={"ContinuousParameterRanges": [{"Name": "eta", "MinValue": "2", "MaxValue": "1"}]}
                )
            },
            "eta",
        ),
    ],
    ids=["two kinds of definitions", "no resources", "no algorithm", "no objective", "an empty range"],
)
def test_what_makes_no_sense_is_refused(sagemaker, changes, said):
    code, text = sagemaker.refusal("CreateHyperParameterTuningJob", **request(**changes))
    assert code == "ValidationException"
    assert said in text


def test_jobs_are_listed_by_any_order_and_page_by_page(inner, sagemaker):
    sagemaker.call("CreateHyperParameterTuningJob", **request("t"))
    settle(inner, "t")
    first, second, third, fourth = (f"t-{number:03}-aa" for number in range(1, 5))
    assert listed(sagemaker, "t")[0] == [first, second, third, fourth]
    assert listed(sagemaker, "t", SortBy="CreationTime")[0] == [fourth, third, second, first]
    assert listed(sagemaker, "t", SortBy="Status", SortOrder="Descending")[0] == [fourth, third, second, first]
    assert listed(sagemaker, "t", SortBy="FinalObjectiveMetricValue")[0] == [second, third, first]
    assert listed(sagemaker, "t", StatusEquals="Failed")[0] == [fourth]
    page, token = listed(sagemaker, "t", SortBy="FinalObjectiveMetricValue", MaxResults=2)
    assert page == [second, third]
    rest = {"SortBy": "FinalObjectiveMetricValue", "MaxResults": 2, "NextToken": token}
    assert listed(sagemaker, "t", **rest) == ([first], None)
    asked = {"HyperParameterTuningJobName": "t", "SortBy": "Name", "NextToken": token}
    _, text = sagemaker.refusal("ListTrainingJobsForHyperParameterTuningJob", **asked)
    assert text == "Invalid pagination token."


def test_the_best_job_is_shown_with_its_objective(inner, sagemaker):
    sagemaker.call("CreateHyperParameterTuningJob", **request("t"))
    settle(inner, "t")
    tuning = described(sagemaker, "t")
    best = tuning["BestTrainingJob"]
    assert best["TrainingJobName"] == "t-002-aa"
    assert best["FinalHyperParameterTuningJobObjectiveMetric"] == {**OBJECTIVE, "Value": 1.0}
    assert (best["ObjectiveStatus"], best["TunedHyperParameters"]) == ("Succeeded", {"eta": "1"})
    assert "OverallBestTrainingJob" not in tuning
    assert tuning["HyperParameterTuningEndTime"].timestamp() == 1010.0


def test_a_training_job_is_listed_as_it_is_while_it_runs(inner, sagemaker):
    sagemaker.call("CreateHyperParameterTuningJob", **request("t"))
    made = datetime.fromtimestamp(1000.0, UTC)
    spec = {"number": 0, "definition": "", "values": {"eta": "1"}, "arn": arn_of_job("t-001-aa")}
    trial = Row(key("t-001-aa", TRIAL_KIND), "", "InProgress", made, made, spec, {}, parent="t")
    inner.store.write(lambda tx: tx.insert(trial))
    assert listed(sagemaker, "t")[0] == []
    job = replace(trial, key=key("t-001-aa", "training-job"), status="Training", target="Stopped")
    inner.store.write(lambda tx: tx.insert(replace(job, arn=arn_of_job("t-001-aa"))))
    page = sagemaker.call("ListTrainingJobsForHyperParameterTuningJob", HyperParameterTuningJobName="t")
    [shown] = page["TrainingJobSummaries"]
    assert (shown["TrainingJobStatus"], shown["ObjectiveStatus"]) == ("Stopping", "Pending")
    code, _ = sagemaker.refusal("DeleteTrainingJob", TrainingJobName="t-001-aa")
    assert code == "ResourceInUse"


def test_tunings_are_listed_and_found(inner, sagemaker):
    for name in ("one", "two"):
        sagemaker.call("CreateHyperParameterTuningJob", **request(name, Tags=[{"Key": "team", "Value": name}]))
    settle(inner, "two")
    page = sagemaker.call("ListHyperParameterTuningJobs", StatusEquals="Completed")["HyperParameterTuningJobSummaries"]
    assert [(each["HyperParameterTuningJobName"], each["Strategy"]) for each in page] == [("two", "Bayesian")]
    filters = [{"Name": "BestTrainingJob.TunedHyperParameters.eta", "Operator": "Equals", "Value": "1"}]
    found = sagemaker.call("Search", Resource="HyperParameterTuningJob", SearchExpression={"Filters": filters})
    [record] = [each["HyperParameterTuningJob"] for each in found["Results"]]
    assert record["HyperParameterTuningJobName"] == "two"
    assert record["Tags"] == [{"Key": "team", "Value": "two"}]


def test_tunings_are_listed_by_name_where_nothing_is_said(inner, sagemaker):
    for name in ("b", "c", "a"):
        sagemaker.call("CreateHyperParameterTuningJob", **request(name))
    page = sagemaker.call("ListHyperParameterTuningJobs")["HyperParameterTuningJobSummaries"]
    assert [each["HyperParameterTuningJobName"] for each in page] == ["a", "b", "c"]


def test_a_stop_and_a_delete_are_written_down_and_shown(inner, sagemaker):
    sagemaker.call("CreateHyperParameterTuningJob", **request("t"))
    asked = {"HyperParameterTuningJobName": "t"}
    code, _ = sagemaker.refusal("DeleteHyperParameterTuningJob", **asked)
    assert code == "ResourceInUse"
    sagemaker.call("StopHyperParameterTuningJob", **asked)
    assert described(sagemaker, "t")["HyperParameterTuningJobStatus"] == "Stopping"
    settle(inner, "t", "Stopping", ())
    sagemaker.call("StopHyperParameterTuningJob", **asked)  # whether the controller has begun with it or not
    settle(inner, "t", "Stopped")
    _, text = sagemaker.refusal("StopHyperParameterTuningJob", **asked)
    assert text == "The request was rejected because the hyperparameter tuning job is in status Stopped."
    sagemaker.call("DeleteHyperParameterTuningJob", **asked)
    assert described(sagemaker, "t")["HyperParameterTuningJobStatus"] == "Deleting"
    for status in ("Stopped", "Deleting"):  # as long as it is there
        settle(inner, "t", status, ())
        sagemaker.call("DeleteHyperParameterTuningJob", **asked)
        _, text = sagemaker.refusal("StopHyperParameterTuningJob", **asked)
        assert text == "The request was rejected because the hyperparameter tuning job is in status Deleting."


def warm(*parents, kind="IdenticalDataAndAlgorithm"):
    names = [{"HyperParameterTuningJobName": name} for name in parents]
    return {"WarmStartConfig": {"ParentHyperParameterTuningJobs": names, "WarmStartType": kind}}


def test_a_warm_start_keeps_what_its_parents_have_found(inner, sagemaker):
    sagemaker.call("CreateHyperParameterTuningJob", **request("parent"))
    code, _ = sagemaker.refusal("CreateHyperParameterTuningJob", **request("child", **warm("parent")))
    assert code == "ValidationException"
    settle(inner, "parent")
    sagemaker.call("CreateHyperParameterTuningJob", **request("child", **warm("parent")))
    kept = inner.store.read.get(key("child", PARENTS_KIND)).state["trials"]
    assert [(each["status"], each["objective"]) for each in kept][1:] == [
        ("Completed", 1.0),
        ("Completed", 2.0),
        ("Failed", None),
    ]
    assert kept[0]["values"] == {"num_round": "5", "_tuning_objective_metric": "train:rmse", "eta": "0"}
    tuning = described(sagemaker, "child")
    assert "BestTrainingJob" not in tuning
    assert tuning["OverallBestTrainingJob"]["TrainingJobName"] == "parent-002-aa"
    settle(inner, "child", objectives=(3.0, 0.5))
    assert described(sagemaker, "child")["OverallBestTrainingJob"]["TrainingJobName"] == "child-002-aa"


def test_a_warm_start_from_nothing_is_refused(sagemaker):
    code, _ = sagemaker.refusal("CreateHyperParameterTuningJob", **request(**warm("nobody")))
    assert code == "ResourceNotFound"
    code, _ = sagemaker.refusal("CreateHyperParameterTuningJob", **request(**warm("one", "one")))
    assert code == "ValidationException"


def test_a_warm_start_is_compared_with_its_parents(inner, sagemaker):
    sagemaker.call("CreateHyperParameterTuningJob", **request("parent"))
    settle(inner, "parent")
    other = definition(StaticHyperParameters={"num_round": "5", "seed": "1"})
    code, message = sagemaker.refusal(
        "CreateHyperParameterTuningJob", **request("child", **warm("parent"), TrainingJobDefinition=other)
    )
    assert code == "ValidationException"
    assert message.startswith("The set of tunable plus static HyperParameter names is not the same")


def test_the_rights_that_are_needed(inner, sagemaker):
    sagemaker.call("CreateHyperParameterTuningJob", **request(Tags=[{"Key": "a", "Value": "b"}]))
    needed = {each.action: each for each in inner.authorizer.needed}
    create = needed["sagemaker:CreateHyperParameterTuningJob"]
    assert create.resource == needed["sagemaker:AddTags"].resource == ARN
    assert create.context["sagemaker:InstanceTypes"] == ["ml.m5.large"]
