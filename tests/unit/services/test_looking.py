"""Operations that only look: at the edge they say what control would, or leave it to control."""

import sqlite3
from contextlib import closing

import pytest

from clary.calls import Call
from clary.errors import AWSError
from clary.gateway.asgi import Gateway
from clary.services.catalogue import REGISTRY
from clary.services.looking import Lookup
from tests.unit.conftest import ROLE, XGBOOST

MODEL = {"ModelName": "m", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": XGBOOST}}
JOB = {
    "TrainingJobName": "j",
    "AlgorithmSpecification": {
        "TrainingImage": XGBOOST,
        "TrainingInputMode": "File",
    },
    "RoleArn": ROLE,
    "OutputDataConfig": {"S3OutputPath": "s3://data/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600},
}


@pytest.fixture
def looked(inner):
    """An operation carried out by the edge alone."""

    def look(operation, **params):
        found = REGISTRY.services["sagemaker"].operations[operation]
        assert found.looks
        return inner.lookup(found, Call(inner.principal, "sagemaker", operation, params, "us-east-1"))

    return look


def test_what_was_written_is_seen_at_once_and_what_was_deleted_is_gone_at_once(inner, looked):
    inner("sagemaker", "CreateModel", **MODEL)
    assert looked("DescribeModel", ModelName="m")["PrimaryContainer"]["Image"] == XGBOOST
    inner("sagemaker", "DeleteModel", ModelName="m")
    with pytest.raises(AWSError, match="Could not find model"):
        looked("DescribeModel", ModelName="m")


def test_who_has_to_wait_for_a_young_job_waits_in_control(inner, looked):
    inner("sagemaker", "CreateTrainingJob", **JOB)
    assert looked("DescribeTrainingJob", TrainingJobName="j") is None
    inner("sagemaker", "StopTrainingJob", TrainingJobName="j")
    assert looked("DescribeTrainingJob", TrainingJobName="j") is None


def test_no_database_another_schema_and_a_lock_are_for_control(inner, looked, tmp_path):
    inner("sagemaker", "CreateModel", **MODEL)
    operation = REGISTRY.services["sagemaker"].operations["DescribeModel"]
    call = Call(inner.principal, "sagemaker", "DescribeModel", {"ModelName": "m"}, "us-east-1")
    assert Lookup(tmp_path / "none.db")(operation, call) is None
    older = tmp_path / "older.db"
    with closing(sqlite3.connect(inner.settings.database)) as current, closing(sqlite3.connect(older)) as copy:
        current.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        assert Lookup(older)(operation, call) is not None
        copy.execute("BEGIN EXCLUSIVE")
        assert Lookup(older)(operation, call) is None
        copy.execute("DELETE FROM migration WHERE number = 3")
        copy.execute("COMMIT")
        assert Lookup(older)(operation, call) is None


def test_what_only_looks_is_carried_out_by_control_where_something_else_calls_it():
    looking = [each for service in REGISTRY.services.values() for each in service.operations.values() if each.looks]
    assert {"DescribeTrainingJob", "DescribeModel", "DescribeEndpoint"} <= {each.name for each in looking}
    assert {each.place for each in looking} == {"control"}


class Unasked:
    """A control that nobody may ask."""

    async def __call__(self, call):
        raise AssertionError(call)


async def test_a_gateway_asks_control_only_for_what_rows_do_not_say(inner):
    inner("sagemaker", "CreateModel", **MODEL)
    gateway = Gateway(REGISTRY, None, inner.authorizer, Unasked(), None, None, inner.settings, {})
    sent = []
    body = b'{"ModelName": "m"}'
    headers = {"host": "127.0.0.1", "x-amz-target": "SageMaker.DescribeModel", "content-length": str(len(body))}
    scope = {"type": "http", "method": "POST", "path": "/", "client": ("127.0.0.1", 1), "query_string": b""}

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await gateway({**scope, "headers": encoded}, receive, send)
    gateway.close()
    assert sent[0]["status"] == 200
    assert b'"ModelName":"m"' in sent[1]["body"]
