"""Serverless endpoints of a started Clary through boto3: cold and warm, bursts, crashes, and nothing that is left."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.running import RunningClary, wait_until
from tests.system.endpoints import at_rest, configure, load, model, more, serving
from tests.system.jobs import BUCKET, JOB_SECONDS, SKLEARN, Jobs, packed

pytestmark = [pytest.mark.system]

IDLE_SECONDS = 1

SAYS = """\
import json, os, time

TOKEN = os.urandom(8).hex()

def model_fn(model_dir):
    return {name!r}

def transform_fn(model, data, content_type, accept):
    print("asked to", data.decode(), flush=True)
    while data == b"stay" and not os.path.exists("/opt/ml/model/code/go"):
        time.sleep(0.01)
    return json.dumps([model, TOKEN]), "application/json"
"""


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    with RunningClary(tmp_path_factory.mktemp("clary"), "--serverless-idle", str(IDLE_SECONDS)) as running:
        yield Jobs(running)


def put(jobs: Jobs, name: str) -> None:
    body = packed({"model": "", "code/inference.py": SAYS.format(name=name)})
    jobs.s3.put_object(Bucket=BUCKET, Key=f"{name}/model.tar.gz", Body=body)


def serverless(model_name: str, most: int = 4, **more: int) -> dict[str, Any]:
    config = {"MemorySizeInMB": 1024, "MaxConcurrency": most, **more}
    return {"VariantName": "v", "ModelName": model_name, "ServerlessConfig": config}


def deploy(jobs: Jobs, name: str, most: int = 4, **more: int) -> str:
    """A serverless endpoint whose replicas say which they are."""
    put(jobs, name)
    env = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    container = {"Image": SKLEARN, "ModelDataUrl": f"s3://{BUCKET}/{name}/model.tar.gz", "Environment": env}
    jobs.sagemaker.create_model(ModelName=name, ExecutionRoleArn=jobs.role, PrimaryContainer=container)
    configure(jobs, name, serverless(name, most, **more))
    jobs.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    assert at_rest(jobs, name)["EndpointStatus"] == "InService"
    return name


def says(jobs: Jobs, name: str, asked: str = "answer") -> str:
    """Which replica answers, at once, or when it is let `go`."""
    answer = jobs.runtime.invoke_endpoint(EndpointName=name, Body=asked.encode())
    said, token = json.loads(answer["Body"].read())
    assert said == name
    return str(token)


def let_go(jobs: Jobs, name: str) -> None:
    """Replicas that were asked to stay answer now."""
    for folder in (jobs.clary.data_dir / "run" / "containers").glob("*"):
        with suppress(OSError):  # it is just being removed
            for path in folder.rglob("inference.py"):
                if name in path.read_text():
                    (path.parent / "go").touch()


def nothing_runs(jobs: Jobs, name: str) -> None:
    wait_until(lambda: not serving(jobs, name), JOB_SECONDS, f"no container of {name} is left")


def reported(jobs: Jobs, name: str, metric: str) -> float:
    """How often CloudWatch was told of it."""
    found = jobs.clary.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "v"}],
        StartTime=time.time() - 600,
        EndTime=time.time() + 60,
        Period=60,
        Statistics=["SampleCount"],
    )
    return sum(point["SampleCount"] for point in found["Datapoints"])


def log(jobs: Jobs, name: str) -> str:
    found = jobs.clary.client("logs").filter_log_events(logGroupName=f"/aws/sagemaker/Endpoints/{name}")
    return "\n".join(event["message"] for event in found["events"])


def test_it_starts_for_a_request_and_ends_when_nobody_asks(jobs: Jobs) -> None:
    name = deploy(jobs, "cold")
    nothing_runs(jobs, name)
    (shown,) = jobs.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    assert shown["CurrentServerlessConfig"] == {"MemorySizeInMB": 1024, "MaxConcurrency": 4}
    first = says(jobs, name)
    wait_until(lambda: says(jobs, name) == says(jobs, name), JOB_SECONDS, "the second finds it warm")
    nothing_runs(jobs, name)
    assert says(jobs, name) != first
    wait_until(lambda: reported(jobs, name, "ModelSetupTime") >= 2, JOB_SECONDS, "CloudWatch is told of both")
    used = "ServerlessConcurrentExecutionsUtilization"
    wait_until(lambda: reported(jobs, name, used) >= 4, JOB_SECONDS, "and of all four")
    jobs.sagemaker.delete_endpoint(EndpointName=name)
    nothing_runs(jobs, name)


def test_requests_at_once_have_a_replica_each_and_one_too_many_is_throttled(jobs: Jobs) -> None:
    name = deploy(jobs, "burst", most=2)
    with ThreadPoolExecutor(2) as clients:
        asking = [clients.submit(says, jobs, name, "stay") for _ in range(2)]
        wait_until(lambda: log(jobs, name).count("asked to stay") == 2, JOB_SECONDS, "two replicas are asked")
        with pytest.raises(ClientError) as throttled:
            says(jobs, name)
        assert throttled.value.response["Error"]["Code"] == "ThrottlingException"
        assert throttled.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        let_go(jobs, name)
        assert len({each.result() for each in asking}) == 2
    says(jobs, name)


def test_what_is_provisioned_stays_and_is_replaced(jobs: Jobs) -> None:
    name = deploy(jobs, "provisioned", ProvisionedConcurrency=1)
    assert len(serving(jobs, name)) == 1
    first = says(jobs, name)
    with ThreadPoolExecutor(2) as clients:
        asking = [clients.submit(says, jobs, name, "stay") for _ in range(2)]
        wait_until(lambda: log(jobs, name).count("asked to stay") == 2, JOB_SECONDS, "there is another beside it")
        let_go(jobs, name)
        assert first in {each.result() for each in asking}
    wait_until(lambda: len(serving(jobs, name)) == 1, JOB_SECONDS, "the one beside it, or it, is let go")
    first = says(jobs, name)
    (process,) = serving(jobs, name)
    os.kill(process, signal.SIGKILL)
    wait_until(lambda: set(serving(jobs, name)) - {process}, JOB_SECONDS, "another takes its place")
    assert says(jobs, name) != first
    scaling = jobs.clary.client("application-autoscaling")
    target = {"ResourceId": f"endpoint/{name}/variant/v", "ServiceNamespace": "sagemaker"}
    target["ScalableDimension"] = "sagemaker:variant:DesiredProvisionedConcurrency"
    scaling.register_scalable_target(MinCapacity=2, MaxCapacity=3, **target)
    wait_until(lambda: len(serving(jobs, name)) == 2, JOB_SECONDS, "the new minimum is provisioned")
    activities = scaling.describe_scaling_activities(**target)["ScalingActivities"]
    assert [each["Cause"] for each in activities] == ["minimum capacity was set to 2"]


def test_a_replica_that_dies_with_a_request_is_asked_no_more_but_another_is(jobs: Jobs) -> None:
    name = deploy(jobs, "crash")
    with ThreadPoolExecutor(1) as clients:
        asking = clients.submit(says, jobs, name, "stay")
        wait_until(lambda: "asked to stay" in log(jobs, name), JOB_SECONDS, "it is asked")
        wait_until(lambda: len(serving(jobs, name)) == 1, JOB_SECONDS, "the one by which it was deployed has ended")
        (process,) = serving(jobs, name)
        os.kill(process, signal.SIGKILL)
        wait_until(lambda: log(jobs, name).count("asked to stay") == 2, JOB_SECONDS, "another is asked")
        let_go(jobs, name)
        asking.result()


def test_a_model_that_cannot_be_had_any_more_is_said_to_who_asks(jobs: Jobs) -> None:
    name = deploy(jobs, "lost")
    jobs.s3.delete_object(Bucket=BUCKET, Key=f"{name}/model.tar.gz")
    with pytest.raises(ClientError, match="Could not find the object") as refused:
        says(jobs, name)
    assert refused.value.response["Error"]["Code"] == "ModelError"
    nothing_runs(jobs, name)
    put(jobs, name)
    says(jobs, name)


def test_a_model_that_does_not_load_is_no_endpoint(jobs: Jobs) -> None:
    broken = model(jobs, "broken", fails=True)
    configure(jobs, broken, serverless(broken))
    jobs.sagemaker.create_endpoint(EndpointName=broken, EndpointConfigName=broken)
    described = at_rest(jobs, broken)
    assert described["EndpointStatus"] == "Failed"
    assert "Unable to successfully stand up your model within the allotted 180 second" in described["FailureReason"]
    assert "the model of broken does not load" in described["FailureReason"]


def test_an_update_fails_no_request(jobs: Jobs) -> None:
    name = configure(jobs, "updated", serverless(model(jobs, "updated-1"), most=8))
    second = configure(jobs, "updated-second", serverless(model(jobs, "updated-2"), most=8))
    jobs.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    at_rest(jobs, name)
    with load(jobs, name) as (answers, failures):
        wait_until(more(answers, "updated-1"), JOB_SECONDS, "the first answers")
        jobs.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=second)
        at_rest(jobs, name)
        wait_until(more(answers, "updated-2"), JOB_SECONDS, "the second answers")
    assert failures == []
    nothing_runs(jobs, "updated-")
