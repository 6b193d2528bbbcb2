"""Endpoints of a started Clary through boto3: several variants, live changes under load, and what goes wrong."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.running import RunningClary, wait_until
from tests.system.jobs import BUCKET, JOB_SECONDS, SKLEARN, Jobs, packed

pytestmark = [pytest.mark.system]

CLIENTS = 4

SAYS = """\
import json, os, sys

def model_fn(model_dir):
    if {fails!r}:
        sys.exit("the model of {name} does not load")
    return {name!r}

def input_fn(data, content_type):
    return data

def predict_fn(data, model):
    return model

def output_fn(prediction, accept):
    return json.dumps(prediction), "application/json"
"""


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Iterator[Jobs]:
    yield Jobs(shared)


def model(jobs: Jobs, name: str, *, fails: bool = False) -> str:
    """A model that answers its own name."""
    source = SAYS.format(name=name, fails=fails)
    body = packed({"model": "", "code/inference.py": source})
    jobs.s3.put_object(Bucket=BUCKET, Key=f"{name}/model.tar.gz", Body=body)
    env = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    container = {"Image": SKLEARN, "ModelDataUrl": f"s3://{BUCKET}/{name}/model.tar.gz", "Environment": env}
    jobs.sagemaker.create_model(ModelName=name, ExecutionRoleArn=jobs.role, PrimaryContainer=container)
    return name


def variant(name: str, model_name: str, count: int = 1, weight: float = 1.0) -> dict[str, Any]:
    shared = {"InstanceType": "ml.m5.large", "InitialInstanceCount": count, "InitialVariantWeight": weight}
    return {"VariantName": name, "ModelName": model_name, **shared}


def configure(jobs: Jobs, name: str, *variants: dict[str, Any]) -> str:
    jobs.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=list(variants))
    return name


def deploy(jobs: Jobs, name: str, *variants: dict[str, Any]) -> str:
    jobs.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=configure(jobs, name, *variants))
    at_rest(jobs, name)
    return name


def at_rest(jobs: Jobs, name: str) -> Any:
    """Wait until no change is under way; the description."""

    def rested() -> Any:
        found = jobs.sagemaker.describe_endpoint(EndpointName=name)
        return found if found["EndpointStatus"] in ("InService", "Failed") else None

    return wait_until(rested, JOB_SECONDS, f"{name} is at rest")


def says(jobs: Jobs, name: str, **params: Any) -> tuple[str, str]:
    """The variant that answered, and which model it is."""
    answer = jobs.runtime.invoke_endpoint(EndpointName=name, Body=b"x", **params)
    return answer["InvokedProductionVariant"], json.loads(answer["Body"].read())


@contextmanager
def load(jobs: Jobs, name: str) -> Iterator[tuple[Counter[str], list[Exception]]]:
    """Clients that ask until the end: how often each model answered, and every failed request."""
    over, answers, failures = threading.Event(), Counter[str](), list[Exception]()

    def ask() -> None:
        runtime = jobs.clary.client("sagemaker-runtime")
        while not over.is_set():
            try:
                answers[json.loads(runtime.invoke_endpoint(EndpointName=name, Body=b"x")["Body"].read())] += 1
            except Exception as failure:
                failures.append(failure)

    with ThreadPoolExecutor(CLIENTS) as clients:
        for _ in range(CLIENTS):
            clients.submit(ask)
        try:
            wait_until(lambda: sum(answers.values()) > 20 or failures, 20, "the load is on")
            yield answers, failures
        finally:
            over.set()


def more(answers: Counter[str], of: str) -> Callable[[], bool]:
    """Whether this model has answered some more since now."""
    before = answers[of]
    return lambda: answers[of] > before + 20


def test_weights_and_counts_change_live_and_zero_is_none(jobs: Jobs) -> None:
    name = deploy(jobs, "live", variant("a", model(jobs, "live-a")), variant("b", model(jobs, "live-b")))
    with load(jobs, name) as (answers, failures):
        wait_until(lambda: len(answers) == 2, 20, "both variants answer")
        wanted = [
            {"VariantName": "a", "DesiredWeight": 0, "DesiredInstanceCount": 2},
            {"VariantName": "b", "DesiredWeight": 3},
        ]
        jobs.sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=wanted)
        described = at_rest(jobs, name)
        wait_until(more(answers, "live-b"), 20, "b answers")
        before = answers["live-a"]
        wait_until(more(answers, "live-b"), 20, "b goes on")
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
            wait_until(more(answers, answer), 30, f"{answer} answers")
    assert failures == []
    assert sum(answers.values()) > 100


def test_a_replica_killed_under_load_fails_no_request_with_two(jobs: Jobs) -> None:
    name = deploy(jobs, "killed", variant("v", model(jobs, "killed-1"), 2))
    folders = jobs.clary.data_dir / "run" / "containers"
    mine = [handle for handle in folders.glob("*/handle.json") if holds(handle.parent, "killed-1")]
    assert len(mine) == 2
    with load(jobs, name) as (answers, failures):
        os.kill(json.loads(mine[0].read_text())["pid"], signal.SIGKILL)
        wait_until(lambda: counted(jobs, name) < 2, 20, "its end is seen")
        wait_until(lambda: counted(jobs, name) == 2, JOB_SECONDS, "it is replaced")
        wait_until(more(answers, "killed-1"), 20, "the endpoint answers")
    assert failures == []


def holds(container: Any, name: str) -> bool:
    return any(name in path.read_text() for path in container.rglob("inference.py"))


def counted(jobs: Jobs, name: str) -> int:
    (shown,) = jobs.sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    count: int = shown["CurrentInstanceCount"]
    return count


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
