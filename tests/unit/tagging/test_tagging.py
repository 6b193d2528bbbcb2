"""The Resource Groups Tagging API over services of one control."""

import uuid

import pytest

from clary.errors import AccessDenied
from tests.unit.conftest import ROLE, XGBOOST


@pytest.fixture
def tagging(emptied_inner):
    return emptied_inner.service("resourcegroupstaggingapi")


@pytest.fixture
def made(emptied_inner):
    """One resource of each service that can be made here without more: its ARNs."""
    inner = emptied_inner
    bucket = f"b-{uuid.uuid4().hex}"
    inner("s3", "CreateBucket", Bucket=bucket)
    url = inner("sqs", "CreateQueue", QueueName="q")["QueueUrl"]
    queue = inner("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    inner("ssm", "PutParameter", Name="/a/b", Value="v", Type="String")
    inner("logs", "CreateLogGroup", logGroupName="g")
    alarm = {"AlarmName": "a", "MetricName": "m", "Namespace": "n", "Period": 60, "EvaluationPeriods": 1}
    inner(
        "cloudwatch", "PutMetricAlarm", **alarm, Statistic="Sum", Threshold=1, ComparisonOperator="GreaterThanThreshold"
    )
    rest = inner("apigateway", "CreateRestApi", name="r")["id"]
    http = inner("apigatewayv2", "CreateApi", Name="h", ProtocolType="HTTP")["ApiId"]
    prefix = "us-east-1:000000000000"
    model = {"ModelName": "m", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": XGBOOST}}
    yield {
        "sagemaker": inner("sagemaker", "CreateModel", **model)["ModelArn"],
        "s3": f"arn:aws:s3:::{bucket}",
        "sqs": queue,
        "sns": inner("sns", "CreateTopic", Name="t")["TopicArn"],
        "ssm": f"arn:aws:ssm:{prefix}:parameter/a/b",
        "secretsmanager": inner("secretsmanager", "CreateSecret", Name="s", ClientRequestToken=str(uuid.uuid4()))[
            "ARN"
        ],
        "kms": inner("kms", "CreateKey")["KeyMetadata"]["Arn"],
        "logs": f"arn:aws:logs:{prefix}:log-group:g",
        "ecr": inner("ecr", "CreateRepository", repositoryName="repo")["repository"]["repositoryArn"],
        "cloudwatch": f"arn:aws:cloudwatch:{prefix}:alarm:a",
        "rest": f"arn:aws:apigateway:us-east-1::/restapis/{rest}",
        "http": f"arn:aws:apigateway:us-east-1::/apis/{http}",
    }
    inner("s3", "DeleteBucket", Bucket=bucket)


def listed(tagging, **params):
    found = tagging.call("GetResources", **params)["ResourceTagMappingList"]
    return {each["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in each["Tags"]} for each in found}


def test_every_service_is_tagged_read_and_untagged_by_its_own_operations(tagging, made, emptied_inner):
    arns = sorted(made.values())
    assert tagging.call("TagResources", ResourceARNList=arns, Tags={"team": "ml", "stage": "test"}) == {
        "FailedResourcesMap": {}
    }
    assert listed(tagging) == {arn: {"team": "ml", "stage": "test"} for arn in arns}
    own = emptied_inner("kms", "ListResourceTags", KeyId=made["kms"])["Tags"]
    assert {"TagKey": "team", "TagValue": "ml"} in own
    assert tagging.call("GetTagKeys") == {"TagKeys": ["stage", "team"], "PaginationToken": ""}
    assert tagging.call("GetTagValues", Key="team")["TagValues"] == ["ml"]
    assert tagging.call("UntagResources", ResourceARNList=arns, TagKeys=["team"]) == {"FailedResourcesMap": {}}
    assert listed(tagging) == {arn: {"stage": "test"} for arn in arns}
    tagging.call("UntagResources", ResourceARNList=arns, TagKeys=["stage"])
    assert listed(tagging) == {}


def test_filters_are_by_type_tags_and_arns(tagging, made):
    tagging.call("TagResources", ResourceARNList=[made["sqs"], made["sns"]], Tags={"team": "ml"})
    tagging.call("TagResources", ResourceARNList=[made["sqs"], made["sagemaker"]], Tags={"stage": "live"})
    assert set(listed(tagging, ResourceTypeFilters=["sqs", "sagemaker:model"])) == {made["sqs"], made["sagemaker"]}
    assert set(listed(tagging, ResourceTypeFilters=["sagemaker:endpoint"])) == set()
    both = [{"Key": "team"}, {"Key": "stage", "Values": ["live", "test"]}]
    assert set(listed(tagging, TagFilters=both)) == {made["sqs"]}
    assert set(listed(tagging, ResourceARNList=[made["sns"], made["kms"]])) == {made["sns"]}


def test_pages_part_no_resource_from_its_tags(tagging, made):
    arns = sorted(made.values())
    tagging.call("TagResources", ResourceARNList=arns, Tags={f"k{number:02}": "v" for number in range(30)})
    page = tagging.call("GetResources", TagsPerPage=100)
    assert [each["ResourceARN"] for each in page["ResourceTagMappingList"]] == arns[:3]
    after = tagging.call("GetResources", ResourcesPerPage=100, PaginationToken=page["PaginationToken"])
    assert [each["ResourceARN"] for each in after["ResourceTagMappingList"]] == arns[3:]
    assert after["PaginationToken"] == ""
    assert tagging.refusal("GetResources", PaginationToken="§")[0] == "InvalidParameterException"


def test_another_region_and_another_account_have_their_own(tagging, made, emptied_inner):
    tagging.call("TagResources", ResourceARNList=sorted(made.values()), Tags={"team": "ml"})
    found = emptied_inner("resourcegroupstaggingapi", "GetResources", region="eu-west-1")
    assert found["ResourceTagMappingList"] == []
    foreign = "arn:aws:sqs:us-east-1:111111111111:q"
    failed = tagging.call("TagResources", ResourceARNList=[foreign], Tags={"team": "ml"})["FailedResourcesMap"]
    assert failed[foreign]["ErrorCode"] == "InvalidParameterException"


def test_what_is_not_there_is_told_and_the_rest_is_done(tagging, made):
    gone = "arn:aws:sns:us-east-1:000000000000:gone"
    failed = tagging.call("TagResources", ResourceARNList=[gone, made["sns"]], Tags={"a": "b"})["FailedResourcesMap"]
    assert list(failed) == [gone]
    assert failed[gone]["StatusCode"] == 404
    assert list(listed(tagging)) == [made["sns"]]
    assert (
        tagging.refusal("TagResources", ResourceARNList=["no-arn"], Tags={"a": "b"})[0] == "InvalidParameterException"
    )


def test_who_may_tag_needs_the_right_of_the_resources_service_too(tagging, made, emptied_inner, monkeypatch):
    def authorise(_call, needed):
        if any(access.action == "sqs:TagQueue" for access in needed):
            raise AccessDenied("no")

    monkeypatch.setattr(emptied_inner.authorizer, "authorise", authorise)
    failed = tagging.call("TagResources", ResourceARNList=[made["sqs"]], Tags={"a": "b"})["FailedResourcesMap"]
    assert failed[made["sqs"]]["StatusCode"] == 403
    assert listed(tagging) == {}


@pytest.mark.parametrize(
    "params",
    [
        {"ResourcesPerPage": 0},
        {"TagsPerPage": 50},
        {"ResourceARNList": ["arn:aws:s3:::b"], "TagFilters": [{"Key": "a"}]},
        {"ExcludeCompliantResources": True},
        {"TagFilters": [{"Values": ["a"]}]},
        {"TagFilters": [{"Key": "a", "Values": [str(number) for number in range(21)]}]},
    ],
)
def test_what_cannot_be_asked_for_is_refused(tagging, params):
    assert tagging.refusal("GetResources", **params)[0] in ("InvalidParameterException", "ValidationException")
