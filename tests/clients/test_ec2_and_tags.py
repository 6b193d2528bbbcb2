"""EC2's describe calls by boto3, in its own protocol, and the tags of all services."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.running import RunningClary

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("clients")]


def refused(call: object, **params: object) -> tuple[str, str, int]:
    """Code, text and status."""
    with pytest.raises(ClientError) as raised:
        call(**params)  # type: ignore[operator]
    error = raised.value.response
    return error["Error"]["Code"], error["Error"]["Message"], error["ResponseMetadata"]["HTTPStatusCode"]


def test_boto3_reads_a_network_in_pages_and_waits_for_it(clary: RunningClary) -> None:
    ec2 = clary.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]
    ec2.get_waiter("vpc_available").wait(VpcIds=[vpc["VpcId"]])
    pages = ec2.get_paginator("describe_subnets").paginate(
        Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}], PaginationConfig={"PageSize": 5}
    )
    sizes = [len(page["Subnets"]) for page in pages]
    assert sizes == [5, 1]
    assert ec2.describe_instances()["Reservations"] == []
    assert "us-east-1" in {each["RegionName"] for each in ec2.describe_regions()["Regions"]}


def test_boto3_tags_and_finds_what_is_tagged(clary: RunningClary) -> None:
    tagging = clary.client("resourcegroupstaggingapi")
    topic = clary.client("sns").create_topic(Name="tagged")["TopicArn"]
    clary.client("s3").create_bucket(Bucket="tagged-by-team")
    arns = [topic, "arn:aws:s3:::tagged-by-team"]
    assert tagging.tag_resources(ResourceARNList=arns, Tags={"team": "ml"})["FailedResourcesMap"] == {}
    tags = clary.client("s3").get_bucket_tagging(Bucket="tagged-by-team")["TagSet"]
    assert tags == [{"Key": "team", "Value": "ml"}]
    wanted = [{"Key": "team", "Values": ["ml"]}]
    pages = tagging.get_paginator("get_resources").paginate(TagFilters=wanted, ResourceTypeFilters=["sns:topic"])
    assert [each["ResourceARN"] for page in pages for each in page["ResourceTagMappingList"]] == [topic]


def test_refusals_are_ec2s_own(clary: RunningClary) -> None:
    ec2 = clary.client("ec2")
    text = "The subnet ID 'subnet-1' does not exist"
    assert refused(ec2.describe_subnets, SubnetIds=["subnet-1"]) == ("InvalidSubnetID.NotFound", text, 400)
    assert refused(ec2.describe_vpcs, DryRun=True)[::2] == ("DryRunOperation", 412)
    code, text, status = refused(ec2.create_vpc, CidrBlock="10.0.0.0/16")
    assert (code, status) == ("NotImplemented", 501)
    assert "Clary does not offer ec2.CreateVpc" in text


def test_who_has_no_key_or_no_right_hears_it_in_ec2s_words(clary: RunningClary) -> None:
    iam = clary.client("iam")
    iam.create_user(UserName="walker")
    key = iam.create_access_key(UserName="walker")["AccessKey"]

    def asking(secret: str) -> object:
        return boto3.client(
            "ec2",
            endpoint_url=clary.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=secret,
            config=Config(retries={"max_attempts": 0}),
        ).describe_vpcs

    assert refused(asking("wrong"))[::2] == ("AuthFailure", 401)
    assert refused(asking(key["SecretAccessKey"]))[::2] == ("UnauthorizedOperation", 403)
