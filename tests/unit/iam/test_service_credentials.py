"""Passwords for services that take no signatures, as AWS's recorded answers have them."""

from __future__ import annotations

import pytest

from clary.errors import AccessDenied

from .conftest import ACCOUNT, Cloud
from .test_roles import refused
from .test_users import policy

CODE = "codecommit.amazonaws.com"


def listed(cloud: Cloud, **asked: str) -> list[str]:
    answer = cloud.ask("ListServiceSpecificCredentials", **asked)
    return [each["ServiceSpecificCredentialId"] for each in answer["ServiceSpecificCredentials"]]


def test_the_password_is_told_once_and_once_more_when_it_is_reset(cloud: Cloud) -> None:
    cloud.user("ann")
    made = cloud.ask("CreateServiceSpecificCredential", UserName="ann", ServiceName=CODE)["ServiceSpecificCredential"]
    name = made["ServiceSpecificCredentialId"]
    assert (made["ServiceUserName"], made["Status"]) == (f"ann-at-{ACCOUNT}", "Active")
    first = made.pop("ServicePassword")
    assert cloud.ask("ListServiceSpecificCredentials", UserName="ann") == {"ServiceSpecificCredentials": [made]}
    cloud.ask("UpdateServiceSpecificCredential", UserName="ann", ServiceSpecificCredentialId=name, Status="Inactive")
    asked = {"UserName": "ann", "ServiceSpecificCredentialId": name}
    again = cloud.ask("ResetServiceSpecificCredential", **asked)["ServiceSpecificCredential"]
    assert again.pop("ServicePassword") != first
    assert again == made | {"Status": "Inactive"}
    cloud.ask("DeleteServiceSpecificCredential", **asked)
    assert listed(cloud, UserName="ann") == []


def test_a_user_has_two_for_each_service(cloud: Cloud) -> None:
    cloud.user("ann")
    names = [
        cloud.ask("CreateServiceSpecificCredential", UserName="ann", ServiceName=CODE)["ServiceSpecificCredential"]
        for _ in range(2)
    ]
    assert [each["ServiceUserName"] for each in names] == [f"ann-at-{ACCOUNT}", f"ann+1-at-{ACCOUNT}"]
    with refused("LimitExceeded", 409):
        cloud.ask("CreateServiceSpecificCredential", UserName="ann", ServiceName=CODE)
    cloud.ask("CreateServiceSpecificCredential", UserName="ann", ServiceName="cassandra.amazonaws.com")
    assert len(listed(cloud, UserName="ann")) == 3
    assert len(listed(cloud, UserName="ann", ServiceName="cassandra.amazonaws.com")) == 1
    with refused("DeleteConflict", 409):
        cloud.ask("DeleteUser", UserName="ann")


def test_what_is_not_there_is_said_as_aws_says_it(cloud: Cloud) -> None:
    cloud.user("ann")
    cloud.user("bob")
    made = cloud.ask("CreateServiceSpecificCredential", UserName="ann", ServiceName=CODE)["ServiceSpecificCredential"]
    other = {"ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"]}
    for operation, asked, said in (
        ("CreateServiceSpecificCredential", {"UserName": "ghost", "ServiceName": "x"},
         "The user with name ghost cannot be found."),
        ("CreateServiceSpecificCredential", {"UserName": "ann", "ServiceName": "lambda.amazonaws.com"},
         "No such service lambda.amazonaws.com is supported for Service Specific Credentials"),
        ("ListServiceSpecificCredentials", {"UserName": "bob", "ServiceName": "x"},
         "No such service x is supported for Service Specific Credentials"),
        ("ResetServiceSpecificCredential", {"UserName": "bob", **other},
         f"No such credential {made['ServiceSpecificCredentialId']} exists"),
    ):  # fmt: skip
        with refused("NoSuchEntity", 404) as error:
            cloud.ask(operation, **asked)
        assert error.value.message == said


def test_who_may_see_their_own_may_not_see_everybodys(cloud: Cloud) -> None:
    ann = cloud.user("ann")
    cloud.user("bob")
    cloud.ask("PutUserPolicy", UserName="ann", PolicyName="own", PolicyDocument=policy("iam:*", f"{ann.arn}"))
    for name in ("ann", "bob"):
        cloud.ask("CreateServiceSpecificCredential", UserName=name, ServiceName=CODE)
    assert len(cloud.ask("ListServiceSpecificCredentials", ann)["ServiceSpecificCredentials"]) == 1
    for asked in ({"AllUsers": True}, {"UserName": "bob"}):
        with pytest.raises(AccessDenied):
            cloud.ask("ListServiceSpecificCredentials", ann, **asked)
    assert len(listed(cloud, AllUsers=True)) == 2  # type: ignore[arg-type]
