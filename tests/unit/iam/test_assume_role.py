"""AssumeRole: trust, duration, session policies, tags; and GetCallerIdentity, GetSessionToken."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clary.calls import Principal
from clary.errors import AccessDenied, AWSError

from .conftest import ACCOUNT, Cloud
from .test_roles import SAGEMAKER, refused, trust
from .test_users import policy

ROLE = f"arn:aws:iam::{ACCOUNT}:role/Train"
S3_READ = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


@pytest.fixture
def role(cloud: Cloud) -> str:
    cloud.ask("CreateRole", RoleName="Train", AssumeRolePolicyDocument=trust(AWS=f"arn:aws:iam::{ACCOUNT}:root"))
    cloud.ask("AttachRolePolicy", RoleName="Train", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    return ROLE


def assume(cloud: Cloud, who: Principal | None = None, /, **more: Any) -> dict[str, Any]:
    return cloud.ask("AssumeRole", who, **({"RoleArn": ROLE, "RoleSessionName": "me"} | more))


def session(cloud: Cloud, **more: Any) -> Principal:
    return cloud.principal(assume(cloud, **more)["Credentials"])


def test_a_session_is_the_roles(cloud: Cloud, role: str) -> None:
    answer = assume(cloud)
    role_id = cloud.ask("GetRole", RoleName="Train")["Role"]["RoleId"]
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/Train/me"
    assert answer["AssumedRoleUser"] == {"AssumedRoleId": f"{role_id}:me", "Arn": arn}
    left = answer["Credentials"]["Expiration"] - datetime.now(UTC)
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    principal = cloud.principal(answer["Credentials"])
    assert principal.identity == role
    assert cloud.may(principal, "s3:PutObject", "arn:aws:s3:::b/k")
    assert not cloud.may(principal, "iam:CreateUser")
    who = cloud.ask("GetCallerIdentity", principal)
    assert who == {"UserId": f"{role_id}:me", "Account": ACCOUNT, "Arn": arn}


def test_where_the_account_is_trusted_the_callers_own_policies_decide(cloud: Cloud, role: str) -> None:
    ann = cloud.user("ann")
    with refused("AccessDenied", 403) as error:
        assume(cloud, ann)
    assert error.value.message == f"User: {ann.arn} is not authorized to perform: sts:AssumeRole on resource: {role}"
    cloud.ask("PutUserPolicy", UserName="ann", PolicyName="p", PolicyDocument=policy("sts:AssumeRole", role))
    assert assume(cloud, ann)


def test_where_the_caller_is_trusted_by_name_that_is_enough(cloud: Cloud, role: str) -> None:
    ann, bob = cloud.user("ann"), cloud.user("bob", "AdministratorAccess")
    cloud.ask("UpdateAssumeRolePolicy", RoleName="Train", PolicyDocument=trust(AWS=ann.arn))
    assert assume(cloud, ann)
    with refused("AccessDenied", 403):
        assume(cloud, bob)
    cloud.ask("PutUserPolicy", UserName="ann", PolicyName="p", PolicyDocument=policy("sts:*", effect="Deny"))
    with refused("AccessDenied", 403):
        assume(cloud, ann)


def test_a_session_of_a_role_that_is_trusted_keeps_to_its_own_policies(cloud: Cloud, role: str) -> None:
    """It was narrowed to S3: the next role must not be a way around that."""
    cloud.ask("CreateRole", RoleName="Next", AssumeRolePolicyDocument=trust(AWS=role))
    narrow, wide = session(cloud, PolicyArns=[{"arn": S3_READ}]), session(cloud)
    following = {"RoleArn": role.replace("Train", "Next")}
    assert assume(cloud, wide, **following)
    with refused("AccessDenied", 403):
        assume(cloud, narrow, **following)
    cloud.ask("UpdateAssumeRolePolicy", RoleName="Next", PolicyDocument=trust(AWS=narrow.arn))
    assert assume(cloud, narrow, **following)


def test_a_role_that_trusts_only_a_service(cloud: Cloud, role: str) -> None:
    cloud.ask("UpdateAssumeRolePolicy", RoleName="Train", PolicyDocument=SAGEMAKER)
    with refused("AccessDenied", 403):
        assume(cloud)


def test_a_role_that_does_not_exist(cloud: Cloud) -> None:
    with refused("AccessDenied", 403):
        assume(cloud)


def test_a_trust_with_an_external_id(cloud: Cloud, role: str) -> None:
    document = json.loads(trust(AWS=ACCOUNT))
    document["Statement"][0]["Condition"] = {"StringEquals": {"sts:ExternalId": "secret"}}
    cloud.ask("UpdateAssumeRolePolicy", RoleName="Train", PolicyDocument=json.dumps(document))
    assert assume(cloud, ExternalId="secret")
    with refused("AccessDenied", 403):
        assume(cloud, ExternalId="wrong")
    with refused("AccessDenied", 403):
        assume(cloud)


def test_a_deny_in_the_trust_wins(cloud: Cloud, role: str) -> None:
    document = json.loads(trust(AWS="*"))
    document["Statement"].append(document["Statement"][0] | {"Effect": "Deny"})
    cloud.ask("UpdateAssumeRolePolicy", RoleName="Train", PolicyDocument=json.dumps(document))
    with refused("AccessDenied", 403):
        assume(cloud)


def test_durations(cloud: Cloud, role: str) -> None:
    with refused("ValidationError", 400) as error:
        assume(cloud, DurationSeconds=3601)
    assert error.value.message == "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    cloud.ask("UpdateRole", RoleName="Train", MaxSessionDuration=7200)
    assert assume(cloud, DurationSeconds=7200)
    cloud.ask("PutRolePolicy", RoleName="Train", PolicyName="p", PolicyDocument=policy("sts:*"))
    with refused("ValidationError", 400) as error:
        assume(cloud, session(cloud), DurationSeconds=7200)
    assert "role chaining" in error.value.message


class TestSessionPolicies:
    def test_a_session_may_do_only_what_both_allow(self, cloud: Cloud, role: str) -> None:
        narrow = session(cloud, Policy=policy("s3:Get*", "arn:aws:s3:::b/*"))
        assert cloud.may(narrow, "s3:GetObject", "arn:aws:s3:::b/k")
        assert not cloud.may(narrow, "s3:GetObject", "arn:aws:s3:::other/k")
        assert not cloud.may(session(cloud, Policy=policy("iam:*")), "iam:CreateUser")
        with pytest.raises(AccessDenied) as error:
            cloud.ask("ListRoles", session(cloud, Policy=policy("s3:*")))
        assert error.value.message.endswith("because no identity-based policy allows the iam:ListRoles action")

    def test_managed_policies_narrow_too(self, cloud: Cloud, role: str) -> None:
        narrow = session(cloud, PolicyArns=[{"arn": S3_READ}])
        assert cloud.may(narrow, "s3:GetObject", "arn:aws:s3:::b/k")
        assert not cloud.may(narrow, "s3:PutObject", "arn:aws:s3:::b/k")

    def test_a_customers_policy_that_goes_allows_nothing_any_more(self, cloud: Cloud, role: str) -> None:
        arn = cloud.ask("CreatePolicy", PolicyName="P", PolicyDocument=policy("s3:*"))["Policy"]["Arn"]
        narrow = session(cloud, PolicyArns=[{"arn": arn}])
        assert cloud.may(narrow, "s3:GetObject", "arn:aws:s3:::b/k")
        cloud.ask("DeletePolicy", PolicyArn=arn)
        assert not cloud.may(narrow, "s3:GetObject", "arn:aws:s3:::b/k")

    def test_the_refusal_names_the_session_policy(self, cloud: Cloud, role: str) -> None:
        cloud.ask("PutRolePolicy", RoleName="Train", PolicyName="p", PolicyDocument=policy("iam:*"))
        with pytest.raises(AccessDenied) as error:
            cloud.ask("ListRoles", session(cloud, Policy=policy("s3:*")))
        assert error.value.message.endswith("because no session policy allows the iam:ListRoles action")

    def test_a_policy_that_is_none_or_too_large(self, cloud: Cloud, role: str) -> None:
        for more in ({"Policy": "{"}, {"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/None"}]}):
            with refused("MalformedPolicyDocument", 400):
                assume(cloud, **more)
        with refused("PackedPolicyTooLarge", 400):
            assume(cloud, Policy=policy("s3:" + "a" * 2048))


def test_session_tags_need_a_right_and_are_condition_keys(cloud: Cloud, role: str) -> None:
    tags = [{"Key": "team", "Value": "red"}]
    with refused("AccessDenied", 403):
        cloud.user("ann")
        cloud.ask("UpdateAssumeRolePolicy", RoleName="Train", PolicyDocument=trust(AWS=ACCOUNT))
        assume(cloud, Tags=tags)
    document = json.loads(trust(AWS=ACCOUNT))
    document["Statement"][0]["Action"] = ["sts:AssumeRole", "sts:TagSession"]
    cloud.ask("UpdateAssumeRolePolicy", RoleName="Train", PolicyDocument=json.dumps(document))
    block = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    cloud.ask("PutRolePolicy", RoleName="Train", PolicyName="p", PolicyDocument=policy("iam:*", Condition=block))
    assert cloud.may(session(cloud, Tags=tags), "iam:GetRole")
    assert not cloud.may(session(cloud), "iam:GetRole")


def test_a_role_made_anew_is_not_the_one_that_was_assumed(cloud: Cloud, role: str) -> None:
    old = session(cloud)
    cloud.ask("DetachRolePolicy", RoleName="Train", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    cloud.ask("DeleteRole", RoleName="Train")
    cloud.ask("CreateRole", RoleName="Train", AssumeRolePolicyDocument=trust(AWS=ACCOUNT))
    cloud.ask("AttachRolePolicy", RoleName="Train", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    assert not cloud.may(old, "s3:GetObject", "arn:aws:s3:::b/k")
    assert cloud.may(session(cloud), "s3:GetObject", "arn:aws:s3:::b/k")


def test_session_tokens_of_users(cloud: Cloud) -> None:
    ann = cloud.user("ann", "AmazonS3ReadOnlyAccess")
    answer = cloud.ask("GetSessionToken", ann, DurationSeconds=900)
    same = cloud.principal(answer["Credentials"])
    assert (same.arn, same.user_id) == (ann.arn, ann.user_id)
    assert cloud.may(same, "s3:GetObject", "arn:aws:s3:::b/k")
    with pytest.raises(AWSError, match="Cannot call GetSessionToken with session credentials"):
        cloud.ask("GetSessionToken", same)


def test_revoking_older_sessions_works(cloud: Cloud, role: str) -> None:
    """IAM's own "Revoke active sessions" is a policy on aws:TokenIssueTime."""
    later = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    block = {"DateLessThan": {"aws:TokenIssueTime": later}}
    old = session(cloud)
    assert cloud.may(old, "s3:GetObject", "arn:aws:s3:::b/k")
    document = policy("*", effect="Deny", Condition=block)
    cloud.ask("PutRolePolicy", RoleName="Train", PolicyName="AWSRevokeOlderSessions", PolicyDocument=document)
    assert not cloud.may(old, "s3:GetObject", "arn:aws:s3:::b/k")


@pytest.mark.parametrize(
    "text",
    [
        "nothing-valid-in-here",
        "arn::b:::something/test-role",
        "arn:a::::something/test-role",
        "arn:a:::something/test-role",
        "arn:a:a::aaaaaaaaaa:",
    ],
)
@pytest.mark.parametrize("operation", ["AssumeRole", "AssumeRoleWithWebIdentity"])
def test_what_is_no_arn_is_told_from_what_may_not_be_assumed(cloud: Cloud, operation: str, text: str) -> None:
    more = {"WebIdentityToken": "abcd"} if operation.endswith("Identity") else {}
    with refused("ValidationError", 400) as error:
        cloud.ask(operation, RoleArn=text, RoleSessionName="some", **more)
    assert error.value.message == f"{text} is invalid"
    with refused("AccessDenied", 403):
        cloud.ask("AssumeRole", RoleArn=f"arn:aws:iam::{ACCOUNT}:user/nobody", RoleSessionName="some")
