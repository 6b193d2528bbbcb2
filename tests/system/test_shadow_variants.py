"""Shadow variants of a started Clary: they are asked what production is asked, and nobody notices."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.running import RunningClary, wait_until
from tests.system.endpoints import at_rest, configure, deploy, load, model, more, says, serving, variant
from tests.system.jobs import BUCKET, Jobs

pytestmark = [pytest.mark.system]

ASKED = 400
SIGMAS = 5.0
SECONDS = 60
CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": f"s3://{BUCKET}/mirrored",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
}


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Iterator[Jobs]:
    yield Jobs(shared)


@pytest.fixture(scope="module")
def live(jobs: Jobs) -> str:
    return model(jobs, "shadowed-live")


def invocations(jobs: Jobs, endpoint: str, name: str, metric: str = "Invocations") -> float:
    """The sum of a metric of a variant."""
    found = jobs.clary.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": name}],
        StartTime=time.time() - 1800,
        EndTime=time.time() + 60,
        Period=3600,
        Statistics=["Sum"],
    )
    return float(sum(point["Sum"] for point in found["Datapoints"]))


def captured(jobs: Jobs, endpoint: str, name: str) -> dict[str, str]:
    """What was answered, by InferenceId."""
    pages = jobs.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"mirrored/{endpoint}/{name}/")
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    texts = [jobs.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys]
    records = [json.loads(line) for text in texts for line in text.splitlines()]
    return {
        record["eventMetadata"]["inferenceId"]: record["captureData"]["endpointOutput"]["data"] for record in records
    }


def mirrored_so_far(jobs: Jobs, endpoint: str, name: str) -> float:
    """As many requests as are metered and captured alike: production's are answered before the shadow's are, and what
    becomes of those is told a while later; 0 as long as so few are known that chance would not account for it."""
    counted = invocations(jobs, endpoint, name)
    few = ASKED / 2 - SIGMAS * (ASKED / 4) ** 0.5
    return counted if counted == len(captured(jobs, endpoint, name)) and counted > few else 0


def test_a_share_of_the_requests_is_mirrored_metered_and_captured(jobs: Jobs, live: str) -> None:
    shadow = variant("shade", model(jobs, "shadow-well"), weight=0.5)
    name = deploy(jobs, "shadowed", variant("live", live), ShadowProductionVariants=[shadow], DataCaptureConfig=CAPTURE)
    shown = jobs.sagemaker.describe_endpoint(EndpointName=name)
    assert [each["VariantName"] for each in shown["ShadowProductionVariants"]] == ["shade"]
    for number in range(ASKED):
        assert says(jobs, name, InferenceId=f"i{number}") == ("live", live)
    wait_until(lambda: invocations(jobs, name, "live") == ASKED, SECONDS, "all are metered")
    wait_until(lambda: len(captured(jobs, name, "live")) == ASKED, SECONDS, "all are captured")
    mirrored = wait_until(lambda: mirrored_so_far(jobs, name, "shade"), SECONDS, "and the shadow's")
    assert abs(mirrored - ASKED / 2) < SIGMAS * (ASKED / 4) ** 0.5
    assert captured(jobs, name, "shade").keys() < captured(jobs, name, "live").keys()
    assert len({*captured(jobs, name, "shade").values(), *captured(jobs, name, "live").values()}) == 2
    with pytest.raises(ClientError, match="Variant shade not found"):
        says(jobs, name, TargetVariant="shade")


def update(jobs: Jobs, name: str, config: str, *variants: dict[str, Any], **more: Any) -> None:
    jobs.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=configure(jobs, config, *variants, **more))
    assert at_rest(jobs, name)["EndpointConfigName"] == config


def test_a_shadow_that_hangs_or_dies_costs_no_request_and_can_be_promoted(jobs: Jobs, live: str) -> None:
    name = deploy(jobs, "haunted", variant("live", live))
    hanging = variant("shade", model(jobs, "shadow-hangs", hangs=True))
    with load(jobs, name) as (answers, failures):
        update(jobs, name, "haunted-2", variant("live", live), ShadowProductionVariants=[hanging])
        for _ in range(10):  # a request that waited for it would take as long as any may: a minute
            wait_until(more(answers, live), 60, "production answers beside a shadow that hangs")
        for pid in serving(jobs, "shadow-hangs"):
            os.kill(pid, signal.SIGKILL)
        wait_until(more(answers, live), 60, "production answers beside a shadow that died")
        well = model(jobs, "shadow-promoted")
        update(jobs, name, "haunted-3", variant("live", live), ShadowProductionVariants=[variant("shade", well)])
        update(jobs, name, "haunted-4", variant("shade", well))
        wait_until(more(answers, well), 60, "what was the shadow answers")
    assert failures == []
    assert answers.keys() == {live, well}


def test_a_shadow_that_cannot_start_fails_the_endpoint(jobs: Jobs, live: str) -> None:
    shadow = variant("shade", model(jobs, "shadow-fails", fails=True))
    name = deploy(jobs, "overshadowed", variant("live", live), ShadowProductionVariants=[shadow])
    shown = at_rest(jobs, name)
    assert (shown["EndpointStatus"], "variant shade" in shown["FailureReason"]) == ("Failed", True)
