"""Which documents are bucket policies, in S3's sentences; and which of them are public."""

import json

import pytest

from clary.identity.policy import MalformedPolicy
from clary.services.s3.policy_grammar import check
from clary.services.s3.public_policy import is_public

STATEMENT = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}


def document(**changes):
    statement = {name: value for name, value in {**STATEMENT, **changes}.items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Policies must be valid JSON and the first byte must be '{'"),
        ("[]", "Policies must be valid JSON and the first byte must be '{'"),
        ("{", "This policy contains invalid Json"),
        ("{}", "Missing required field Statement"),
        ('{"Statement": []}', "Could not parse the policy: Statement is empty!"),
        ('{"Statement": ["x"]}', "Invalid policy syntax."),
        ('{"Statement": [], "Extra": 1}', "Unknown field Extra"),
        ('{"Statement": [{}], "Version": "2020-01-01"}', "The policy must contain a valid version string"),
        (document(Effect=None), "Missing required field Effect"),
        (document(Principal=None), "Missing required field Principal"),
        (document(Action=None), "Missing required field Action"),
        (document(Resource=None), "Missing required field Resource"),
        (document(Effect="allow"), "Invalid effect: allow"),
        (document(Color="x"), "Unknown field Color"),
        (document(Principal={"AWS": "nobody"}), "Invalid principal in policy"),
        (document(Principal={"AWS": "arn:aws:iam::111111111111:user/gone"}), "Invalid principal in policy"),
        (document(Principal={"Human": "x"}), "Invalid principal in policy"),
        (document(Principal=[]), "Invalid principal in policy"),
        (document(Action="sqs:SendMessage"), "Policy has invalid action"),
        (document(Action=[]), "Policy has invalid action"),
        (document(Resource="arn:aws:s3:::other/*"), "Policy has invalid resource"),
        (document(Resource="b/*"), "Policy has invalid resource"),
        (document(Resource="arn:aws:s3:::b"), "Action does not apply to any resource(s) in statement"),
        (document(Action="s3:ListBucket"), "Action does not apply to any resource(s) in statement"),
        (document(Condition={"Wrong": {"aws:SourceIp": "x"}}), "Invalid Condition type : Wrong"),
        (document(Condition={"Bool": {"Source": "x"}}), "Policy has an invalid condition key"),
        (document(Condition=[1]), "Invalid policy syntax."),
        (document(Action=["s3:" + "x" * 30_000]), "Policy exceeds the maximum allowed document size."),
        ("{" * 15_000, "This policy contains invalid Json"),
    ],
)
def test_what_is_no_policy(text, sentence):
    with pytest.raises(MalformedPolicy) as raised:
        check(text, "b", lambda arn: "gone" not in arn)
    assert str(raised.value) == sentence


def test_two_statements_of_one_name():
    statement = {**STATEMENT, "Sid": "same"}
    with pytest.raises(MalformedPolicy, match="Duplicate Statement IDs"):
        check(json.dumps({"Statement": [statement, statement]}), "b", lambda arn: True)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Principal": {"AWS": ["111111111111", "arn:aws:iam::111111111111:role/path/r"]}},
        {"Principal": {"Service": "cloudfront.amazonaws.com", "CanonicalUser": "a" * 64}},
        {"Principal": None, "NotPrincipal": {"AWS": "arn:aws:sts::111111111111:assumed-role/r/s"}, "Effect": "Deny"},
        {"Action": "s3:*", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]},
        {"Action": None, "NotAction": "s3:GetObject"},
        {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"},
        {"Condition": {"StringLike": {"aws:Referer": ["http://x/*"]}, "Bool": {"aws:SecureTransport": True}}},
    ],
)
def test_what_is_one(changes):
    check(document(**changes), "b", lambda arn: True)


@pytest.mark.parametrize(
    ("changes", "public"),
    [
        ({}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": "111111111111"}}, False),
        ({"Effect": "Deny"}, False),
        ({"Principal": None, "NotPrincipal": {"AWS": "111111111111"}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": ["10.1.0.0/16", "::/16"]}}}, True),
        ({"Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}, False),
        ({"Condition": {"StringLike": {"aws:SourceVpc": "vpc-*"}}}, True),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, False),
        ({"Condition": {"Bool": {"aws:ViaAWSService": "true"}}}, False),
        ({"Condition": {"Bool": {"aws:ViaAWSService": ["false", "true"]}}}, True),
        ({"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/*"}}}, False),
        ({"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/r"}}}, True),
        ({"Condition": {"StringLike": {"aws:Referer": "http://x/"}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "${aws:PrincipalAccount}"}}}, True),
    ],
)
def test_which_policies_are_public(changes, public):
    assert is_public(json.loads(document(**changes))) is public
