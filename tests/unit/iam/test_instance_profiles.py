"""Instance profiles, roles of services, and where entities are."""

from __future__ import annotations

import pytest

from clary.errors import AccessDenied

from .conftest import ACCOUNT, Cloud
from .test_roles import SAGEMAKER, refused
from .test_users import policy


def test_a_profile_holds_one_role(cloud: Cloud) -> None:
    for name in ("a", "b"):
        cloud.ask("CreateRole", RoleName=name, AssumeRolePolicyDocument=SAGEMAKER)
    tags = [{"Key": "team", "Value": "red"}]
    made = cloud.ask("CreateInstanceProfile", InstanceProfileName="P", Path="/x/", Tags=tags)["InstanceProfile"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:instance-profile/x/P"
    assert made["Tags"] == cloud.ask("ListInstanceProfileTags", InstanceProfileName="p")["Tags"] == tags
    cloud.ask("AddRoleToInstanceProfile", InstanceProfileName="P", RoleName="a")
    with refused("LimitExceeded", 409):
        cloud.ask("AddRoleToInstanceProfile", InstanceProfileName="P", RoleName="b")
    (found,) = cloud.ask("ListInstanceProfilesForRole", RoleName="A")["InstanceProfiles"]
    assert [role["RoleName"] for role in found["Roles"]] == ["a"]
    with refused("DeleteConflict", 409):
        cloud.ask("DeleteInstanceProfile", InstanceProfileName="P")
    with refused("DeleteConflict", 409) as error:
        cloud.ask("DeleteRole", RoleName="a")
    assert error.value.message == "Cannot delete entity, must remove roles from instance profile first."
    cloud.ask("RemoveRoleFromInstanceProfile", InstanceProfileName="P", RoleName="a")
    cloud.ask("DeleteInstanceProfile", InstanceProfileName="P")
    with refused("NoSuchEntity", 404) as error:
        cloud.ask("GetInstanceProfile", InstanceProfileName="P")
    assert error.value.message == "Instance Profile P cannot be found."


def test_roles_of_services_are_theirs(cloud: Cloud) -> None:
    service = "sagemaker.application-autoscaling.amazonaws.com"
    role = cloud.ask("CreateServiceLinkedRole", AWSServiceName=service)["Role"]
    name = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
    assert role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{service}/{name}"
    attached = cloud.ask("ListAttachedRolePolicies", RoleName=name)["AttachedPolicies"]
    assert [each["PolicyName"] for each in attached] == ["AWSApplicationAutoscalingSageMakerEndpointPolicy"]
    with refused("InvalidInput", 400) as error:
        cloud.ask("CreateServiceLinkedRole", AWSServiceName=service)
    assert error.value.message.startswith(f"Service role name {name} has been taken in this account")
    for operation, more in (
        ("DeleteRole", {}),
        ("PutRolePolicy", {"PolicyName": "p", "PolicyDocument": policy("s3:*")}),
        ("UpdateAssumeRolePolicy", {"PolicyDocument": SAGEMAKER}),
    ):
        with refused("UnmodifiableEntity", 400):
            cloud.ask(operation, RoleName=name, **more)
    task = cloud.ask("DeleteServiceLinkedRole", RoleName=name)["DeletionTaskId"]
    assert cloud.ask("GetServiceLinkedRoleDeletionStatus", DeletionTaskId=task)["Status"] == "SUCCEEDED"
    with refused("NoSuchEntity", 404):
        cloud.ask("GetRole", RoleName=name)
    with refused("NoSuchEntity", 404):
        cloud.ask("GetServiceLinkedRoleDeletionStatus", DeletionTaskId=task[:-1])


@pytest.mark.parametrize(
    ("service", "name", "policies"),
    [
        ("batch.amazonaws.com", "Batch", ["BatchServiceRolePolicy"]),
        ("mrk.kms.amazonaws.com", "KeyManagementServiceMultiRegionKeys",
         ["AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy"]),
        ("wafv2.amazonaws.com", "WAFV2Logging", ["WAFV2LoggingServiceRolePolicy"]),
    ],
)  # fmt: skip
def test_a_services_role_has_awss_name_and_policy(cloud: Cloud, service: str, name: str, policies: list[str]) -> None:
    made = cloud.ask("CreateServiceLinkedRole", AWSServiceName=service)["Role"]
    assert (made["RoleName"], made["Path"]) == (f"AWSServiceRoleFor{name}", f"/aws-service-role/{service}/")
    attached = cloud.ask("ListAttachedRolePolicies", RoleName=made["RoleName"])["AttachedPolicies"]
    assert [each["PolicyArn"] for each in attached] == [
        f"arn:aws:iam::aws:policy/aws-service-role/{policy}" for policy in policies
    ]
    found = cloud.ask("GetRole", RoleName=made["RoleName"])["Role"]
    assert found == made | {"MaxSessionDuration": 3600, "RoleLastUsed": {}}
    with refused("InvalidInput", 400) as error:
        cloud.ask("CreateServiceLinkedRole", AWSServiceName=service, CustomSuffix="x")
    assert error.value.message == f"Custom suffix is not allowed for {service}"


class TestPaths:
    """Calls name an entity without its path; policies speak of where it is."""

    @pytest.fixture
    def ann(self, cloud: Cloud):
        for name, path in (("Train", "/ml/"), ("Serve", "/web/")):
            cloud.ask("CreateRole", RoleName=name, Path=path, AssumeRolePolicyDocument=SAGEMAKER)
        ann = cloud.user("ann")
        document = policy("iam:*", f"arn:aws:iam::{ACCOUNT}:role/ml/*")
        cloud.ask("PutUserPolicy", UserName="ann", PolicyName="p", PolicyDocument=document)
        return ann

    def test_a_role_below_an_allowed_path(self, cloud: Cloud, ann) -> None:
        assert cloud.ask("GetRole", ann, RoleName="train")["Role"]["Path"] == "/ml/"

    def test_the_refusal_names_the_whole_arn(self, cloud: Cloud, ann) -> None:
        with pytest.raises(AccessDenied) as error:
            cloud.ask("GetRole", ann, RoleName="Serve")
        assert f"iam:GetRole on resource: arn:aws:iam::{ACCOUNT}:role/web/Serve because" in error.value.message

    def test_what_is_made_is_where_it_says(self, cloud: Cloud, ann) -> None:
        cloud.ask("CreateRole", ann, RoleName="More", Path="/ml/deep/", AssumeRolePolicyDocument=SAGEMAKER)
        with pytest.raises(AccessDenied):
            cloud.ask("CreateRole", ann, RoleName="Less", AssumeRolePolicyDocument=SAGEMAKER)

    def test_an_instance_profile_has_one_too(self, cloud: Cloud) -> None:
        cloud.ask("CreateInstanceProfile", InstanceProfileName="P", Path="/x/")
        bob, document = cloud.user("bob"), policy("iam:*", f"arn:aws:iam::{ACCOUNT}:instance-profile/x/*")
        cloud.ask("PutUserPolicy", UserName="bob", PolicyName="p", PolicyDocument=document)
        assert cloud.ask("GetInstanceProfile", bob, InstanceProfileName="P")

    def test_tags_and_boundaries_of_entities_are_condition_keys(self, cloud: Cloud) -> None:
        cloud.ask("CreateUser", UserName="eve", Tags=[{"Key": "team", "Value": "red"}])
        cloud.ask("CreateUser", UserName="kim")
        bob = cloud.user("bob")
        block = {"StringEquals": {"iam:ResourceTag/team": "red"}}
        cloud.ask("PutUserPolicy", UserName="bob", PolicyName="p", PolicyDocument=policy("iam:Get*", Condition=block))
        assert cloud.ask("GetUser", bob, UserName="eve")
        with pytest.raises(AccessDenied):
            cloud.ask("GetUser", bob, UserName="kim")
        boundary = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
        block = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
        document = policy("iam:PutUserPolicy", Condition=block)
        cloud.ask("PutUserPolicy", UserName="bob", PolicyName="p", PolicyDocument=document)
        inline = {"UserName": "kim", "PolicyName": "p", "PolicyDocument": policy("s3:*")}
        with pytest.raises(AccessDenied):
            cloud.ask("PutUserPolicy", bob, **inline)
        cloud.ask("PutUserPermissionsBoundary", UserName="kim", PermissionsBoundary=boundary)
        assert cloud.ask("PutUserPolicy", bob, **inline) == {}
