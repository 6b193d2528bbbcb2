"""Users, their keys and their groups; what each may do shows at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clary.errors import AccessDenied, AWSError

from .conftest import ACCOUNT, Cloud
from .test_roles import refused

S3_READ = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


def policy(action: str, resource: str = "*", effect: str = "Allow", **more: Any) -> str:
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_new_user_may_do_nothing(cloud: Cloud) -> None:
    ann = cloud.user("ann")
    assert ann.arn == ann.identity == f"arn:aws:iam::{ACCOUNT}:user/ann"
    with pytest.raises(AccessDenied) as error:
        cloud.ask("ListUsers", ann)
    assert error.value.code == "AccessDenied"
    assert error.value.message == (
        f"User: {ann.arn} is not authorized to perform: iam:ListUsers on resource: * because no identity-based policy "
        "allows the iam:ListUsers action"
    )


def test_attached_and_inline_policies_count_at_once(cloud: Cloud) -> None:
    ann = cloud.user("ann")
    cloud.ask("AttachUserPolicy", UserName="ann", PolicyArn=S3_READ)
    assert cloud.may(ann, "s3:GetObject", "arn:aws:s3:::b/k")
    cloud.ask("PutUserPolicy", UserName="ann", PolicyName="no", PolicyDocument=policy("s3:*", effect="Deny"))
    assert not cloud.may(ann, "s3:GetObject", "arn:aws:s3:::b/k")
    cloud.ask("DeleteUserPolicy", UserName="ann", PolicyName="no")
    assert cloud.may(ann, "s3:GetObject", "arn:aws:s3:::b/k")
    cloud.ask("DetachUserPolicy", UserName="ann", PolicyArn=S3_READ)
    assert not cloud.may(ann, "s3:GetObject", "arn:aws:s3:::b/k")


def test_an_explicit_deny_says_so(cloud: Cloud) -> None:
    ann = cloud.user("ann", "AdministratorAccess")
    cloud.ask("PutUserPolicy", UserName="ann", PolicyName="no", PolicyDocument=policy("iam:Get*", effect="Deny"))
    with pytest.raises(AccessDenied) as error:
        cloud.ask("GetRole", ann, RoleName="r")
    assert error.value.message.endswith("with an explicit deny in an identity-based policy")


def test_groups_give_their_policies_to_their_members(cloud: Cloud) -> None:
    ann = cloud.user("ann")
    group = cloud.ask("CreateGroup", GroupName="Readers")["Group"]
    assert group["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/Readers"
    cloud.ask("AttachGroupPolicy", GroupName="Readers", PolicyArn=S3_READ)
    cloud.ask("AddUserToGroup", GroupName="readers", UserName="ann")
    assert cloud.may(ann, "s3:GetObject", "arn:aws:s3:::b/k")
    assert [user["UserName"] for user in cloud.ask("GetGroup", GroupName="Readers")["Users"]] == ["ann"]
    assert cloud.ask("ListGroupsForUser", UserName="ann")["Groups"] == [group]
    with refused("DeleteConflict", 409):
        cloud.ask("DeleteUser", UserName="ann")
    cloud.ask("DetachGroupPolicy", GroupName="Readers", PolicyArn=S3_READ)
    with refused("DeleteConflict", 409) as error:
        cloud.ask("DeleteGroup", GroupName="Readers")
    assert error.value.message == "Cannot delete entity, must remove users from group first."
    cloud.ask("RemoveUserFromGroup", GroupName="Readers", UserName="ann")
    assert not cloud.may(ann, "s3:GetObject", "arn:aws:s3:::b/k")
    cloud.ask("DeleteGroup", GroupName="Readers")
    assert cloud.ask("ListGroups")["Groups"] == []


def test_a_boundary_bounds(cloud: Cloud) -> None:
    ann = cloud.user("ann", "AdministratorAccess")
    cloud.ask("PutUserPermissionsBoundary", UserName="ann", PermissionsBoundary=S3_READ)
    assert cloud.ask("GetUser", UserName="ann")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == S3_READ
    assert cloud.may(ann, "s3:GetObject", "arn:aws:s3:::b/k")
    with pytest.raises(AccessDenied) as error:
        cloud.ask("ListUsers", ann)
    assert error.value.message.endswith("because no permissions boundary allows the iam:ListUsers action")
    cloud.ask("DeleteUserPermissionsBoundary", UserName="ann")
    cloud.ask("ListUsers", ann)


def test_without_a_name_a_user_is_asked_about_itself(cloud: Cloud) -> None:
    ann = cloud.user("ann")
    document = policy("iam:*", "arn:aws:iam::*:user/${aws:username}")
    cloud.ask("PutUserPolicy", UserName="ann", PolicyName="self", PolicyDocument=document)
    assert cloud.ask("GetUser", ann)["User"]["UserName"] == "ann"
    assert len(cloud.ask("ListAccessKeys", ann)["AccessKeyMetadata"]) == 1
    with pytest.raises(AccessDenied):
        cloud.ask("GetUser", ann, UserName="bob")
    with refused("ValidationError", 400):
        cloud.ask("GetUser")


class TestKeys:
    def test_at_most_two(self, cloud: Cloud) -> None:
        cloud.user("ann")
        cloud.ask("CreateAccessKey", UserName="ann")
        with refused("LimitExceeded", 409) as error:
            cloud.ask("CreateAccessKey", UserName="ann")
        assert error.value.message == "Cannot exceed quota for AccessKeysPerUser: 2"

    def test_an_inactive_or_deleted_key_is_unknown(self, cloud: Cloud) -> None:
        cloud.ask("CreateUser", UserName="ann")
        key = cloud.ask("CreateAccessKey", UserName="ann")["AccessKey"]
        assert cloud.identity.find(key["AccessKeyId"], None).secret_key == key["SecretAccessKey"]
        cloud.ask("UpdateAccessKey", UserName="ann", AccessKeyId=key["AccessKeyId"], Status="Inactive")
        with refused("InvalidClientTokenId", 403):
            cloud.identity.find(key["AccessKeyId"], None)
        cloud.ask("UpdateAccessKey", UserName="ann", AccessKeyId=key["AccessKeyId"], Status="Active")
        assert cloud.identity.find(key["AccessKeyId"], None)
        with refused("DeleteConflict", 409):
            cloud.ask("DeleteUser", UserName="ann")
        cloud.ask("DeleteAccessKey", UserName="ann", AccessKeyId=key["AccessKeyId"])
        with refused("InvalidClientTokenId", 403):
            cloud.identity.find(key["AccessKeyId"], None)
        with refused("NoSuchEntity", 404):
            cloud.ask("DeleteAccessKey", UserName="ann", AccessKeyId=key["AccessKeyId"])
        cloud.ask("DeleteUser", UserName="ann")

    def test_the_key_of_another_cannot_be_changed(self, cloud: Cloud) -> None:
        bob = cloud.user("bob")
        cloud.user("ann")
        with refused("NoSuchEntity", 404):
            cloud.ask("DeleteAccessKey", UserName="ann", AccessKeyId=bob.access_key_id)

    def test_the_default_identitys_key_belongs_to_no_user(self, cloud: Cloud) -> None:
        cloud.user("ann")
        with refused("NoSuchEntity", 404):
            cloud.ask("DeleteAccessKey", UserName="ann", AccessKeyId=cloud.owner.access_key_id)


def test_a_user_that_is_renamed_keeps_what_it_has(cloud: Cloud) -> None:
    ann = cloud.user("ann", "AmazonS3ReadOnlyAccess")
    cloud.ask("TagUser", UserName="ann", Tags=[{"Key": "a", "Value": "1"}])
    cloud.ask("UpdateUser", UserName="ann", NewUserName="Anna", NewPath="/x/")
    anna = cloud.identity.find(ann.access_key_id, None).principal
    assert anna.arn == f"arn:aws:iam::{ACCOUNT}:user/x/Anna"
    assert anna.user_id == ann.user_id
    assert cloud.may(anna, "s3:GetObject", "arn:aws:s3:::b/k")
    assert cloud.ask("GetUser", UserName="anna")["User"]["Tags"] == [{"Key": "a", "Value": "1"}]
    cloud.ask("CreateUser", UserName="bob")
    with refused("EntityAlreadyExists", 409):
        cloud.ask("UpdateUser", UserName="Anna", NewUserName="BOB")
    assert cloud.ask("GetUser", UserName="anna")["User"]["UserName"] == "Anna"


def test_another_user_of_the_same_name_is_another(cloud: Cloud) -> None:
    ann = cloud.user("ann")
    cloud.ask("DeleteAccessKey", UserName="ann", AccessKeyId=ann.access_key_id)
    cloud.ask("DeleteUser", UserName="ann")
    again = cloud.user("ann", "AdministratorAccess")
    assert cloud.may(again, "s3:GetObject")
    assert not cloud.may(ann, "s3:GetObject")


def test_principal_tags_are_condition_keys(cloud: Cloud) -> None:
    ann = cloud.user("ann")
    block = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    cloud.ask("PutUserPolicy", UserName="ann", PolicyName="p", PolicyDocument=policy("sagemaker:*", Condition=block))
    assert not cloud.may(ann, "sagemaker:DeleteModel", **{"aws:ResourceTag/team": "red"})
    cloud.ask("TagUser", UserName="ann", Tags=[{"Key": "team", "Value": "red"}])
    assert cloud.may(ann, "sagemaker:DeleteModel", **{"aws:ResourceTag/team": "red"})
    assert not cloud.may(ann, "sagemaker:DeleteModel", **{"aws:ResourceTag/team": "blue"})


NO_ACTION = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", {}"Resource": "*"}]}'


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("{", "This policy contains invalid Json"),
        (policy("s3:*").replace("2012-10-17", "2008-10-17"), "Policy document must be version 2012-10-17 or greater."),
        (policy("GetObject"), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
        (policy("s3:*", "bucket"), 'Resource bucket must be in ARN format or "*".'),
        (policy("s3:*", "arn:aws:s3"), 'Resource arn:aws:s3 must be in ARN format or "*".'),
        (policy("s3:*", Principal="*"), "Policy document should not specify a principal."),
        (policy("s3:*", effect="Maybe"), "Syntax errors in policy."),
        (policy("s3:*", Condition={"StringAlmost": {"a:b": "c"}}), "Invalid Condition type : StringAlmost."),
        (NO_ACTION.replace("{}", ""), "Policy statement must contain actions."),
        ('{"Version": "2012-10-17", "Statement": []}', "Syntax error: Policy statements cannot be empty."),
        (NO_ACTION.replace("{}", '"Action": {"a": 1},'), "Syntax errors in policy."),
    ],
)
def test_a_policy_that_is_none(cloud: Cloud, document: str, text: str) -> None:
    cloud.ask("CreateUser", UserName="ann")
    with refused("MalformedPolicyDocument", 400) as error:
        cloud.ask("PutUserPolicy", UserName="ann", PolicyName="p", PolicyDocument=document)
    assert error.value.message == text


def test_inline_policies_are_bounded(cloud: Cloud) -> None:
    cloud.ask("CreateUser", UserName="ann")
    with refused("LimitExceeded", 409) as error:
        cloud.ask("PutUserPolicy", UserName="ann", PolicyName="p", PolicyDocument=policy("s3:" + "a" * 3000))
    assert error.value.message == "Maximum policy size of 2048 bytes exceeded for user ann"


def test_a_login_profile_is_never_there(cloud: Cloud) -> None:
    cloud.ask("CreateUser", UserName="ann")
    with pytest.raises(AWSError, match="Login Profile for User ann cannot be found"):
        cloud.ask("GetLoginProfile", UserName="ann")
