"""Managed policies, the customer's and AWS's, and simulations of them."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest

from .conftest import ACCOUNT, Cloud
from .test_roles import SAGEMAKER, refused
from .test_users import S3_READ, policy

SAGEMAKER_FULL = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"


def made(cloud: Cloud, name: str = "P", action: str = "s3:Get*") -> str:
    return str(cloud.ask("CreatePolicy", PolicyName=name, PolicyDocument=policy(action))["Policy"]["Arn"])


def test_a_policy_is_given_back_as_it_was_made(cloud: Cloud) -> None:
    out = cloud.ask(
        "CreatePolicy",
        PolicyName="P",
        Path="/x/",
        PolicyDocument=policy("s3:*"),
        Description="d",
        Tags=[{"Key": "a", "Value": "1"}],
    )["Policy"]
    assert out["Arn"] == f"arn:aws:iam::{ACCOUNT}:policy/x/P"
    assert cloud.ask("GetPolicy", PolicyArn=out["Arn"])["Policy"] == out
    version = cloud.ask("GetPolicyVersion", PolicyArn=out["Arn"], VersionId="v1")["PolicyVersion"]
    assert unquote(version["Document"]) == policy("s3:*")
    with refused("EntityAlreadyExists", 409) as error:
        made(cloud, "p")
    assert error.value.message == "A policy called p already exists. Duplicate names are not allowed."


def test_the_default_version_is_the_one_that_counts(cloud: Cloud) -> None:
    ann, arn = cloud.user("ann"), made(cloud)
    cloud.ask("AttachUserPolicy", UserName="ann", PolicyArn=arn)
    assert cloud.may(ann, "s3:GetObject")
    made_ = cloud.ask("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=policy("iam:*"), SetAsDefault=True)
    assert made_["PolicyVersion"]["VersionId"] == "v2"
    assert made_["PolicyVersion"]["IsDefaultVersion"]
    assert cloud.may(ann, "iam:GetUser")
    assert not cloud.may(ann, "s3:GetObject")
    cloud.ask("SetDefaultPolicyVersion", PolicyArn=arn, VersionId="v1")
    assert cloud.may(ann, "s3:GetObject")
    with refused("DeleteConflict", 409):
        cloud.ask("DeletePolicyVersion", PolicyArn=arn, VersionId="v1")
    with refused("DeleteConflict", 409):
        cloud.ask("DeletePolicy", PolicyArn=arn)
    cloud.ask("DeletePolicyVersion", PolicyArn=arn, VersionId="v2")
    cloud.ask("DetachUserPolicy", UserName="ann", PolicyArn=arn)
    cloud.ask("DeletePolicy", PolicyArn=arn)
    with refused("NoSuchEntity", 404) as error:
        cloud.ask("GetPolicy", PolicyArn=arn)
    assert error.value.message == f"Policy {arn} was not found."


def test_version_numbers_are_never_used_twice(cloud: Cloud) -> None:
    arn = made(cloud)
    for _ in range(4):
        cloud.ask("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=policy("s3:*"))
    with refused("LimitExceeded", 409):
        cloud.ask("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=policy("s3:*"))
    cloud.ask("DeletePolicyVersion", PolicyArn=arn, VersionId="v5")
    cloud.ask("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=policy("s3:*"))
    versions = cloud.ask("ListPolicyVersions", PolicyArn=arn)["Versions"]
    assert [version["VersionId"] for version in versions] == ["v6", "v4", "v3", "v2", "v1"]


def test_awss_policies_are_there_by_arn_with_their_content(cloud: Cloud) -> None:
    found = cloud.ask("GetPolicy", PolicyArn=SAGEMAKER_FULL)["Policy"]
    assert found["PolicyName"] == "AmazonSageMakerFullAccess"
    assert found["AttachmentCount"] == 1
    version = cloud.ask("GetPolicyVersion", PolicyArn=SAGEMAKER_FULL, VersionId=found["DefaultVersionId"])
    assert "iam:PassRole" in unquote(version["PolicyVersion"]["Document"])
    with refused("NoSuchEntity", 404):
        cloud.ask("DeletePolicy", PolicyArn=SAGEMAKER_FULL)
    with refused("NoSuchEntity", 404) as error:
        cloud.ask("AttachRolePolicy", RoleName="ClaryExecutionRole", PolicyArn="arn:aws:iam::aws:policy/None")
    assert error.value.message == "Policy arn:aws:iam::aws:policy/None does not exist or is not attachable."
    with refused("ValidationError", 400) as error:
        cloud.ask("AttachRolePolicy", RoleName="ClaryExecutionRole", PolicyArn="only-the-name-of-a-policy")
    assert error.value.message == "Invalid ARN:  Could not be parsed!"
    lambda_role = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    assert cloud.ask("GetPolicy", PolicyArn=lambda_role)["Policy"]["Path"] == "/service-role/"


def test_lists_of_policies(cloud: Cloud) -> None:
    arn = made(cloud)
    local = cloud.ask("ListPolicies", Scope="Local")["Policies"]
    assert [each["Arn"] for each in local] == [arn]
    attached = cloud.ask("ListPolicies", OnlyAttached=True)["Policies"]
    assert SAGEMAKER_FULL in {each["Arn"] for each in attached}
    assert arn not in {each["Arn"] for each in attached}
    everything, marker = [], {}
    while True:
        page = cloud.ask("ListPolicies", MaxItems=7, **marker)
        everything += [each["Arn"] for each in page["Policies"]]
        if not page["IsTruncated"]:
            break
        marker = {"Marker": page["Marker"]}
    assert len(everything) == len(set(everything)) > 20
    entities = cloud.ask("ListEntitiesForPolicy", PolicyArn=SAGEMAKER_FULL)
    assert [role["RoleName"] for role in entities["PolicyRoles"]] == ["ClaryExecutionRole"]


class TestSimulation:
    def test_a_role_as_the_sdk_asks_it(self, cloud: Cloud) -> None:
        role = cloud.ask("CreateRole", RoleName="r", AssumeRolePolicyDocument=SAGEMAKER)["Role"]["Arn"]
        cloud.ask("AttachRolePolicy", RoleName="r", PolicyArn=SAGEMAKER_FULL)
        actions = [
            "sagemaker:CreateTrainingJob",
            "ecr:GetAuthorizationToken",
            "cloudwatch:PutMetricData",
            "iam:CreateUser",
        ]
        answer = cloud.ask("SimulatePrincipalPolicy", PolicySourceArn=role, ActionNames=actions)
        decisions = {each["EvalActionName"]: each["EvalDecision"] for each in answer["EvaluationResults"]}
        assert decisions == dict.fromkeys(actions[:3], "allowed") | {"iam:CreateUser": "implicitDeny"}
        assert answer["EvaluationResults"][0]["MatchedStatements"][0]["SourcePolicyId"] == "AmazonSageMakerFullAccess"

    def test_pages(self, cloud: Cloud) -> None:
        role = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"
        params = {"PolicySourceArn": role, "ActionNames": ["s3:Get", "s3:Put"], "ResourceArns": ["*", "arn:aws:s3:::b"]}
        first = cloud.ask("SimulatePrincipalPolicy", **params, MaxItems=3)
        second = cloud.ask("SimulatePrincipalPolicy", **params, MaxItems=3, Marker=first["Marker"])
        pairs = [
            (each["EvalActionName"], each["EvalResourceName"])
            for each in first["EvaluationResults"] + second["EvaluationResults"]
        ]
        assert pairs == [("s3:Get", "*"), ("s3:Get", "arn:aws:s3:::b"), ("s3:Put", "*"), ("s3:Put", "arn:aws:s3:::b")]
        assert not second["IsTruncated"]

    def test_context_is_given_or_missing(self, cloud: Cloud) -> None:
        document = policy("s3:*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})
        ask = {"PolicyInputList": [document], "ActionNames": ["s3:GetObject"]}
        (missing,) = cloud.ask("SimulateCustomPolicy", **ask)["EvaluationResults"]
        assert missing["EvalDecision"] == "implicitDeny"
        assert missing["MissingContextValues"] == ["aws:RequestedRegion"]
        entry = {"ContextKeyName": "aws:RequestedRegion", "ContextKeyValues": ["eu-west-1"], "ContextKeyType": "string"}
        (given,) = cloud.ask("SimulateCustomPolicy", **ask, ContextEntries=[entry])["EvaluationResults"]
        assert (given["EvalDecision"], given["MissingContextValues"]) == ("allowed", [])
        nameless = {"ContextKeyValues": ["eu-west-1"]}
        (unsaid,) = cloud.ask("SimulateCustomPolicy", **ask, ContextEntries=[nameless])["EvaluationResults"]
        assert unsaid["MissingContextValues"] == ["aws:RequestedRegion"]

    def test_a_user_with_a_boundary_and_more_policies(self, cloud: Cloud) -> None:
        ann = cloud.user("ann")
        cloud.ask("PutUserPermissionsBoundary", UserName="ann", PermissionsBoundary=S3_READ)
        answer = cloud.ask(
            "SimulatePrincipalPolicy",
            PolicySourceArn=ann.arn,
            ActionNames=["s3:GetObject", "s3:PutObject"],
            PolicyInputList=[policy("s3:*")],
        )
        (get, put) = answer["EvaluationResults"]
        assert get["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": True}
        assert (put["EvalDecision"], put["PermissionsBoundaryDecisionDetail"]) == (
            "implicitDeny",
            {"AllowedByPermissionsBoundary": False},
        )

    def test_an_unknown_principal_and_a_bad_policy(self, cloud: Cloud) -> None:
        with refused("NoSuchEntity", 404):
            cloud.ask(
                "SimulatePrincipalPolicy", PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:role/x", ActionNames=["s3:Get"]
            )
        with refused("InvalidInput", 400):
            cloud.ask("SimulateCustomPolicy", PolicyInputList=["{"], ActionNames=["s3:GetObject"])


@pytest.mark.parametrize("document", [policy("s3:" + "a" * 6200), json.dumps([])])
def test_a_policy_that_is_too_long_or_none(cloud: Cloud, document: str) -> None:
    with refused(
        "LimitExceeded" if len(document) > 100 else "MalformedPolicyDocument", 409 if len(document) > 100 else 400
    ):
        cloud.ask("CreatePolicy", PolicyName="P", PolicyDocument=document)
