"""Data capture of a started Clary through boto3: every answer is in an object, whatever was killed or missing."""

from __future__ import annotations

import json
import re
import signal
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from os import kill
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.running import RunningClary, wait_until
from tests.system.jobs import BUCKET, JOB_SECONDS, SKLEARN, Jobs, packed

pytestmark = [pytest.mark.system]

SECONDS = 60
KEY = re.compile(
    r"below/(?P<endpoint>[^/]+)/(?P<variant>[^/]+)/(\d{4}/\d\d/\d\d/\d\d)/\d\d-\d\d-\d{3}-[0-9a-f-]{36}.jsonl"
)

ANSWERS = """\
def model_fn(model_dir):
    return None

def input_fn(data, content_type):
    return data

def predict_fn(data, model):
    return data

def output_fn(prediction, accept):
    return prediction, "text/csv; charset=utf-8"
"""


@pytest.fixture(scope="module")
def jobs(shared: RunningClary) -> Iterator[Jobs]:
    jobs = Jobs(shared)
    jobs.encrypt()
    jobs.s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=packed({"model": "", "code/inference.py": ANSWERS}))
    env = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    container = {"Image": SKLEARN, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz", "Environment": env}
    jobs.sagemaker.create_model(ModelName="m", ExecutionRoleArn=jobs.role, PrimaryContainer=container)
    yield jobs


def configure(jobs: Jobs, name: str, variants: Sequence[str] = ("all",), **changes: Any) -> str:
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{BUCKET}/below",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    }
    shape = {"ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1, "InitialVariantWeight": 1}
    jobs.sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[{"VariantName": variant, **shape} for variant in variants],
        DataCaptureConfig={**capture, **changes},
    )
    return name


def begin(jobs: Jobs, name: str, variants: Sequence[str] = ("all",), **changes: Any) -> str:
    jobs.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=configure(jobs, name, variants, **changes))
    return name


def in_service(jobs: Jobs, *names: str) -> None:
    for name in names:
        wait_until(lambda name=name: jobs.endpoint_status(name) == "InService", JOB_SECONDS, f"{name} is in service")  # type: ignore[misc]


def ask(jobs: Jobs, name: str, numbers: Sequence[int]) -> Counter[str]:
    """Requests with ids of their own; how many each variant has answered."""
    answered = Counter[str]()
    for number in numbers:
        answer = jobs.runtime.invoke_endpoint(
            EndpointName=name, ContentType="text/csv", Body=f"{number},1", InferenceId=f"{name}-{number}"
        )
        assert answer["Body"].read() == f"{number},1".encode()
        answered[answer["InvokedProductionVariant"]] += 1
    return answered


def captured(jobs: Jobs, name: str, bucket: str = BUCKET) -> list[tuple[str, dict[str, Any]]]:
    """The key of its object, and the record, of all that is there."""
    try:
        pages = jobs.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"below/{name}/")
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    except ClientError:
        return []
    texts = ((key, jobs.s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys)
    return [(key, json.loads(line)) for key, text in texts for line in text.splitlines()]


def ids(records: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return sorted(record["eventMetadata"]["inferenceId"] for _, record in records)


def wanted(name: str, numbers: Sequence[int]) -> list[str]:
    return sorted(f"{name}-{number}" for number in numbers)


def test_each_request_is_a_record_of_its_variant_as_far_as_it_is_drawn(jobs: Jobs) -> None:
    begin(jobs, "whole", ("a", "b"))
    begin(jobs, "half", InitialSamplingPercentage=50)
    begin(jobs, "none", InitialSamplingPercentage=0)
    begin(jobs, "astray", DestinationS3Uri="s3://not-there-yet/below")
    in_service(jobs, "whole", "half", "none", "astray")
    answered = ask(jobs, "whole", range(100))
    ask(jobs, "half", range(200))
    ask(jobs, "none", range(20))
    ask(jobs, "astray", range(5))
    wait_until(lambda: len(captured(jobs, "whole")) >= 100, SECONDS, "all is captured")
    records = captured(jobs, "whole")
    assert ids(records) == wanted("whole", range(100)) and jobs.encrypted("below/whole/") == {"aws:kms"}
    assert len({record["eventMetadata"]["eventId"] for _, record in records}) == 100
    found = [(KEY.fullmatch(key), record) for key, record in records]
    assert Counter(match["variant"] for match, _ in found if match) == answered
    for match, record in found:
        assert match, records
        assert match[3] == record["eventMetadata"]["inferenceTime"][:13].replace("-", "/").replace("T", "/")
        assert record["captureData"]["endpointOutput"]["observedContentType"] == "text/csv; charset=utf-8"
        sides = [record["captureData"][side] for side in ("endpointInput", "endpointOutput")]
        assert {side["encoding"] for side in sides} == {"CSV"}
        number = record["eventMetadata"]["inferenceId"].removeprefix("whole-")
        assert [side["data"] for side in sides] == [f"{number},1"] * 2
    wait_until(lambda: len(captured(jobs, "half")) > 50, SECONDS, "half is captured")
    written_once_there_is_a_bucket(jobs)  # what was answered after it; so all of the others is captured too
    assert 50 < len(captured(jobs, "half")) < 150
    assert captured(jobs, "none") == []


def written_once_there_is_a_bucket(jobs: Jobs) -> None:
    logs = jobs.clary.client("logs")
    place = {"logGroupName": "/aws/sagemaker/Endpoints/astray", "logStreamNames": ["all/data-capture"]}

    def said() -> list[str]:
        try:
            return [event["message"] for event in logs.filter_log_events(**place)["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []

    wait_until(said, SECONDS, "the log says that there is no bucket")
    assert "The specified bucket does not exist" in said()[0]
    jobs.s3.create_bucket(Bucket="not-there-yet")
    there = wait_until(lambda: captured(jobs, "astray", "not-there-yet"), SECONDS, "it is written then")
    assert ids(there) == wanted("astray", range(5))


def test_what_was_answered_is_captured_whatever_is_killed(jobs: Jobs) -> None:
    begin(jobs, "killed")
    in_service(jobs, "killed")
    answered: list[int] = []
    half = threading.Event()

    def client() -> None:
        for number in range(300):
            try:
                ask(jobs, "killed", [number])
            except (BotoCoreError, ClientError):
                continue
            answered.append(number)
            if len(answered) == 50:
                half.set()

    asking = threading.Thread(target=client)
    asking.start()
    assert half.wait(SECONDS)
    for name in ("edge", "control"):
        kill(jobs.clary.process(name), signal.SIGKILL)
    asking.join()
    assert len(answered) > 50
    complete = set(wanted("killed", answered))
    wait_until(lambda: complete <= set(ids(captured(jobs, "killed"))), SECONDS, "every answer is captured")
    found = ids(captured(jobs, "killed"))
    assert len(found) == len(set(found)), "each once"


def test_nothing_is_lost_by_a_clean_stop_and_an_update_turns_it_off(jobs: Jobs) -> None:
    begin(jobs, "stopped")
    in_service(jobs, "stopped")
    ask(jobs, "stopped", range(20))
    jobs.clary.down()
    jobs.clary.up()
    jobs.__post_init__()
    wait_until(lambda: len(captured(jobs, "stopped")) >= 20, SECONDS, "all is captured")
    assert ids(captured(jobs, "stopped")) == wanted("stopped", range(20))
    described = jobs.sagemaker.describe_endpoint(EndpointName="stopped")["DataCaptureConfig"]
    assert (described["CaptureStatus"], described["CurrentSamplingPercentage"]) == ("Started", 100)
    off = configure(jobs, "stopped-off", EnableCapture=False)
    jobs.sagemaker.update_endpoint(EndpointName="stopped", EndpointConfigName=off)
    in_service(jobs, "stopped")
    assert jobs.sagemaker.describe_endpoint(EndpointName="stopped")["DataCaptureConfig"]["CaptureStatus"] == "Stopped"
    spool = jobs.clary.data_dir / "capture" / "spool"
    wait_until(lambda: not list(spool.iterdir()), SECONDS, "what came before is no edge's any more")
    ask(jobs, "stopped", range(20, 40))
    assert list(spool.iterdir()) == []
    assert ids(captured(jobs, "stopped")) == wanted("stopped", range(20))
