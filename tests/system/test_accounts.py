"""A second account: what it has is its own, and only policies let anybody else in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.running import RunningClary, wait_until
from tests.system.jobs import BUCKET, Jobs

pytestmark = pytest.mark.system

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


@dataclass
class Member:
    """An account of the organization, as its administrator."""

    clary: RunningClary
    account: str

    @property
    def role_arn(self) -> str:
        return f"arn:aws:iam::{self.account}:role/train"

    def client(self, service: str) -> Any:
        role = f"arn:aws:iam::{self.account}:role/OrganizationAccountAccessRole"
        taken = self.clary.client("sts").assume_role(RoleArn=role, RoleSessionName="admin")["Credentials"]
        return boto3.client(
            service,
            endpoint_url=self.clary.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=taken["AccessKeyId"],
            aws_secret_access_key=taken["SecretAccessKey"],
            aws_session_token=taken["SessionToken"],
            config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
        )


@pytest.fixture(scope="module")
def organizations(shared: RunningClary) -> Any:
    client = shared.client("organizations")
    client.create_organization()
    return client


def joined(organizations: Any, name: str) -> str:
    made = organizations.create_account(Email=f"{name}@example.com", AccountName=name)["CreateAccountStatus"]
    assert made["State"] == "SUCCEEDED"
    account: str = made["AccountId"]
    return account


@pytest.fixture(scope="module")
def member(shared: RunningClary, organizations: Any) -> Member:
    """An account with a role for its jobs."""
    found = Member(shared, joined(organizations, "team"))
    iam = found.client("iam")
    iam.create_role(RoleName="train", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.attach_role_policy(RoleName="train", PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerFullAccess")
    iam.attach_role_policy(RoleName="train", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    return found


def refusal(ask: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as raised:
        ask()
    code: str = raised.value.response["Error"]["Code"]
    return code


def test_a_member_trains_and_serves_by_its_own_role(shared: RunningClary, member: Member) -> None:
    jobs, own = Jobs(member), shared.client("sagemaker")
    name = jobs.start("theirs", "import boto3; print('I am', boto3.client('sts').get_caller_identity()['Arn'])")
    assert jobs.ended(name)["TrainingJobStatus"] == "Completed"
    assert f"I am arn:aws:sts::{member.account}:assumed-role/train/SageMaker" in jobs.said(name)
    assert jobs.describe(name)["TrainingJobArn"].split(":")[4] == member.account
    jobs.deploy("theirs")
    answer = jobs.runtime.invoke_endpoint(EndpointName="theirs", Body=b"[1]", ContentType="application/json")
    assert json.loads(answer["Body"].read()) == [1]
    assert refusal(lambda: own.describe_training_job(TrainingJobName=name)) == "ValidationException"
    assert refusal(lambda: own.describe_endpoint(EndpointName="theirs")) == "ValidationException"
    assert own.list_training_jobs()["TrainingJobSummaries"] == []
    assert shared.client("logs").describe_log_groups(logGroupNamePrefix="/aws/sagemaker")["logGroups"] == []
    theirs = shared.client("sagemaker-runtime")
    asked = {"EndpointName": "theirs", "Body": b"[1]", "ContentType": "application/json"}
    assert refusal(lambda: theirs.invoke_endpoint(**asked)) == "ValidationError"


def test_roles_of_another_account_cannot_be_passed(shared: RunningClary, member: Member) -> None:
    ask = {"ModelName": "m", "PrimaryContainer": {"Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/x:1"}}
    for client, role in (
        (shared.client("sagemaker"), member.role_arn),
        (member.client("sagemaker"), shared.role_arn),
    ):
        assert refusal(lambda c=client, r=role: c.create_model(ExecutionRoleArn=r, **ask)) == "AccessDeniedException"  # type: ignore[misc]


def test_users_of_the_same_name_are_two(shared: RunningClary, member: Member) -> None:
    """Each by its own policies; the inline policy's name is the same too."""
    keys = {}
    for cloud, effect in ((shared, "Deny"), (member, "Allow")):
        iam = cloud.client("iam")
        iam.create_user(UserName="ann")
        statement = {"Effect": effect, "Action": "s3:ListAllMyBuckets", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=document)
        keys[effect] = iam.create_access_key(UserName="ann")["AccessKey"]

    def buckets(key: dict[str, str]) -> Any:
        session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
        return session.client("s3", endpoint_url=shared.endpoint_url).list_buckets()["Buckets"]

    assert refusal(lambda: buckets(keys["Deny"])) == "AccessDenied"
    assert [each["Name"] for each in buckets(keys["Allow"])] == [BUCKET]
    assert shared.client("s3").list_buckets()["Buckets"] == []


def test_a_role_is_assumed_from_outside_by_its_external_id(shared: RunningClary, member: Member) -> None:
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{member.account}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "agreed"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = shared.client("iam").create_role(RoleName="guest", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    sts = member.client("sts")
    assert refusal(lambda: sts.assume_role(RoleArn=arn, RoleSessionName="guest")) == "AccessDenied"
    taken = sts.assume_role(RoleArn=arn, RoleSessionName="guest", ExternalId="agreed")
    assert taken["AssumedRoleUser"]["Arn"].split(":")[4] == shared.client("sts").get_caller_identity()["Account"]


def test_keys_secrets_and_what_they_encrypt_cross_by_policy_alone(shared: RunningClary, member: Member) -> None:
    """Their bucket, their object, our key: S3 asks KMS as whoever writes and reads."""
    kms, secrets = shared.client("kms"), shared.client("secretsmanager")
    key = kms.create_key()["KeyMetadata"]
    secret = secrets.create_secret(Name="rate", SecretString="0.1", KmsKeyId=key["KeyId"])["ARN"]
    theirs, their_secrets, their_s3 = (member.client(name) for name in ("kms", "secretsmanager", "s3"))
    their_s3.create_bucket(Bucket="their-rates")
    sealed = {"Bucket": "their-rates", "Key": "k", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key["Arn"]}
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"42")["CiphertextBlob"]
    asked: list[Callable[[], Any]] = [
        lambda: theirs.encrypt(KeyId=key["Arn"], Plaintext=b"42"),
        lambda: theirs.decrypt(CiphertextBlob=blob),
        lambda: theirs.describe_key(KeyId=key["Arn"]),
        lambda: their_secrets.get_secret_value(SecretId=secret),
    ]
    assert {refusal(ask) for ask in asked} == {"AccessDeniedException"}
    assert refusal(lambda: their_s3.put_object(Body=b"0.1", **sealed)) == "AccessDenied"

    policy = json.loads(kms.get_key_policy(KeyId=key["KeyId"])["Policy"])
    them = {"AWS": f"arn:aws:iam::{member.account}:root"}
    policy["Statement"].append({"Effect": "Allow", "Principal": them, "Action": "kms:*", "Resource": "*"})
    kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=json.dumps(policy))
    reads = {"Effect": "Allow", "Principal": them, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [reads]})
    secrets.put_resource_policy(SecretId=secret, ResourcePolicy=document)
    assert theirs.decrypt(CiphertextBlob=theirs.encrypt(KeyId=key["Arn"], Plaintext=b"42")["CiphertextBlob"])["KeyId"]
    assert theirs.decrypt(CiphertextBlob=blob)["Plaintext"] == b"42"
    assert theirs.describe_key(KeyId=key["Arn"])["KeyMetadata"]["AWSAccountId"] == key["AWSAccountId"]
    assert their_secrets.get_secret_value(SecretId=secret)["SecretString"] == "0.1"
    their_s3.put_object(Body=b"0.1", **sealed)
    assert their_s3.get_object(Bucket="their-rates", Key="k")["Body"].read() == b"0.1"
    assert refusal(lambda: theirs.schedule_key_deletion(KeyId=key["Arn"])) == "NotFoundException"


def test_messages_cross_by_the_policies_of_queues_and_topics(shared: RunningClary, member: Member) -> None:
    sqs, sns, home = shared.client("sqs"), shared.client("sns"), shared.role_arn.split(":")[4]
    queue = sqs.create_queue(QueueName="rates")["QueueUrl"]
    topic = sns.create_topic(Name="rates")["TopicArn"]
    theirs, their_sns = member.client("sqs"), member.client("sns")
    named = {"QueueName": "rates", "QueueOwnerAWSAccountId": home}
    assert refusal(lambda: theirs.get_queue_url(**named)).endswith("AccessDeniedException")
    assert refusal(lambda: theirs.send_message(QueueUrl=queue, MessageBody="0.1")).endswith("AccessDeniedException")
    assert refusal(lambda: their_sns.publish(TopicArn=topic, Message="0.1")) == "AuthorizationError"

    sqs.add_permission(
        QueueUrl=queue, Label="team", AWSAccountIds=[member.account], Actions=["SendMessage", "GetQueueUrl"]
    )
    sns.add_permission(TopicArn=topic, Label="team", AWSAccountId=[member.account], ActionName=["Publish"])
    assert theirs.get_queue_url(**named)["QueueUrl"] == queue
    theirs.send_message(QueueUrl=queue, MessageBody="0.1")
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert message["Body"] == "0.1"
    assert their_sns.publish(TopicArn=topic, Message="0.1")["MessageId"]
    assert refusal(lambda: theirs.receive_message(QueueUrl=queue)).endswith("AccessDeniedException")
    assert refusal(lambda: theirs.delete_queue(QueueUrl=queue)) == "AWS.SimpleQueueService.NonExistentQueue"


def test_within_an_account_a_trust_that_names_a_user_is_enough(shared: RunningClary, member: Member) -> None:
    iam = member.client("iam")
    who = iam.create_user(UserName="bob")["User"]["Arn"]
    trust = {"Effect": "Allow", "Principal": {"AWS": who}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="bobs", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
    sts = session.client("sts", endpoint_url=shared.endpoint_url)
    assert sts.assume_role(RoleArn=role, RoleSessionName="bob")["AssumedRoleUser"]["Arn"].endswith("/bobs/bob")


def test_an_organization_is_what_was_made(shared: RunningClary, organizations: Any, member: Member) -> None:
    home = shared.client("sts").get_caller_identity()["Account"]
    found = organizations.describe_organization()["Organization"]
    assert (found["MasterAccountId"], found["FeatureSet"]) == (home, "ALL")
    assert member.client("organizations").describe_organization()["Organization"]["Id"] == found["Id"]
    [root] = organizations.list_roots()["Roots"]
    accounts = organizations.list_accounts_for_parent(ParentId=root["Id"])["Accounts"]
    assert {each["Id"] for each in accounts} == {home, member.account}
    assert [
        each["Id"] for each in organizations.get_paginator("list_accounts").paginate().build_full_result()["Accounts"]
    ] == [
        home,
        member.account,
    ]
    [parent] = organizations.list_parents(ChildId=member.account)["Parents"]
    assert parent == {"Id": root["Id"], "Type": "ROOT"}
    organizations.tag_resource(ResourceId=member.account, Tags=[{"Key": "team", "Value": "rates"}])
    assert organizations.list_tags_for_resource(ResourceId=member.account)["Tags"] == [
        {"Key": "team", "Value": "rates"}
    ]
    again = organizations.create_account(Email="team@example.com", AccountName="other")["CreateAccountStatus"]
    assert (again["State"], again["FailureReason"]) == ("FAILED", "EMAIL_ALREADY_EXISTS")
    told = organizations.describe_create_account_status(CreateAccountRequestId=again["Id"])["CreateAccountStatus"]
    assert told == again
    failed = organizations.list_create_account_status(States=["FAILED"])["CreateAccountStatuses"]
    assert [each["Id"] for each in failed] == [again["Id"]]


def test_what_an_organization_refuses(organizations: Any, member: Member) -> None:
    theirs = member.client("organizations")
    wrong: list[tuple[Callable[[], Any], str]] = [
        (organizations.create_organization, "AlreadyInOrganizationException"),
        (theirs.create_organization, "AlreadyInOrganizationException"),
        (theirs.list_accounts, "AccessDeniedException"),
        (lambda: theirs.create_account(Email="x@example.com", AccountName="x"), "AccessDeniedException"),
        (lambda: organizations.describe_account(AccountId="111122223333"), "AccountNotFoundException"),
        (lambda: organizations.close_account(AccountId="111122223333"), "AccountNotFoundException"),
        (lambda: organizations.list_accounts_for_parent(ParentId="r-none"), "ParentNotFoundException"),
        (lambda: organizations.list_parents(ChildId="111122223333"), "ChildNotFoundException"),
        (lambda: organizations.list_accounts(NextToken="x"), "InvalidInputException"),
        (organizations.delete_organization, "OrganizationNotEmptyException"),
        (
            lambda: organizations.describe_create_account_status(CreateAccountRequestId="car-00000000"),
            "CreateAccountStatusNotFoundException",
        ),
    ]
    assert [refusal(ask) for ask, _ in wrong] == [code for _, code in wrong]


def test_nobody_of_an_account_that_was_closed_does_anything(shared: RunningClary, organizations: Any) -> None:
    gone = Member(shared, joined(organizations, "gone"))
    iam = gone.client("iam")
    iam.create_user(UserName="eve")
    key = iam.create_access_key(UserName="eve")["AccessKey"]
    organizations.close_account(AccountId=gone.account)
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
    asked = session.client("sts", endpoint_url=shared.endpoint_url).get_caller_identity
    assert refusal(asked) == "InvalidClientTokenId"
    assert refusal(iam.list_users) == "AccessDenied"
    assert refusal(lambda: gone.client("iam")) == "AccessDenied"
    assert organizations.describe_account(AccountId=gone.account)["Account"]["State"] == "SUSPENDED"
    assert refusal(lambda: organizations.close_account(AccountId=gone.account)) == "AccountAlreadyClosedException"


def test_the_organization_survives_kill(shared: RunningClary, organizations: Any) -> None:
    account = joined(organizations, "kept")
    shared.kill("control")

    def there() -> bool:
        try:
            return bool(organizations.describe_account(AccountId=account)["Account"]["State"] == "ACTIVE")
        except ClientError:
            return False

    wait_until(there, 120, "control answers again")
    assert Member(shared, account).client("sts").get_caller_identity()["Account"] == account
