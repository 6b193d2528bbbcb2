"""Inference components of a started Clary: models with copies of their own on the instances of one endpoint."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.running import RunningClary, wait_until
from tests.system.endpoints import at_rest, load, model, more, serving
from tests.system.jobs import BUCKET, JOB_SECONDS, SKLEARN, Jobs, packed

pytestmark = [pytest.mark.system]

SECONDS = 60
NEEDS = {"NumberOfCpuCoresRequired": 0.5, "MinMemoryRequiredInMb": 512}
"""Of an ml.m5.large, which has two cores, four copies."""


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Iterator[Jobs]:
    yield Jobs(shared)


def hosting(jobs: Jobs, name: str, count: int = 1, **more: Any) -> str:
    """An endpoint without a model."""
    variant = {"VariantName": "AllTraffic", "InstanceType": "ml.m5.large", "InitialInstanceCount": count, **more}
    jobs.sagemaker.create_endpoint_config(
        EndpointConfigName=name, ExecutionRoleArn=jobs.role, ProductionVariants=[variant]
    )
    jobs.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    assert at_rest(jobs, name)["EndpointStatus"] == "InService"
    return name


def create(jobs: Jobs, name: str, endpoint: str, specification: dict[str, Any], copies: int = 1) -> None:
    jobs.sagemaker.create_inference_component(
        InferenceComponentName=name,
        EndpointName=endpoint,
        VariantName="AllTraffic",
        Specification={"ComputeResourceRequirements": NEEDS, **specification},
        RuntimeConfig={"CopyCount": copies},
    )


def settled(jobs: Jobs, name: str, status: str = "InService") -> Any:
    """Wait until no change is under way; the description. Control may be started anew meanwhile."""

    def rested() -> Any:
        try:
            found = jobs.sagemaker.describe_inference_component(InferenceComponentName=name)
        except (BotoCoreError, ClientError):
            return None
        return found if found["InferenceComponentStatus"] in ("InService", "Failed") else None

    found = wait_until(rested, JOB_SECONDS, f"{name} is at rest")
    assert found["InferenceComponentStatus"] == status, found
    return found


def deployed(jobs: Jobs, name: str, endpoint: str, copies: int = 1) -> str:
    """A component whose model answers its own name."""
    create(jobs, name, endpoint, {"ModelName": model(jobs, name)}, copies)
    settled(jobs, name)
    return name


def says(jobs: Jobs, endpoint: str, component: str) -> str:
    """What the component answers."""
    answer = jobs.runtime.invoke_endpoint(EndpointName=endpoint, InferenceComponentName=component, Body=b"x")
    text: str = json.loads(answer["Body"].read())
    return text


def invocations(jobs: Jobs, component: str) -> float:
    found = jobs.clary.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[{"Name": "InferenceComponentName", "Value": component}],
        StartTime=time.time() - 1800,
        EndTime=time.time() + 60,
        Period=3600,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in found["Datapoints"]))


def test_components_share_an_endpoint_and_are_named_by_requests(jobs: Jobs) -> None:
    endpoint = hosting(jobs, "shared")
    for name in ("first", "second"):
        deployed(jobs, name, endpoint)
    assert [says(jobs, endpoint, name) for name in ("first", "second")] == ["first", "second"]
    with pytest.raises(ClientError, match="Inference Component Name header is required for endpoints"):
        jobs.runtime.invoke_endpoint(EndpointName=endpoint, Body=b"x")
    with pytest.raises(ClientError, match="Inference Component third of endpoint shared"):
        says(jobs, endpoint, "third")
    other = hosting(jobs, "unshared")
    with pytest.raises(ClientError, match="Inference Component first of endpoint unshared"):
        says(jobs, other, "first")
    group = "/aws/sagemaker/InferenceComponents/first"
    wait_until(lambda: jobs.clary.run("logs", "first", check=False).stdout, SECONDS, "its log is shown")
    streams = jobs.clary.client("logs").describe_log_streams(logGroupName=group)["logStreams"]
    assert [each["logStreamName"].split("/")[0] for each in streams] == ["AllTraffic"]
    with pytest.raises(ClientError, match="inference components attached"):
        jobs.sagemaker.delete_endpoint(EndpointName=endpoint)
    for name in ("first", "second"):
        jobs.sagemaker.delete_inference_component(InferenceComponentName=name)
    with pytest.raises(ClientError, match="Could not find inference component"):
        jobs.sagemaker.describe_inference_component(InferenceComponentName="first")
    jobs.sagemaker.delete_endpoint(EndpointName=endpoint)


def test_a_component_is_asked_through_an_endpoint_that_hosts_some_only(jobs: Jobs) -> None:
    jobs.deploy("classic")
    with pytest.raises(ClientError, match="Inference Component Name header is not allowed"):
        says(jobs, "classic", "first")


def test_copies_beyond_the_instances_fail_and_find_a_place_once_there_is_one(jobs: Jobs) -> None:
    endpoint = hosting(jobs, "crowded")
    deployed(jobs, "fits", endpoint, copies=2)
    create(jobs, "too-much", endpoint, {"ModelName": "fits"}, copies=3)
    assert "not enough hardware resources" in settled(jobs, "too-much", "Failed")["FailureReason"]
    jobs.sagemaker.delete_inference_component(InferenceComponentName="too-much")
    change = {"InferenceComponentName": "fits", "DesiredRuntimeConfig": {"CopyCount": 5}}
    jobs.sagemaker.update_inference_component_runtime_config(**change)
    shown = settled(jobs, "fits")
    assert shown["RuntimeConfig"] == {"DesiredCopyCount": 2, "CurrentCopyCount": 2}
    assert "not enough hardware resources" in shown["FailureReason"]
    counts = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]
    jobs.sagemaker.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=counts)
    at_rest(jobs, endpoint)
    jobs.sagemaker.update_inference_component_runtime_config(**change)
    assert settled(jobs, "fits")["RuntimeConfig"] == {"DesiredCopyCount": 5, "CurrentCopyCount": 5}
    jobs.sagemaker.update_inference_component_runtime_config(
        InferenceComponentName="fits", DesiredRuntimeConfig={"CopyCount": 0}
    )
    settled(jobs, "fits")
    with pytest.raises(ClientError, match="Inference Component has no capacity to process this request"):
        says(jobs, endpoint, "fits")
    jobs.clary.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId="inference-component/fits",
        ScalableDimension="sagemaker:inference-component:DesiredCopyCount",
        MinCapacity=1,
        MaxCapacity=2,
    )
    wait_until(lambda: settled(jobs, "fits")["RuntimeConfig"]["CurrentCopyCount"] == 1, JOB_SECONDS, "one is started")
    assert says(jobs, endpoint, "fits") == "fits"


def instances(jobs: Jobs, endpoint: str) -> tuple[int, int]:
    [shown] = jobs.sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
    return shown["CurrentInstanceCount"], shown["DesiredInstanceCount"]


def test_managed_scaling_brings_instances_with_the_copies_and_takes_them_away(jobs: Jobs) -> None:
    scaling = {"Status": "ENABLED", "MinInstanceCount": 1, "MaxInstanceCount": 2}
    endpoint = hosting(jobs, "managed", ManagedInstanceScaling=scaling)
    deployed(jobs, "growing", endpoint, copies=5)
    wait_until(lambda: instances(jobs, endpoint) == (2, 2), SECONDS, "there is a second instance")
    create(jobs, "beyond", endpoint, {"ModelName": "growing"}, copies=4)
    settled(jobs, "beyond", "Failed")
    jobs.sagemaker.update_inference_component_runtime_config(
        InferenceComponentName="growing", DesiredRuntimeConfig={"CopyCount": 1}
    )
    settled(jobs, "growing")
    wait_until(lambda: instances(jobs, endpoint) == (1, 1), SECONDS, "and none any more")


def test_an_update_replaces_the_copies_without_a_failed_request_also_one_by_one(jobs: Jobs) -> None:
    endpoint = hosting(jobs, "updated")
    deployed(jobs, "before", endpoint, copies=3)
    model(jobs, "after")
    with load(jobs, endpoint, InferenceComponentName="before") as (answers, failures):
        jobs.sagemaker.update_inference_component(InferenceComponentName="before", Specification={"ModelName": "after"})
        shown = settled(jobs, "before")
        assert shown["Specification"]["ModelName"] == "after"
        wait_until(more(answers, "after"), SECONDS, "what is new answers")
    assert failures == []
    assert set(answers) == {"before", "after"}
    assert says(jobs, endpoint, "before") == "after"
    wait_until(lambda: invocations(jobs, "before") > 40, SECONDS, "requests are counted for the component")


LEAKS = """\
import json, os

BORN = os.urandom(8).hex()
KEPT = []

def model_fn(model_dir):
    return None

def input_fn(data, content_type):
    return data

def predict_fn(data, model):
    KEPT.append(b"x" * 64 * 2**20)
    return BORN

def output_fn(prediction, accept):
    return json.dumps(prediction), "application/json"
"""


def test_copies_that_leak_are_ended_and_replaced_and_no_request_fails(jobs: Jobs) -> None:
    endpoint = hosting(jobs, "leaking")
    body = packed({"model": "", "code/inference.py": LEAKS})
    jobs.s3.put_object(Bucket=BUCKET, Key="leak/model.tar.gz", Body=body)
    environment = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    container = {"Image": SKLEARN, "ArtifactUrl": f"s3://{BUCKET}/leak/model.tar.gz", "Environment": environment}
    needs = {**NEEDS, "MaxMemoryRequiredInMb": NEEDS["MinMemoryRequiredInMb"]}
    create(jobs, "leak", endpoint, {"Container": container, "ComputeResourceRequirements": needs}, copies=2)
    settled(jobs, "leak")
    born = set[str]()
    for _ in range(50):
        born.add(says(jobs, endpoint, "leak"))
        if len(born) == 4:
            break
    assert len(born) == 4, "two copies, and two that took their places"
    jobs.sagemaker.delete_inference_component(InferenceComponentName="leak")


def test_kill_9_of_control_in_the_middle_of_an_update_is_survived(jobs: Jobs) -> None:
    endpoint = hosting(jobs, "survivor")
    container = {
        "Image": SKLEARN,
        "ArtifactUrl": f"s3://{BUCKET}/{model(jobs, 'killed')}/model.tar.gz",
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
    }
    create(jobs, "killed", endpoint, {"Container": container})
    settled(jobs, "killed")
    jobs.sagemaker.update_inference_component(
        InferenceComponentName="killed", Specification={"ModelName": model(jobs, "revived")}
    )
    jobs.clary.kill("control")
    settled(jobs, "killed")
    assert says(jobs, endpoint, "killed") == "revived"
    jobs.sagemaker.delete_inference_component(InferenceComponentName="killed")
    wait_until(lambda: not serving(jobs, "revived"), SECONDS, "and its copies have ended")
