"""Asynchronous endpoints of a started Clary: what was acknowledged is answered, whatever is killed."""

from __future__ import annotations

import base64
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.running import RunningClary, wait_until
from tests.system.endpoints import at_rest, configure, serving, variant
from tests.system.jobs import BUCKET, SKLEARN, Jobs, packed
from tests.system.test_topics import bodies, queue, topic

pytestmark = [pytest.mark.system]

SECONDS = 60
TOPICS = ("succeeded", "failed")
NAME = "later"

# numbered requests: it waits, fails or ends as it is asked to
MODEL = """\
import json, os, time

def model_fn(model_dir):
    return "slow-model"

def input_fn(data, content_type):
    return json.loads(data)

def predict_fn(asked, model):
    time.sleep(asked.get("seconds", 0))
    if asked.get("fails"):
        raise ValueError("on purpose")
    return asked["number"]

def output_fn(prediction, accept):
    return json.dumps({"answer": prediction}), "application/json"
"""


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Iterator[Jobs]:
    jobs = Jobs(shared)
    jobs.encrypt()
    yield jobs


@pytest.fixture(scope="module")
def queues(jobs: Jobs) -> dict[str, str]:
    """The URL of a queue that hears what is said of requests, by topic."""
    urls = {}
    for name in TOPICS:
        urls[name], arn = queue(jobs.clary, name)
        topic(jobs.clary, name, "sqs", arn, RawMessageDelivery="true")
    return urls


@pytest.fixture(scope="module")
def model(jobs: Jobs) -> str:
    body = packed({"model": "", "code/inference.py": MODEL})
    jobs.s3.put_object(Bucket=BUCKET, Key="slow-model/model.tar.gz", Body=body)
    env = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    container = {"Image": SKLEARN, "ModelDataUrl": f"s3://{BUCKET}/slow-model/model.tar.gz", "Environment": env}
    jobs.sagemaker.create_model(ModelName="slow-model", ExecutionRoleArn=jobs.role, PrimaryContainer=container)
    return "slow-model"


def config(concurrency: int = 2) -> dict[str, Any]:
    arn = "arn:aws:sns:us-east-1:000000000000:"
    notified = {
        "SuccessTopic": f"{arn}succeeded",
        "ErrorTopic": f"{arn}failed",
        "IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"],
    }
    paths = {"S3OutputPath": f"s3://{BUCKET}/answers", "S3FailurePath": f"s3://{BUCKET}/failures"}
    return {
        "OutputConfig": {**paths, "NotificationConfig": notified},
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": concurrency},
    }


@pytest.fixture(scope="module")
def endpoint(jobs: Jobs, model: str, queues: dict[str, str]) -> str:
    configure(jobs, NAME, variant("all", model), AsyncInferenceConfig=config())
    jobs.sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    shown = at_rest(jobs, NAME)
    assert shown["EndpointStatus"] == "InService", shown
    assert shown["AsyncInferenceConfig"] == config()
    assert jobs.sagemaker.describe_endpoint_config(EndpointConfigName=NAME)["AsyncInferenceConfig"] == config()
    return NAME


def ask(jobs: Jobs, number: int, endpoint: str = NAME, **asked: Any) -> dict[str, Any]:
    """One request, whose input is an object."""
    key = f"questions/{endpoint}-{number}"
    options = {name: asked.pop(name) for name in list(asked) if name[0].isupper()}
    jobs.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps({"number": number, **asked}))
    place = f"s3://{BUCKET}/{key}"
    return dict(jobs.runtime.invoke_endpoint_async(EndpointName=endpoint, InputLocation=place, **options))


def found(jobs: Jobs, uri: str) -> Any:
    """The object, once it is there."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")

    def there() -> Any:
        try:
            return jobs.s3.get_object(Bucket=bucket, Key=key)
        except (ClientError, BotoCoreError):  # not yet, or Clary is being started
            return None

    return wait_until(there, SECONDS, f"{uri} is there")


def waiting(jobs: Jobs) -> list[Path]:
    """The files of requests that are not done."""
    return list((jobs.clary.data_dir / "asynchronous").glob("*.json"))


def metric(jobs: Jobs, name: str, statistic: str = "Sum", **dimensions: str) -> float:
    answer = jobs.clary.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=name,
        Dimensions=[{"Name": each, "Value": value} for each, value in dimensions.items()],
        StartTime=time.time() - 1800,
        EndTime=time.time() + 60,
        Period=3600,
        Statistics=[statistic],
    )
    return float(sum(point[statistic] for point in answer["Datapoints"]))


def test_the_answer_becomes_an_object_and_a_topic_is_told(jobs: Jobs, endpoint: str, queues: dict[str, str]) -> None:
    params = {"ContentType": "application/json", "Accept": "application/json", "CustomAttributes": "c=7"}
    answer = ask(jobs, 1, InferenceId="first", **params)
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["InferenceId"]) == (202, "first")
    assert answer["OutputLocation"].startswith(f"s3://{BUCKET}/answers/")
    assert answer["FailureLocation"].startswith(f"s3://{BUCKET}/failures/")
    written = found(jobs, answer["OutputLocation"])
    assert (json.loads(written["Body"].read()), written["ContentType"]) == ({"answer": 1}, "application/json")
    assert jobs.encrypted("questions/") == jobs.encrypted("answers/") == {"aws:kms"}
    [said] = (json.loads(body) for body in bodies(jobs.clary, queues["succeeded"]))
    assert (said.pop("eventTime") >= said.pop("receivedTime")) is True
    assert json.loads(base64.b64decode(said["responseBody"].pop("content"))) == {"answer": 1}
    assert said == {
        "awsRegion": "us-east-1",
        "invocationStatus": "Completed",
        "requestParameters": {
            "accept": "application/json",
            "contentType": "application/json",
            "customAttributes": "c=7",
            "endpointName": endpoint,
            "inputLocation": f"s3://{BUCKET}/questions/{endpoint}-1",
        },
        "responseParameters": {"contentType": "application/json", "outputLocation": answer["OutputLocation"]},
        "responseBody": {
            "message": "Check S3 path location(if configured) or Cloudwatch for additional details.",
            "encoding": "BASE64",
        },
        "inferenceId": "first",
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    inline = jobs.runtime.invoke_endpoint_async(
        EndpointName=endpoint, Body=b'{"number": 2}', S3OutputPathExtension="today", Filename="second.json"
    )
    assert inline["OutputLocation"] == f"s3://{BUCKET}/answers/today/second.json"
    assert inline["FailureLocation"] == f"s3://{BUCKET}/failures/today/second-error.json"
    assert json.loads(found(jobs, inline["OutputLocation"])["Body"].read()) == {"answer": 2}
    wait_until(lambda: not waiting(jobs), SECONDS, "nothing is left of them")


def test_a_failure_becomes_an_object_and_a_topic_is_told(jobs: Jobs, endpoint: str, queues: dict[str, str]) -> None:
    answer = ask(jobs, 3, fails=True, InferenceId="third")
    assert b"on purpose" in found(jobs, answer["FailureLocation"])["Body"].read()
    [said] = (json.loads(body) for body in bodies(jobs.clary, queues["failed"]))
    assert (said["invocationStatus"], said["inferenceId"], "responseBody" in said) == ("Failed", "third", False)
    assert said["failureReason"] == (
        "ClientError: Received server error (500) from model. "
        "See the SageMaker Endpoint logs in your account for more information."
    )
    missing = jobs.runtime.invoke_endpoint_async(EndpointName=endpoint, InputLocation=f"s3://{BUCKET}/nothing")
    assert b"Unable to download the request" in found(jobs, missing["FailureLocation"])["Body"].read()
    named = {"EndpointName": endpoint, "VariantName": "all"}
    wait_until(lambda: metric(jobs, "InvocationFailures", **named) == 2, SECONDS, "failures are counted")
    counted = [metric(jobs, name, **named) for name in ("RequestDownloadFailures", "Invocation5XXErrors")]
    assert counted == [1, 1], "of the same report"
    assert metric(jobs, "InvocationsProcessed", **named) >= 2
    assert metric(jobs, "Invocations", **named) == 0, "AWS does not report it of asynchronous endpoints"
    said_of_it = '[third] Received server error (500) from primary with message "'
    wait_until(lambda: any(said_of_it in line for line in data_log(jobs, endpoint)), SECONDS, "the log says so")


def data_log(jobs: Jobs, endpoint: str) -> list[str]:
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    found = jobs.clary.client("logs").filter_log_events(logGroupName=group, logStreamNames=["all/data-log"])
    return [event["message"] for event in found["events"]]


def test_what_was_acknowledged_is_answered_whatever_is_killed(jobs: Jobs, endpoint: str) -> None:
    answers = {number: ask(jobs, number, seconds=0.2) for number in range(100, 116)}
    for pid in serving(jobs, "slow-model"):
        os.kill(pid, signal.SIGKILL)
    jobs.clary.kill("edge")
    ready = wait_until(lambda: acknowledged(jobs, 124), SECONDS, "one more is accepted")
    answers[124] = ready
    late = ask(jobs, 125, seconds=20, RequestTTLSeconds=60)
    jobs.clary.kill("supervisor", "edge", "control", "launcher")
    [file] = [path for path in waiting(jobs) if late["OutputLocation"] in path.read_text()]
    file.write_text(json.dumps({**json.loads(file.read_text()), "accepted": time.time() - 100}))
    jobs.clary.up()
    for number, answer in answers.items():
        assert json.loads(found(jobs, answer["OutputLocation"])["Body"].read()) == {"answer": number}
    assert b"more than 60 seconds" in found(jobs, late["FailureLocation"])["Body"].read()
    wait_until(lambda: not waiting(jobs), SECONDS, "nothing is left of them")


def acknowledged(jobs: Jobs, number: int) -> dict[str, Any] | None:
    try:
        return ask(jobs, number)
    except (ClientError, BotoCoreError):
        return None


def test_a_deleted_endpoint_takes_its_queue_with_it(jobs: Jobs, endpoint: str, model: str) -> None:
    name = "deleted"
    configure(jobs, name, variant("all", model), AsyncInferenceConfig=config(1))
    jobs.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    at_rest(jobs, name)
    answers = [ask(jobs, number, name, seconds=600) for number in range(3)]
    assert len(waiting(jobs)) == len(answers)
    jobs.sagemaker.delete_endpoint(EndpointName=name)
    wait_until(lambda: not waiting(jobs), SECONDS, "what was to be asked of it is dropped")
    with pytest.raises(ClientError, match="Endpoint deleted of account 000000000000 not found"):
        ask(jobs, 4, name)


def test_what_aws_refuses_is_refused(jobs: Jobs, endpoint: str, model: str) -> None:
    with pytest.raises(ClientError, match="is asynchronous: use InvokeEndpointAsync"):
        jobs.runtime.invoke_endpoint(EndpointName=endpoint, Body=b"x")
    configure(jobs, "at-once", variant("all", model))
    with pytest.raises(ClientError, match="The AsyncInferenceConfig parameter cannot be removed from this endpoint"):
        jobs.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName="at-once")
    with pytest.raises(ClientError, match="One or more endpoint features are not supported using this configuration"):
        configure(jobs, "two", variant("a", model), variant("b", model), AsyncInferenceConfig=config())
    with pytest.raises(ClientError, match="provide exactly one of them"):
        jobs.runtime.invoke_endpoint_async(EndpointName=endpoint)


def test_an_endpoint_without_instances_keeps_what_it_is_asked(jobs: Jobs, endpoint: str) -> None:
    place = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/all",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling = jobs.clary.client("application-autoscaling")
    scaling.register_scalable_target(**place, MinCapacity=0, MaxCapacity=0)
    wait_until(lambda: not instances(jobs), SECONDS, "it has no instance any more")
    answer = ask(jobs, 200)
    named = {"EndpointName": endpoint}
    for name in ("HasBacklogWithoutCapacity", "ApproximateBacklogSize"):
        wait_until(lambda name=name: metric(jobs, name, "Maximum", **named) >= 1, SECONDS, "that is known")  # type: ignore[misc]
    scaling.register_scalable_target(**place, MinCapacity=1, MaxCapacity=1)
    assert json.loads(found(jobs, answer["OutputLocation"])["Body"].read()) == {"answer": 200}


def instances(jobs: Jobs) -> int:
    shown = jobs.sagemaker.describe_endpoint(EndpointName=NAME)
    count: int = shown["ProductionVariants"][0]["CurrentInstanceCount"]
    return count or shown["EndpointStatus"] != "InService"
