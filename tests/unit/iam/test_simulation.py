"""Simulations: resources' policies, matched statements and where they stand, context keys."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from clary.services.iam.entities import MEMBER
from clary.store.rows import Key, Row

from .conftest import ACCOUNT, Cloud
from .test_roles import refused
from .test_users import policy

OBJECT = "arn:aws:s3:::b/k"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"


def simulate(cloud: Cloud, *documents: str, **more: Any) -> dict[str, Any]:
    asked = {"PolicyInputList": list(documents), "ActionNames": ["s3:GetObject"], **more}
    (result,) = cloud.ask("SimulateCustomPolicy", **asked)["EvaluationResults"]
    return result


def on_bucket(effect: str = "Allow", **principal: Any) -> str:
    statement = {"Effect": effect, "Principal": principal, "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_where_a_matched_statement_stands(cloud: Cloud) -> None:
    """The documentation's own example of SimulateCustomPolicy, with the positions that it prints."""
    document = (
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*",'
        '"Condition":{"DateGreaterThan":{"aws:CurrentTime":"2015-08-16T12:00:00Z"}}}}'
    )
    entry = {
        "ContextKeyName": "aws:CurrentTime",
        "ContextKeyValues": ["2016-04-25T11:00:00Z"],
        "ContextKeyType": "date",
    }
    found = simulate(cloud, document, ActionNames=["dynamodb:CreateBackup"], ContextEntries=[entry])
    assert found["EvalDecision"] == "allowed"
    assert found["MatchedStatements"] == [
        {
            "SourcePolicyId": "PolicyInputList.1",
            "SourcePolicyType": "IAM Policy",
            "StartPosition": {"Line": 1, "Column": 38},
            "EndPosition": {"Line": 1, "Column": 167},
        }
    ]


def test_lines_are_counted_and_a_denial_stands_alone(cloud: Cloud) -> None:
    document = json.dumps(json.loads(policy("s3:*", effect="Deny")), indent=2)
    found = simulate(cloud, policy("s3:*"), document)
    (matched,) = found["MatchedStatements"]
    assert (found["EvalDecision"], matched["SourcePolicyId"]) == ("explicitDeny", "PolicyInputList.2")
    assert matched["StartPosition"]["Line"] > 1
    allowed = simulate(cloud, policy("s3:*"), policy("*"))
    assert [each["SourcePolicyId"] for each in allowed["MatchedStatements"]] == [
        "PolicyInputList.1",
        "PolicyInputList.2",
    ]


def test_a_resources_policy_lets_in_within_the_account(cloud: Cloud) -> None:
    asked = {"ResourceArns": [OBJECT], "CallerArn": ANN}
    assert simulate(cloud, policy("sqs:*"), **asked)["EvalDecision"] == "implicitDeny"
    found = simulate(cloud, policy("sqs:*"), **asked, ResourcePolicy=on_bucket(AWS=ANN))
    assert (found["EvalDecision"], found["MatchedStatements"][0]["SourcePolicyId"]) == ("allowed", "ResourcePolicy")
    assert found["ResourceSpecificResults"][0]["EvalResourceDecision"] == "allowed"
    other = simulate(cloud, policy("sqs:*"), **asked, ResourcePolicy=on_bucket(AWS=f"{ANN}a"))
    assert other["EvalDecision"] == "implicitDeny"
    denied = simulate(cloud, policy("s3:*"), **asked, ResourcePolicy=on_bucket("Deny", AWS="*"))
    assert denied["EvalDecision"] == "explicitDeny"


def test_another_accounts_resource_needs_both_sides(cloud: Cloud) -> None:
    asked = {"ResourceArns": [OBJECT], "CallerArn": ANN, "ResourceOwner": "arn:aws:iam::999999999999:root"}
    theirs = on_bucket(AWS=ACCOUNT)
    found = simulate(cloud, policy("sqs:*"), **asked, ResourcePolicy=theirs)
    assert (found["EvalDecision"], found["EvalDecisionDetails"]) == (
        "implicitDeny",
        {"IAM Policy": "implicitDeny", "Resource Policy": "allowed"},
    )
    assert simulate(cloud, policy("s3:*"), **asked, ResourcePolicy=theirs)["EvalDecision"] == "allowed"


def test_a_resources_policy_needs_a_caller(cloud: Cloud) -> None:
    for more in ({}, {"CallerArn": "arn:aws:s3:::nobody"}):
        with refused("InvalidInput", 400):
            simulate(cloud, policy("s3:*"), ResourcePolicy=on_bucket(AWS="*"), **more)
    with refused("InvalidInput", 400):
        simulate(cloud, policy("s3:*"), ResourcePolicy="{", CallerArn=ANN)


def test_a_boundary_that_a_request_brings(cloud: Cloud) -> None:
    found = simulate(cloud, policy("s3:*"), PermissionsBoundaryPolicyInputList=[policy("s3:Put*")])
    assert found["EvalDecision"] == "implicitDeny"
    assert found["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    assert found["MatchedStatements"] == []


def test_variables_are_context_keys_too(cloud: Cloud) -> None:
    block = {"StringEquals": {"s3:Prefix": "${aws:PrincipalTag/Team, 'x'}"}, "Null": {"aws:TokenIssueTime": "true"}}
    document = policy("s3:*", "arn:aws:s3:::b/${aws:username}/${*}", Condition=block)
    wanted = ["aws:PrincipalTag/Team", "aws:TokenIssueTime", "aws:username", "s3:Prefix"]
    assert simulate(cloud, document)["MissingContextValues"] == wanted
    assert cloud.ask("GetContextKeysForCustomPolicy", PolicyInputList=[document])["ContextKeyNames"] == wanted
    ann = cloud.user("ann")
    cloud.ask("PutUserPolicy", UserName="ann", PolicyName="p", PolicyDocument=document)
    found = cloud.ask("GetContextKeysForPrincipalPolicy", PolicySourceArn=ann.arn)
    assert found["ContextKeyNames"] == wanted


def test_a_users_own_name_is_known(cloud: Cloud) -> None:
    ann = cloud.user("ann")
    document = policy("s3:*", "arn:aws:s3:::b/${aws:username}/*")
    cloud.ask("PutUserPolicy", UserName="ann", PolicyName="p", PolicyDocument=document)
    asked = {"PolicySourceArn": ann.arn, "ActionNames": ["s3:GetObject"], "ResourceArns": ["arn:aws:s3:::b/ann/k"]}
    (found,) = cloud.ask("SimulatePrincipalPolicy", **asked)["EvaluationResults"]
    assert found["EvalDecision"] == "allowed"
    assert found["MatchedStatements"][0]["SourcePolicyId"] == "user_ann_p"


def test_what_organizations_say_is_told_of_members_alone(cloud: Cloud) -> None:
    cloud.user("ann")
    asked = {"PolicySourceArn": ANN, "ActionNames": ["s3:GetObject"]}
    (alone,) = cloud.ask("SimulatePrincipalPolicy", **asked)["EvaluationResults"]
    assert alone["EvalDecisionDetails"] == {}
    assert "OrganizationsDecisionDetail" not in alone
    now = datetime.now(UTC)
    member = Row(Key(MEMBER, ACCOUNT, "", ACCOUNT), f"arn:aws:organizations::{ACCOUNT}:account/o/1", "", now, now, {})
    cloud.store.write(lambda transaction: transaction.insert(member))
    (joined,) = cloud.ask("SimulatePrincipalPolicy", **asked)["EvaluationResults"]
    assert joined["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": True}
