"""Endpoints of a started Clary through boto3: several variants, live changes under load, and what goes wrong."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.running import RunningClary, wait_until
from tests.system.endpoints import (
    CLIENTS,
    at_rest,
    configure,
    counted,
    deploy,
    kill_every_second,
    load,
    model,
    more,
    near,
    sample,
    says,
    serving,
    variant,
)
from tests.system.jobs import JOB_SECONDS, Jobs

pytestmark = [pytest.mark.system]

KILLS = 6
"""Seconds of being killed."""

SAMPLE = 300

PAGE = Path(__file__).parents[2] / "docs" / "endpoints.md"


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Iterator[Jobs]:
    yield Jobs(shared)


def test_weights_and_counts_change_live_from_a_tenth_to_a_half_to_all(jobs: Jobs) -> None:
    name = deploy(jobs, "live", variant("a", model(jobs, "live-a"), weight=9), variant("b", model(jobs, "live-b")))
    with load(jobs, name) as (answers, failures):
        held, said = near(sample(answers, SAMPLE), "live-b", 0.1)
        assert held, said
        half = [{"VariantName": "a", "DesiredWeight": 1}]
        jobs.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=half)
        at_rest(jobs, name)
        held, said = near(sample(answers, SAMPLE), "live-b", 0.5)
        assert held, said
        wanted = [
            {"VariantName": "a", "DesiredWeight": 0, "DesiredInstanceCount": 2},
            {"VariantName": "b", "DesiredWeight": 3},
        ]
        jobs.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=wanted)
        described = at_rest(jobs, name)
        wait_until(more(answers, "live-b"), 60, "b answers")
        before = answers["live-a"]
        wait_until(more(answers, "live-b"), 60, "b goes on")
        assert answers["live-a"] <= before + CLIENTS, "a has no weight: no more than what was on its way"
    assert failures == []
    shown = {each["VariantName"]: each for each in described["ProductionVariants"]}
    assert (shown["a"]["CurrentWeight"], shown["a"]["CurrentInstanceCount"]) == (0.0, 2)
    assert says(jobs, name, TargetVariant="a") == ("a", "live-a")
    with pytest.raises(ClientError, match="Variant nobody not found"):
        says(jobs, name, TargetVariant="nobody")


def test_an_update_fails_no_request_under_load(jobs: Jobs) -> None:
    name = deploy(jobs, "updated", variant("v", model(jobs, "updated-1"), 2))
    second = configure(jobs, "updated-second", variant("v", model(jobs, "updated-2"), 2))
    with load(jobs, name) as (answers, failures):
        for config, answer in ((second, "updated-2"), (name, "updated-1")):
            jobs.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
            with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
                jobs.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
            at_rest(jobs, name)
            wait_until(more(answers, answer), 60, f"{answer} answers")
    assert failures == []
    assert sum(answers.values()) > 100


def test_a_replica_killed_every_second_under_load_fails_no_request_with_two(jobs: Jobs) -> None:
    """For a minute: tests/soak/test_replica_kills.py."""
    name = deploy(jobs, "killed", variant("v", model(jobs, "killed-1"), 2))
    before = serving(jobs, "killed-1")
    assert len(before) == 2
    with load(jobs, name) as (answers, failures):
        kill_every_second(jobs, "killed-1", KILLS)
        wait_until(partial(replaced, jobs, "killed-1", before), JOB_SECONDS, "both have been replaced")
        wait_until(lambda: counted(jobs, name) == 2, JOB_SECONDS, "there are two again")
        wait_until(more(answers, "killed-1"), 60, "the endpoint answers")
    assert not failures, f"{len(failures)} of {sum(answers.values())} requests failed: {failures[0]}"


def test_all_replicas_killed_under_load_fail_no_request_either(jobs: Jobs) -> None:
    """Who asks meanwhile waits for the next ones."""
    name = deploy(jobs, "all-killed", variant("v", model(jobs, "all-killed-1"), 2))
    with load(jobs, name) as (answers, failures):
        for _ in range(3):
            before = serving(jobs, "all-killed-1")
            for pid in before:
                os.kill(pid, signal.SIGKILL)
            wait_until(partial(replaced, jobs, "all-killed-1", before), JOB_SECONDS, "others have taken their places")
        wait_until(more(answers, "all-killed-1"), 60, "the endpoint answers")
    assert failures == []


def replaced(jobs: Jobs, model_name: str, before: list[int]) -> bool:
    """Whether all containers that serve it are others than before."""
    return len(set(serving(jobs, model_name)) - set(before)) == len(before)


def test_what_was_configured_may_be_deleted_under_a_live_endpoint(jobs: Jobs) -> None:
    name = deploy(jobs, "lasting", variant("v", model(jobs, "lasting-1")))
    jobs.sagemaker.delete_endpoint_config(EndpointConfigName=name)
    jobs.sagemaker.delete_model(ModelName="lasting-1")
    assert says(jobs, name) == ("v", "lasting-1")
    jobs.clary.down()
    jobs.clary.end_containers()
    jobs.clary.up()
    jobs.__post_init__()

    def answers() -> bool:
        try:
            return says(jobs, name) == ("v", "lasting-1")
        except ClientError:
            return False

    wait_until(answers, JOB_SECONDS, "it answers after a restart without its containers")
    assert jobs.sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"] == name


def test_a_model_that_does_not_load_fails_with_the_last_lines_of_its_log(jobs: Jobs) -> None:
    name = deploy(jobs, "crashing", variant("v", model(jobs, "crashing-1", fails=True)))
    described = jobs.sagemaker.describe_endpoint(EndpointName=name)
    assert described["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in described["FailureReason"]
    assert "the model of crashing-1 does not load" in described["FailureReason"]
    jobs.sagemaker.delete_endpoint(EndpointName=name)


def test_a_failing_update_goes_back_and_says_why(jobs: Jobs) -> None:
    name = deploy(jobs, "staying", variant("v", model(jobs, "staying-1")))
    bad = configure(jobs, "staying-bad", variant("v", model(jobs, "staying-2", fails=True)))
    with load(jobs, name) as (_, failures):
        jobs.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=bad)
        described = at_rest(jobs, name)
    assert failures == []
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", name)
    assert "the model of staying-2 does not load" in described["FailureReason"]
    assert says(jobs, name) == ("v", "staying-1")


def test_a_name_is_free_at_once_and_a_new_endpoint_is_not_deleted(jobs: Jobs) -> None:
    name = deploy(jobs, "again", variant("v", model(jobs, "again-1")))
    second = configure(jobs, "again-second", variant("v", model(jobs, "again-2")))
    jobs.sagemaker.delete_endpoint(EndpointName=name)
    jobs.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=second)
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        jobs.sagemaker.delete_endpoint(EndpointName=name)
    at_rest(jobs, name)
    assert says(jobs, name) == ("v", "again-2")


def test_a_policy_on_an_endpoint_lets_in_and_shuts_out_until_the_endpoint_is_gone(jobs: Jobs) -> None:
    name = deploy(jobs, "guarded", variant("v", model(jobs, "guarded-1")))
    arn = jobs.sagemaker.describe_endpoint(EndpointName=name)["EndpointArn"]
    ann, own = _user_without_rights(jobs)
    said = {"Principal": {"AWS": own}, "Action": "sagemaker:InvokeEndpoint", "Resource": arn}

    lets_in = json.dumps({"Version": "2012-10-17", "Statement": [{**said, "Effect": "Allow"}]})
    [of_page] = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)

    def put(policy: str) -> None:
        jobs.sagemaker.put_endpoint_policy(EndpointName=name, ResourcePolicy=policy)

    def may() -> bool:
        try:
            return bool(ann.invoke_endpoint(EndpointName=name, Body=b"x")["Body"].read())
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDeniedException"
            return False

    assert not may()
    put(lets_in)
    assert may()
    put(of_page.replace("churn", name))
    assert not may()
    put(lets_in)
    jobs.sagemaker.delete_endpoint(EndpointName=name)
    jobs.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    assert not may()
    at_rest(jobs, name)


def _user_without_rights(jobs: Jobs) -> tuple[Any, str]:
    """Its client of the runtime, and its ARN."""
    iam = jobs.clary.client("iam")
    arn = iam.create_user(UserName="ann")["User"]["Arn"]
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=jobs.clary.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    return client, arn


def test_headers_and_large_bodies_travel(jobs: Jobs) -> None:
    name = jobs.deploy("large")
    body = json.dumps([[1.5] * 1_000_000]).encode()[: 6_291_456 - 100]
    body = body[: body.rfind(b",")] + b"]]"
    answer = jobs.runtime.invoke_endpoint(
        EndpointName=name, ContentType="application/json", Body=body, InferenceId="i", CustomAttributes="c"
    )
    assert len(json.loads(answer["Body"].read())[0]) == len(json.loads(body)[0])
    with pytest.raises(ClientError) as raised:
        jobs.runtime.invoke_endpoint(EndpointName=name, ContentType="application/json", Body=b"[" * 6_291_457)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    with pytest.raises(ClientError) as raised:
        jobs.runtime.invoke_endpoint(EndpointName=name, ContentType="application/json", Body=b"no json")
    assert raised.value.response["OriginalStatusCode"] >= 400
    assert raised.value.response["Error"]["Code"] == "ModelError"
