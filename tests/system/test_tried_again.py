"""`kill -9` of control while an SDK creates: what was written before the answer was lost is no clash of names."""

from __future__ import annotations

import json
import threading
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.running import RunningClary, wait_until

pytestmark = [pytest.mark.system]

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
CREATORS = 8


def client(clary: RunningClary):
    """One that tries again, as boto3 does by default."""
    key = json.loads((clary.data_dir / "credentials.json").read_text())
    return boto3.client(
        "sagemaker",
        endpoint_url=clary.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=key["access_key_id"],
        aws_secret_access_key=key["secret_access_key"],
        config=Config(retries={"max_attempts": 6, "mode": "standard"}),
    )


def losing_its_answers(clary: RunningClary):
    """A client whose first answer to every call is lost: it asks again, by the same invocation's id."""
    sagemaker = client(clary)
    sagemaker.meta.events.register("needs-retry.sagemaker", lambda attempts, **_: 0 if attempts == 1 else None)
    return sagemaker


def test_a_create_whose_answer_was_lost_is_answered_alike(clary: RunningClary) -> None:
    sagemaker = losing_its_answers(clary)
    params = {"ExecutionRoleArn": clary.role_arn, "PrimaryContainer": {"Image": IMAGE}}
    made = sagemaker.create_model(ModelName="m", **params)
    assert made["ResponseMetadata"]["RetryAttempts"] == 1
    assert made["ModelArn"] == sagemaker.describe_model(ModelName="m")["ModelArn"]
    with pytest.raises(ClientError, match="already existing"):
        sagemaker.create_model(ModelName="m", **params)


def test_creates_that_control_dies_under_are_answered_as_if_nothing_had_been(clary: RunningClary) -> None:
    role, over = clary.role_arn, threading.Event()
    made: list[str] = []
    refused: list[ClientError] = []

    def create(creator: int, sagemaker: Any) -> None:
        number = 0
        while not over.is_set():
            name, number = f"m-{creator}-{number}", number + 1
            try:
                sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": IMAGE})
                made.append(name)
            except ClientError as error:
                refused.append(error)

    creators = [threading.Thread(target=create, args=(number, client(clary))) for number in range(CREATORS)]
    for creator in creators:
        creator.start()
    for _ in range(3):
        before = len(made)
        wait_until(lambda before=before: len(made) > before + 50, 60, "models are made")
        clary.kill("control")
    before = len(made)
    wait_until(lambda: len(made) > before + 20, 60, "models are made again")
    over.set()
    for creator in creators:
        creator.join(60)
    assert refused == []
    pages = client(clary).get_paginator("list_models").paginate(PaginationConfig={"PageSize": 100})
    assert sorted(model["ModelName"] for page in pages for model in page["Models"]) == sorted(made)
