"""Identities as boto3 sees them: keys, sessions and policies made by one call count in the next, in every process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from tests.running import RunningClary

pytestmark = pytest.mark.system

ACCOUNT = "000000000000"
TRUST = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
SAGEMAKER_TRUST = {**TRUST, "Principal": {"Service": "sagemaker.amazonaws.com"}}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def iam(shared: RunningClary) -> Any:
    return shared.client("iam")


@pytest.fixture
def clients(shared: RunningClary) -> Any:
    """Clients that sign with credentials as IAM and STS answer them."""

    def make(service: str, credentials: dict[str, Any]) -> Any:
        return boto3.client(
            service,
            endpoint_url=shared.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials.get("SessionToken"),
            config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
        )

    return make


@pytest.fixture
def user(iam: Any) -> Iterator[dict[str, Any]]:
    """A user without any right, and its key."""
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    yield key
    for name in iam.list_user_policies(UserName="ann")["PolicyNames"]:
        iam.delete_user_policy(UserName="ann", PolicyName=name)
    iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="ann")


def refused(code: str, status: int) -> Any:
    def check(error: ClientError) -> bool:
        found = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        return found == (code, status)

    return pytest.raises(ClientError, check=check)


def test_who_the_first_key_is(shared: RunningClary) -> None:
    assert shared.client("sts").get_caller_identity()["Arn"] == (
        f"arn:aws:sts::{ACCOUNT}:assumed-role/ClaryExecutionRole/clary"
    )


def test_policy_documents_come_back_as_documents(iam: Any) -> None:
    role = iam.get_role(RoleName="ClaryExecutionRole")["Role"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert "sagemaker.amazonaws.com" in statement["Principal"]["Service"]
    arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    assert found["Statement"][0]["Sid"] == "AllowAllNonAdminSageMakerActions"


def test_a_user_may_do_what_its_policies_say_from_the_next_call_on(
    iam: Any, clients: Any, user: dict[str, Any]
) -> None:
    s3, sagemaker, own_iam = (clients(name, user) for name in ("s3", "sagemaker", "iam"))
    with refused("AccessDenied", 403):
        s3.list_buckets()
    with refused("AccessDeniedException", 400) as error:
        sagemaker.list_models()
    assert "is not authorized to perform: sagemaker:ListModels" in error.value.response["Error"]["Message"]
    with refused("AccessDenied", 403):
        own_iam.list_roles()
    allow = {"Effect": "Allow", "Action": ["s3:ListAllMyBuckets", "sagemaker:List*"], "Resource": "*"}
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=document(allow))
    assert s3.list_buckets()["Buckets"] == []
    assert sagemaker.list_models()["Models"] == []


def test_unknown_keys_are_refused_in_each_protocols_words(clients: Any) -> None:
    nobody = {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "x"}
    with refused("InvalidClientTokenId", 403):
        clients("sts", nobody).get_caller_identity()
    with refused("UnrecognizedClientException", 400):
        clients("sagemaker", nobody).list_models()
    with refused("InvalidAccessKeyId", 403):
        clients("s3", nobody).list_buckets()


def test_a_wrong_secret_is_refused(clients: Any, user: dict[str, Any]) -> None:
    with refused("SignatureDoesNotMatch", 403):
        clients("sts", user | {"SecretAccessKey": "wrong"}).get_caller_identity()


def test_an_assumed_role_and_its_session_policy(shared: RunningClary, iam: Any, clients: Any) -> None:
    arn = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=document(TRUST))["Role"]["Arn"]
    iam.attach_role_policy(RoleName="reader", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    sts = shared.client("sts")
    narrow = document({"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"})
    wide = sts.assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    assert clients("s3", wide).list_buckets()["Buckets"] == []
    assert clients("sts", wide).get_caller_identity()["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/me"
    narrowed = sts.assume_role(RoleArn=arn, RoleSessionName="me", Policy=narrow)["Credentials"]
    with refused("AccessDenied", 403):
        clients("s3", narrowed).list_buckets()
    with refused("InvalidClientTokenId", 403):
        clients("sts", wide | {"SessionToken": narrowed["SessionToken"]}).get_caller_identity()


def test_a_role_is_passed_only_by_who_may_and_only_where_it_is_trusted(
    shared: RunningClary, iam: Any, clients: Any, user: dict[str, Any]
) -> None:
    role = iam.create_role(RoleName="model", AssumeRolePolicyDocument=document(SAGEMAKER_TRUST))["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=document(allow))
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    model = {"ModelName": "m", "ExecutionRoleArn": role, "PrimaryContainer": {"Image": image}}
    with refused("AccessDeniedException", 400) as error:
        clients("sagemaker", user).create_model(**model)
    assert f"iam:PassRole on resource: {role}" in error.value.response["Error"]["Message"]
    assert shared.client("sagemaker").create_model(**model)["ModelArn"]
    nowhere = f"arn:aws:iam::{ACCOUNT}:role/nowhere"
    with refused("ValidationException", 400) as error:
        shared.client("sagemaker").create_model(**model | {"ModelName": "n", "ExecutionRoleArn": nowhere})
    assert "Could not assume role" in error.value.response["Error"]["Message"]


def test_errors_of_iam_are_its_exceptions(iam: Any) -> None:
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName="nobody")
    with pytest.raises(iam.exceptions.MalformedPolicyDocumentException):
        iam.create_role(RoleName="bad", AssumeRolePolicyDocument="{")
    with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="claryexecutionrole", AssumeRolePolicyDocument=document(TRUST))
    with refused("ValidationError", 400):
        iam.create_role(RoleName="no spaces", AssumeRolePolicyDocument=document(TRUST))


def test_lists_are_walked_by_boto3s_paginators(iam: Any) -> None:
    for number in range(3):
        iam.create_role(RoleName=f"page-{number}", Path="/pages/", AssumeRolePolicyDocument=document(TRUST))
    pages = iam.get_paginator("list_roles").paginate(PathPrefix="/pages/", PaginationConfig={"PageSize": 2})
    assert [role["RoleName"] for page in pages for role in page["Roles"]] == ["page-0", "page-1", "page-2"]
    simulated = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole",
        ActionNames=["ecr:GetAuthorizationToken", "ec2:CreateNetworkInterface", "cloudwatch:PutMetricData"],
        PaginationConfig={"PageSize": 2},
    )
    assert {each["EvalDecision"] for page in simulated for each in page["EvaluationResults"]} == {"allowed"}


def test_a_presigned_url_is_not_worth_its_signer(shared: RunningClary, clients: Any) -> None:
    """The session token stands in the URL; whoever is given it must not be able to fetch credentials with it."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
    session = shared.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    url = f"{shared.endpoint_url}/_clary/credentials/{session['AccessKeyId']}"
    assert _status(url, session["SessionToken"]) == 403
    shell = shared.variables
    assert _status(shell["AWS_CONTAINER_CREDENTIALS_FULL_URI"], shell["AWS_CONTAINER_AUTHORIZATION_TOKEN"]) == 200


def _status(url: str, authorization: str) -> int:
    request = AWSRequest("GET", url, headers={"Authorization": authorization}).prepare()
    return int(URLLib3Session(timeout=60).send(request).status_code)


def test_identities_outlive_every_process(shared: RunningClary, iam: Any, clients: Any, user: dict[str, Any]) -> None:
    shared.kill("supervisor", "control", "edge", "launcher")
    shared.up()
    assert clients("sts", user).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/ann"
    assert iam.get_user(UserName="ann")["User"]["UserName"] == "ann"
