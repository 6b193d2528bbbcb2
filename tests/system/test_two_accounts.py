"""What another account, whose root may do everything of its own, is told of this one's things, of each service that has
any: without a policy, and with one. (`tests/fuzz/neighbours.py` asks every operation by guessed names.)"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from clary.calls import account_root
from clary.identity.sealing import Sealer
from tests.running import RunningClary

pytestmark = pytest.mark.system

OURS, THEIRS = "000000000000", "222222222222"
SECRET = "for-our-eyes-only"
SAGEMAKER = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [SAGEMAKER]})
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


@dataclass
class Sides:
    """Clients of both accounts, and what this one has made, by the word that stands for it in the tables."""

    clary: RunningClary
    made: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._key = Sealer.of(self.clary.data_dir).issue(account_root(THEIRS), 3600).sts()

    def ours(self, service: str) -> Any:
        return self.clary.client(service)

    def theirs(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.clary.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=self._key["AccessKeyId"],
            aws_secret_access_key=self._key["SecretAccessKey"],
            aws_session_token=self._key["SessionToken"],
            config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
        )

    def asked(self, service: str, operation: str, params: dict[str, Any]) -> str:
        """The code with which they are refused; what they are told where they are not."""
        filled = json.loads(json.dumps(params) % self.made)
        try:
            answer = getattr(self.theirs(service), operation)(**filled)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        answer.pop("ResponseMetadata")
        return str({name: value for name, value in answer.items() if value})


@pytest.fixture(scope="module")
def sides(shared: RunningClary) -> Iterator[Sides]:
    both = Sides(shared)
    _make(both)
    yield both


def _make(sides: Sides) -> None:
    ours, made = sides.ours, sides.made
    ours("s3").create_bucket(Bucket="ours-only")
    ours("s3").put_object(Bucket="ours-only", Key="k", Body=SECRET.encode())
    made["upload"] = ours("s3").create_multipart_upload(Bucket="ours-only", Key="u")["UploadId"]
    made["queue"] = ours("sqs").create_queue(QueueName="ours")["QueueUrl"]
    made["queue_arn"] = f"arn:aws:sqs:us-east-1:{OURS}:ours"
    ours("sqs").send_message(QueueUrl=made["queue"], MessageBody=SECRET)
    made["topic"] = ours("sns").create_topic(Name="ours", Attributes={"DisplayName": SECRET})["TopicArn"]
    key = ours("kms").create_key(Description=SECRET)["KeyMetadata"]
    made["key"], made["key_id"] = key["Arn"], key["KeyId"]
    family = ours("kms").create_key(MultiRegion=True, Description=SECRET)["KeyMetadata"]
    made["family"], made["family_id"] = family["Arn"], family["KeyId"]
    made["secret"] = ours("secretsmanager").create_secret(Name="ours", SecretString=SECRET)["ARN"]
    ours("ssm").put_parameter(Name="/ours", Value=SECRET, Type="String")
    made["parameter"] = f"arn:aws:ssm:us-east-1:{OURS}:parameter/ours"
    ours("logs").create_log_group(logGroupName="ours")
    ours("logs").create_log_stream(logGroupName="ours", logStreamName="s")
    made["group"] = f"arn:aws:logs:us-east-1:{OURS}:log-group:ours"
    ours("cloudwatch").put_metric_alarm(
        AlarmName="ours", Namespace="N", MetricName="M", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanThreshold", AlarmDescription=SECRET,
    )  # fmt: skip
    made["alarm"] = f"arn:aws:cloudwatch:us-east-1:{OURS}:alarm:ours"
    made["repository"] = ours("ecr").create_repository(repositoryName="ours")["repository"]["repositoryArn"]
    made["role"] = ours("iam").create_role(RoleName="ours", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    made["user"] = ours("iam").create_user(UserName="ours")["User"]["Arn"]
    container = {"Image": IMAGE, "Environment": {"SAID": SECRET}}
    made["model"] = ours("sagemaker").create_model(
        ModelName="ours", ExecutionRoleArn=made["role"], PrimaryContainer=container
    )["ModelArn"]
    made["context"] = ours("sagemaker").create_context(
        ContextName="ours", Source={"SourceUri": "s3://ours"}, ContextType="T", Description=SECRET
    )["ContextArn"]
    made["component"] = ours("sagemaker").create_trial_component(TrialComponentName="ours")["TrialComponentArn"]
    measured = {"MetricName": SECRET, "Timestamp": datetime.now(UTC), "Step": 1, "Value": 1.0}
    ours("sagemaker-metrics").batch_put_metrics(TrialComponentName="ours", MetricData=[measured])
    made["access_key"] = ours("iam").create_access_key(UserName="ours")["AccessKey"]["AccessKeyId"]
    ours("iam").create_service_specific_credential(UserName="ours", ServiceName="codecommit.amazonaws.com")
    made["api"] = ours("apigateway").create_rest_api(name="ours", description=SECRET)["id"]


TAG = [{"Key": "k", "Value": "v"}]
WITHOUT_A_POLICY: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("s3", "get_object", {"Bucket": "ours-only", "Key": "k"}, "AccessDenied"),
    ("s3", "get_object_tagging", {"Bucket": "ours-only", "Key": "k"}, "AccessDenied"),
    ("s3", "put_object", {"Bucket": "ours-only", "Key": "k"}, "AccessDenied"),
    ("s3", "delete_object", {"Bucket": "ours-only", "Key": "k"}, "AccessDenied"),
    ("s3", "list_objects_v2", {"Bucket": "ours-only"}, "AccessDenied"),
    ("s3", "list_object_versions", {"Bucket": "ours-only"}, "AccessDenied"),
    ("s3", "list_parts", {"Bucket": "ours-only", "Key": "u", "UploadId": "%(upload)s"}, "AccessDenied"),
    ("s3", "abort_multipart_upload", {"Bucket": "ours-only", "Key": "u", "UploadId": "%(upload)s"}, "AccessDenied"),
    ("s3", "get_bucket_policy", {"Bucket": "ours-only"}, "AccessDenied"),
    ("s3", "put_bucket_policy", {"Bucket": "ours-only", "Policy": "{}"}, "AccessDenied"),
    ("s3", "delete_bucket", {"Bucket": "ours-only"}, "AccessDenied"),
    ("s3", "create_bucket", {"Bucket": "ours-only"}, "BucketAlreadyExists"),
    ("s3", "list_buckets", {}, "Owner"),
    ("sqs", "send_message", {"QueueUrl": "%(queue)s", "MessageBody": "x"}, "AccessDenied"),
    ("sqs", "receive_message", {"QueueUrl": "%(queue)s"}, "AccessDenied"),
    ("sqs", "get_queue_attributes", {"QueueUrl": "%(queue)s", "AttributeNames": ["All"]}, "AccessDenied"),
    ("sqs", "delete_queue", {"QueueUrl": "%(queue)s"}, "AWS.SimpleQueueService"),
    ("sqs", "get_queue_url", {"QueueName": "ours", "QueueOwnerAWSAccountId": OURS}, "AccessDenied"),
    ("sqs", "list_queues", {}, "{}"),
    ("sns", "publish", {"TopicArn": "%(topic)s", "Message": "x"}, "AuthorizationError"),
    ("sns", "get_topic_attributes", {"TopicArn": "%(topic)s"}, "AuthorizationError"),
    (
        "sns",
        "subscribe",
        {"TopicArn": "%(topic)s", "Protocol": "sqs", "Endpoint": "%(queue_arn)s"},
        "AuthorizationError",
    ),
    ("sns", "delete_topic", {"TopicArn": "%(topic)s"}, "AuthorizationError"),
    ("sns", "list_tags_for_resource", {"ResourceArn": "%(topic)s"}, "AuthorizationError"),
    ("sns", "list_topics", {}, "{}"),
    ("kms", "describe_key", {"KeyId": "%(key)s"}, "AccessDeniedException"),
    ("kms", "encrypt", {"KeyId": "%(key)s", "Plaintext": "x"}, "AccessDeniedException"),
    ("kms", "get_key_policy", {"KeyId": "%(key)s", "PolicyName": "default"}, "NotFoundException"),
    ("kms", "schedule_key_deletion", {"KeyId": "%(key)s"}, "NotFoundException"),
    ("kms", "describe_key", {"KeyId": "%(key_id)s"}, "NotFoundException"),
    ("kms", "replicate_key", {"KeyId": "%(family)s", "ReplicaRegion": "eu-west-1"}, "NotFoundException"),
    ("kms", "replicate_key", {"KeyId": "%(family_id)s", "ReplicaRegion": "eu-west-1"}, "NotFoundException"),
    ("kms", "update_primary_region", {"KeyId": "%(family)s", "PrimaryRegion": "eu-west-1"}, "NotFoundException"),
    ("kms", "delete_imported_key_material", {"KeyId": "%(key)s"}, "NotFoundException"),
    ("kms", "list_keys", {}, "{}"),
    ("secretsmanager", "get_secret_value", {"SecretId": "%(secret)s"}, "AccessDeniedException"),
    ("secretsmanager", "put_secret_value", {"SecretId": "%(secret)s", "SecretString": "x"}, "AccessDeniedException"),
    ("secretsmanager", "delete_secret", {"SecretId": "%(secret)s"}, "AccessDeniedException"),
    ("secretsmanager", "get_secret_value", {"SecretId": "ours"}, "ResourceNotFoundException"),
    ("secretsmanager", "list_secrets", {}, "{}"),
    ("ssm", "get_parameter", {"Name": "%(parameter)s"}, "ParameterNotFound"),
    ("ssm", "get_parameter", {"Name": "/ours"}, "ParameterNotFound"),
    ("ssm", "delete_parameter", {"Name": "/ours"}, "ParameterNotFound"),
    ("ssm", "describe_parameters", {}, "{}"),
    ("logs", "get_log_events", {"logGroupName": "ours", "logStreamName": "s"}, "ResourceNotFoundException"),
    ("logs", "list_tags_for_resource", {"resourceArn": "%(group)s"}, "AccessDeniedException"),
    ("logs", "tag_resource", {"resourceArn": "%(group)s", "tags": {"k": "v"}}, "AccessDeniedException"),
    ("logs", "delete_log_group", {"logGroupName": "ours"}, "ResourceNotFoundException"),
    ("logs", "describe_log_groups", {}, "{}"),
    ("cloudwatch", "list_tags_for_resource", {"ResourceARN": "%(alarm)s"}, "AccessDenied"),
    ("cloudwatch", "tag_resource", {"ResourceARN": "%(alarm)s", "Tags": TAG}, "AccessDenied"),
    ("cloudwatch", "set_alarm_state", {"AlarmName": "ours", "StateValue": "OK", "StateReason": "-"}, "ResourceNot"),
    ("cloudwatch", "describe_alarms", {}, "{}"),
    ("ecr", "describe_repositories", {"registryId": OURS, "repositoryNames": ["ours"]}, "AccessDeniedException"),
    ("ecr", "list_images", {"registryId": OURS, "repositoryName": "ours"}, "AccessDeniedException"),
    ("ecr", "tag_resource", {"resourceArn": "%(repository)s", "tags": TAG}, "AccessDeniedException"),
    ("ecr", "describe_repositories", {}, "{}"),
    ("iam", "get_role", {"RoleName": "ours"}, "NoSuchEntity"),
    ("iam", "delete_user", {"UserName": "ours"}, "NoSuchEntity"),
    ("iam", "list_users", {}, "{}"),
    ("iam", "list_service_specific_credentials", {"UserName": "ours"}, "NoSuchEntity"),
    ("iam", "list_service_specific_credentials", {"AllUsers": True}, "{}"),
    ("iam", "simulate_principal_policy", {"PolicySourceArn": "%(user)s", "ActionNames": ["s3:Get*"]}, "AccessDenied"),
    ("sts", "assume_role", {"RoleArn": "%(role)s", "RoleSessionName": "me"}, "AccessDenied"),
    ("sts", "get_access_key_info", {"AccessKeyId": "%(access_key)s"}, OURS),
    ("sts", "get_access_key_info", {"AccessKeyId": "AKIA" + 16 * "A"}, THEIRS),
    ("sagemaker", "describe_model", {"ModelName": "ours"}, "ValidationException"),
    ("sagemaker", "delete_model", {"ModelName": "ours"}, "ValidationException"),
    ("sagemaker", "list_tags", {"ResourceArn": "%(model)s"}, "AccessDeniedException"),
    ("sagemaker", "add_tags", {"ResourceArn": "%(context)s", "Tags": TAG}, "AccessDeniedException"),
    ("sagemaker", "delete_tags", {"ResourceArn": "%(model)s", "TagKeys": ["k"]}, "AccessDeniedException"),
    ("sagemaker", "describe_context", {"ContextName": "ours"}, "ResourceNotFound"),
    ("sagemaker", "describe_context", {"ContextName": "%(context)s"}, "AccessDeniedException"),
    ("sagemaker", "delete_context", {"ContextName": "ours"}, "ResourceNotFound"),
    ("sagemaker", "query_lineage", {"StartArns": ["%(context)s"]}, "AccessDeniedException"),
    ("sagemaker", "add_association", {"SourceArn": "%(context)s", "DestinationArn": "%(context)s"}, "AccessDenied"),
    ("sagemaker", "list_models", {}, "{}"),
    ("sagemaker-metrics", "batch_get_metrics", {"MetricQueries": [{"MetricName": SECRET, "ResourceArn": "%(component)s",
     "MetricStat": "Last", "Period": "IterationNumber", "XAxisType": "IterationNumber"}]}, "AccessDeniedException"),
    ("sagemaker-metrics", "batch_put_metrics", {"TrialComponentName": "ours", "MetricData": [
     {"MetricName": "m", "Timestamp": 1_700_000_000, "Value": 1.0}]}, "ResourceNotFound"),
    ("apigateway", "get_rest_api", {"restApiId": "%(api)s"}, "NotFoundException"),
    ("apigateway", "delete_rest_api", {"restApiId": "%(api)s"}, "NotFoundException"),
    ("apigateway", "get_rest_apis", {}, "{}"),
    ("resourcegroupstaggingapi", "get_resources", {}, "{}"),
    ("resourcegroupstaggingapi", "tag_resources", {"ResourceARNList": ["%(topic)s"], "Tags": {"k": "v"}}, "FailedRes"),
    ("sagemaker", "create_model", {"ModelName": "theirs", "ExecutionRoleArn": "%(role)s",
                                   "PrimaryContainer": {"Image": IMAGE}}, "AccessDeniedException"),
)  # fmt: skip
"""Service, operation, parameters, and how the answer begins, or the refusal's code."""


@pytest.mark.parametrize("service", sorted({row[0] for row in WITHOUT_A_POLICY}))
def test_without_a_policy_another_account_learns_and_changes_nothing(sides: Sides, service: str) -> None:
    wrong = []
    for asked_service, operation, params, expected in WITHOUT_A_POLICY:
        if asked_service == service:
            told = sides.asked(service, operation, params)
            if expected not in told or SECRET in told:
                wrong.append(f"{operation} {params}: {told}, and not {expected}")
    assert not wrong, "\n".join(wrong)


def test_what_another_account_asked_for_has_changed_nothing(sides: Sides) -> None:
    assert sides.ours("s3").get_object(Bucket="ours-only", Key="k")["Body"].read() == SECRET.encode()
    received = sides.ours("sqs").receive_message(QueueUrl=sides.made["queue"])["Messages"]
    assert [each["Body"] for each in received] == [SECRET]
    assert sides.ours("sagemaker").list_tags(ResourceArn=sides.made["context"])["Tags"] == []
    assert sides.ours("logs").list_tags_for_resource(resourceArn=sides.made["group"])["tags"] == {}
    assert sides.ours("sns").list_tags_for_resource(ResourceArn=sides.made["topic"])["Tags"] == []
    assert sides.ours("kms").describe_key(KeyId=sides.made["key"])["KeyMetadata"]["KeyState"] == "Enabled"


def allow(action: str, resource: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": THEIRS}, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_policy_lets_another_account_do_what_it_says_and_no_more(sides: Sides) -> None:
    made = sides.made
    read = allow("s3:GetObject", "arn:aws:s3:::ours-only/k")
    sides.ours("s3").put_bucket_policy(Bucket="ours-only", Policy=read)
    assert sides.theirs("s3").get_object(Bucket="ours-only", Key="k")["Body"].read() == SECRET.encode()
    assert sides.asked("s3", "delete_object", {"Bucket": "ours-only", "Key": "k"}) == "AccessDenied"
    assert sides.asked("s3", "list_objects_v2", {"Bucket": "ours-only"}) == "AccessDenied"

    trust = allow("sts:AssumeRole", "*").replace(', "Resource": "*"', "")
    sides.ours("iam").update_assume_role_policy(RoleName="ours", PolicyDocument=trust)
    assert "Credentials" in sides.asked("sts", "assume_role", {"RoleArn": made["role"], "RoleSessionName": "me"})
