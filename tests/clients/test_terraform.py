"""Terraform's aws provider, unmodified, in a shell with `clary env`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.running import RunningClary
from tests.terraform import Terraform

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def test_a_configuration_is_applied_has_no_differences_then_and_is_destroyed(
    clary: RunningClary, tmp_path: Path
) -> None:
    terraform = Terraform(tmp_path, clary.environment, "main.tf")
    terraform.apply()
    assert terraform.differences() == ""
    assert _answers(clary) == ("seen", {"word": "hello", "event": 1})
    clary.client("s3").put_bucket_tagging(Bucket="terraform-data", Tagging={"TagSet": []})
    assert "aws_s3_bucket.data will be updated in-place" in terraform.differences()
    terraform.destroy()
    assert _left(clary) == []


def _answers(clary: RunningClary) -> tuple[str, object]:
    """Of what was made: the endpoint's and the function's."""
    asked = clary.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="terraform-risk", Body="1,2", ContentType="text/plain"
    )
    invoked = clary.client("lambda").invoke(FunctionName="terraform-echo", Payload=b"1")
    return asked["Body"].read().decode(), json.loads(invoked["Payload"].read())


def _left(clary: RunningClary) -> list[str]:
    """Names of what was not destroyed."""
    names = [bucket["Name"] for bucket in clary.client("s3").list_buckets()["Buckets"]]
    names += [role["RoleName"] for role in clary.client("iam").list_roles()["Roles"]]
    names += [each["EndpointName"] for each in clary.client("sagemaker").list_endpoints()["Endpoints"]]
    names += [each["FunctionName"] for each in clary.client("lambda").list_functions()["Functions"]]
    names += [each["TopicArn"].rpartition(":")[2] for each in clary.client("sns").list_topics()["Topics"]]
    return [name for name in names if name.startswith("terraform-")]
