"""Roles: their life, their refusals and their trust."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

from clary.calls import Call, account_root
from clary.errors import AccessDenied, AWSError, ValidationError
from clary.services.iam.roles import check_pass_role

from .conftest import ACCOUNT, Cloud


def trust(**principal: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


SAGEMAKER = trust(Service="sagemaker.amazonaws.com")


def refused(code: str, status: int) -> Any:
    def check(error: AWSError) -> bool:
        return (error.code, error.status) == (code, status)

    return pytest.raises(AWSError, check=check)


def test_a_role_is_given_back_as_it_was_made(cloud: Cloud) -> None:
    made = cloud.ask(
        "CreateRole",
        RoleName="Train",
        Path="/ml/",
        AssumeRolePolicyDocument=SAGEMAKER,
        Description="d",
        MaxSessionDuration=7200,
        Tags=[{"Key": "team", "Value": "a"}],
    )["Role"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/ml/Train"
    assert made["RoleId"].startswith("AROA")
    found = cloud.ask("GetRole", RoleName="train")["Role"]
    assert json.loads(unquote(found["AssumeRolePolicyDocument"])) == json.loads(SAGEMAKER)
    assert found == made | {"RoleLastUsed": {}, "MaxSessionDuration": 7200}
    assert found["Tags"] == [{"Key": "team", "Value": "a"}]


def test_names_differ_in_more_than_case(cloud: Cloud) -> None:
    cloud.ask("CreateRole", RoleName="Train", AssumeRolePolicyDocument=SAGEMAKER)
    with refused("EntityAlreadyExists", 409) as error:
        cloud.ask("CreateRole", RoleName="TRAIN", AssumeRolePolicyDocument=SAGEMAKER)
    assert error.value.message == "Role with name TRAIN already exists."


@pytest.mark.parametrize("who", ["user/ghost", "role/ghost", "user/*"])
def test_a_trusted_user_or_role_of_the_own_account_must_be_there(cloud: Cloud, who: str) -> None:
    name = f"arn:aws:iam::{ACCOUNT}:{who}"
    cloud.ask("CreateRole", RoleName="Train", AssumeRolePolicyDocument=SAGEMAKER)
    for operation, member in (("CreateRole", "AssumeRolePolicyDocument"), ("UpdateAssumeRolePolicy", "PolicyDocument")):
        with refused("MalformedPolicyDocument", 400) as error:
            cloud.ask(operation, RoleName="Train", **{member: trust(AWS=[f"arn:aws:iam::{ACCOUNT}:root", name])})
        assert error.value.message == f'Invalid principal in policy: "AWS":"{name}"'


def test_trusted_principals_that_are_there_or_elsewhere(cloud: Cloud) -> None:
    cloud.user("ann")
    names = [f"arn:aws:iam::{ACCOUNT}:user/ann", "arn:aws:iam::999999999999:role/theirs", ACCOUNT, "*"]
    cloud.ask("CreateRole", RoleName="Train", AssumeRolePolicyDocument=trust(AWS=names))


def test_a_role_that_is_not_there(cloud: Cloud) -> None:
    with refused("NoSuchEntity", 404) as error:
        cloud.ask("GetRole", RoleName="nobody")
    assert error.value.message == "The role with name nobody cannot be found."


def test_roles_are_listed_by_name_page_by_page(cloud: Cloud) -> None:
    for name in ("b", "A", "c"):
        cloud.ask("CreateRole", RoleName=name, Path="/x/", AssumeRolePolicyDocument=SAGEMAKER)
    first = cloud.ask("ListRoles", PathPrefix="/x/", MaxItems=2)
    assert [role["RoleName"] for role in first["Roles"]] == ["A", "b"]
    assert first["IsTruncated"]
    last = cloud.ask("ListRoles", PathPrefix="/x/", MaxItems=2, Marker=first["Marker"])
    assert [role["RoleName"] for role in last["Roles"]] == ["c"]
    assert not last["IsTruncated"]
    assert "Marker" not in last
    with refused("ValidationError", 400):
        cloud.ask("ListRoles", Marker="ä")


def test_a_role_with_policies_cannot_be_deleted(cloud: Cloud) -> None:
    cloud.ask("CreateRole", RoleName="r", AssumeRolePolicyDocument=SAGEMAKER)
    arn = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
    cloud.ask("AttachRolePolicy", RoleName="r", PolicyArn=arn)
    assert cloud.ask("ListAttachedRolePolicies", RoleName="r")["AttachedPolicies"] == [
        {"PolicyName": "AmazonS3FullAccess", "PolicyArn": arn}
    ]
    with refused("DeleteConflict", 409) as error:
        cloud.ask("DeleteRole", RoleName="r")
    assert error.value.message == "Cannot delete entity, must detach all policies first."
    cloud.ask("DetachRolePolicy", RoleName="r", PolicyArn=arn)
    with refused("NoSuchEntity", 404):
        cloud.ask("DetachRolePolicy", RoleName="r", PolicyArn=arn)
    cloud.ask("PutRolePolicy", RoleName="r", PolicyName="p", PolicyDocument=ALLOW_ALL)
    with refused("DeleteConflict", 409):
        cloud.ask("DeleteRole", RoleName="r")
    cloud.ask("DeleteRolePolicy", RoleName="r", PolicyName="p")
    cloud.ask("DeleteRole", RoleName="r")
    with refused("NoSuchEntity", 404):
        cloud.ask("GetRole", RoleName="r")


ALLOW_ALL = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("{", "This policy contains invalid Json"),
        ("[1]", "Syntax errors in policy."),
        (ALLOW_ALL, "Has prohibited field Resource"),
        (
            SAGEMAKER.replace("sts:AssumeRole", "s3:GetObject"),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            SAGEMAKER.replace('"Service"', '"Servant"'),
            'Invalid principal in policy: {"Servant": "sagemaker.amazonaws.com"}',
        ),
        (SAGEMAKER.replace("2012-10-17", "2030-01-01"), "The policy must contain a valid version string"),
    ],
)
def test_a_trust_policy_that_is_none(cloud: Cloud, document: str, text: str) -> None:
    with refused("MalformedPolicyDocument", 400) as error:
        cloud.ask("CreateRole", RoleName="r", AssumeRolePolicyDocument=document)
    assert error.value.message == text


def test_updates(cloud: Cloud) -> None:
    cloud.ask("CreateRole", RoleName="r", AssumeRolePolicyDocument=SAGEMAKER)
    cloud.ask("UpdateRole", RoleName="r", Description="new", MaxSessionDuration=3601)
    cloud.ask("UpdateAssumeRolePolicy", RoleName="r", PolicyDocument=trust(AWS=ACCOUNT))
    found = cloud.ask("GetRole", RoleName="r")["Role"]
    assert (found["Description"], found["MaxSessionDuration"]) == ("new", 3601)
    assert json.loads(unquote(found["AssumeRolePolicyDocument"])) == json.loads(trust(AWS=ACCOUNT))
    assert cloud.ask("UpdateRoleDescription", RoleName="r", Description="2")["Role"]["Description"] == "2"
    assert cloud.ask("ListInstanceProfilesForRole", RoleName="r")["InstanceProfiles"] == []


def test_tags(cloud: Cloud) -> None:
    cloud.ask("CreateRole", RoleName="r", AssumeRolePolicyDocument=SAGEMAKER)
    cloud.ask("TagRole", RoleName="r", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    cloud.ask("UntagRole", RoleName="r", TagKeys=["a", "none"])
    assert cloud.ask("ListRoleTags", RoleName="r")["Tags"] == [{"Key": "b", "Value": "2"}]


class TestPassing:
    """check_pass_role, as SageMaker's creates ask it."""

    @pytest.fixture
    def role(self, cloud: Cloud) -> str:
        return str(cloud.ask("CreateRole", RoleName="r", AssumeRolePolicyDocument=SAGEMAKER)["Role"]["Arn"])

    @staticmethod
    def check(cloud: Cloud, who: Any, arn: str) -> None:
        call = Call(who, "sagemaker", "CreateTrainingJob", {}, "us-east-1")
        check_pass_role(cloud.store.read, call, arn, "sagemaker.amazonaws.com")

    def test_a_role_that_trusts_sagemaker_passes(self, cloud: Cloud, role: str) -> None:
        self.check(cloud, cloud.owner, role)
        self.check(cloud, cloud.user("ann", "AmazonSageMakerFullAccess"), role)

    def test_without_pass_role_it_is_refused(self, cloud: Cloud, role: str) -> None:
        ann = cloud.user("ann", "ReadOnlyAccess")
        with pytest.raises(AccessDenied) as error:
            self.check(cloud, ann, role)
        assert error.value.code == "AccessDeniedException"
        assert error.value.message == (
            f"User: {ann.arn} is not authorized to perform: iam:PassRole on resource: {role} because no identity-based "
            "policy allows the iam:PassRole action"
        )

    def test_a_role_of_another_account_is_passed_by_nobody(self, cloud: Cloud, role: str) -> None:
        """Whoever may do everything in the own account could take any role that trusts the service otherwise."""
        with pytest.raises(AccessDenied) as error:
            self.check(cloud, account_root("222222222222"), role)
        assert error.value.message == "Cross-account pass role is not allowed."

    def test_a_role_that_is_not_there_or_trusts_another(self, cloud: Cloud, role: str) -> None:
        cloud.ask("UpdateAssumeRolePolicy", RoleName="r", PolicyDocument=trust(Service="ec2.amazonaws.com"))
        for arn in (role, f"arn:aws:iam::{ACCOUNT}:role/none"):
            with pytest.raises(ValidationError) as error:
                self.check(cloud, cloud.owner, arn)
            assert error.value.message == (
                f"Could not assume role {arn}. Please ensure that the role exists and allows principal "
                "'sagemaker.amazonaws.com' to assume the role."
            )

    def test_a_condition_on_the_source_account_is_met(self, cloud: Cloud, role: str) -> None:
        for account, met in ((ACCOUNT, True), ("999999999999", False)):
            document = json.loads(SAGEMAKER)
            document["Statement"][0]["Condition"] = {"StringEquals": {"aws:SourceAccount": account}}
            cloud.ask("UpdateAssumeRolePolicy", RoleName="r", PolicyDocument=json.dumps(document))
            if met:
                self.check(cloud, cloud.owner, role)
            else:
                with pytest.raises(ValidationError):
                    self.check(cloud, cloud.owner, role)
