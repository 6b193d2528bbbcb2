"""Transform jobs as clients see them: what Create refuses and fills in."""

from __future__ import annotations

import pytest

ACCOUNT = "000000000000"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def request(name="job", **changes):
    return {
        "TransformJobName": name,
        "ModelName": "m",
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://data/train/"}}},
        "TransformOutput": {"S3OutputPath": "s3://data/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **changes,
    }


@pytest.fixture
def sagemaker(inner):
    sagemaker = inner.service("sagemaker")
    container = {"Image": XGBOOST, "ModelDataUrl": "s3://data/model.tar.gz"}
    role = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
    sagemaker.call("CreateModel", ModelName="m", ExecutionRoleArn=role, PrimaryContainer=container)
    return sagemaker


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"MaxPayloadInMB": 101}, "MaxPayloadInMB cannot be greater than 100 MB."),
        ({"MaxConcurrentTransforms": 51, "MaxPayloadInMB": 2}, "cannot exceed 100 MB."),
        ({"BatchStrategy": "MultiRecord"}, "requires a SplitType other than None."),
        ({"ModelName": "no"}, "Could not find model"),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_nothing(inner, sagemaker, changes, text):
    assert text in sagemaker.refusal("CreateTransformJob", **request(**changes))[1]
    assert sagemaker.call("ListTransformJobs")["TransformJobSummaries"] == []
    assert inner.woken == []


def test_the_largest_payload_is_taken(sagemaker):
    sagemaker.call("CreateTransformJob", **request(MaxPayloadInMB=100))
    assert sagemaker.call("DescribeTransformJob", TransformJobName="job")["MaxPayloadInMB"] == 100
