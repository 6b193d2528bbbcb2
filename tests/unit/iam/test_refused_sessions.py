"""Sessions that nobody can begin here."""

import pytest

ARN = "arn:aws:iam::000000000000:role/clary-role"
WITHOUT_ORGANIZATION = {"TargetPrincipal": "000000000000", "TaskPolicyArn": {"arn": ARN}}


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("AssumeRoleWithSAML", {"RoleArn": ARN, "PrincipalArn": ARN, "SAMLAssertion": "YWJjZA=="}, "AccessDenied"),
        ("AssumeRoot", WITHOUT_ORGANIZATION, "AccessDenied"),
        ("GetDelegatedAccessToken", {"TradeInToken": "t"}, "AccessDenied"),
        (
            "GetWebIdentityToken",
            {"Audience": ["a"], "SigningAlgorithm": "RS256"},
            "OutboundWebIdentityFederationDisabledException",
        ),
    ],
)
def test_they_are_refused(emptied_inner, operation, params, code):
    assert emptied_inner.refusal("sts", operation, **params)[0] == code
