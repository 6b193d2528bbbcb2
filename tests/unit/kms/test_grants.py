"""Grants."""

from dataclasses import replace

import pytest

from clary.identity.policy import Decision, PolicySet, Question
from clary.identity.resources import Guarded, together

USER = "arn:aws:iam::000000000000:user/ana"
SESSION = "arn:aws:sts::000000000000:federated-user/ana"


@pytest.fixture
def key(kms):
    return kms.create()


def test_a_grant_is_listed_and_revoked(kms, key):
    made = kms("CreateGrant", KeyId=key, GranteePrincipal=USER, Operations=["Decrypt"], Name="n")
    again = kms("CreateGrant", KeyId=key, GranteePrincipal=USER, Operations=["Decrypt"], Name="n")
    assert again["GrantId"] == made["GrantId"]
    other = kms("CreateGrant", KeyId=key, GranteePrincipal=USER, Operations=["Decrypt"])
    [entry] = [each for each in kms("ListGrants", KeyId=key)["Grants"] if each["GrantId"] == made["GrantId"]]
    assert {**entry, "CreationDate": None} == {
        "KeyId": kms.arn(key),
        "GrantId": made["GrantId"],
        "Name": "n",
        "CreationDate": None,
        "GranteePrincipal": USER,
        "IssuingAccount": "arn:aws:iam::000000000000:root",
        "Operations": ["Decrypt"],
    }
    kms("RevokeGrant", KeyId=key, GrantId=made["GrantId"])
    assert [each["GrantId"] for each in kms("ListGrants", KeyId=key)["Grants"]] == [other["GrantId"]]
    assert kms.refusal("RevokeGrant", KeyId=key, GrantId=made["GrantId"])[0] == "NotFoundException"


def test_a_grant_is_retired_by_its_token(kms, key):
    asked = {"KeyId": key, "GranteePrincipal": USER, "RetiringPrincipal": USER, "Operations": ["Decrypt"]}
    made = kms("CreateGrant", **asked)
    assert len(kms("ListRetirableGrants", RetiringPrincipal=USER)["Grants"]) == 1
    assert kms.refusal("RetireGrant", GrantToken="x" * 20)[0] == "InvalidGrantTokenException"
    text = "Grant token OR (grant ID, key ID) must be specified"
    assert kms.refusal("RetireGrant") == ("ValidationException", text)
    kms("RetireGrant", GrantToken=made["GrantToken"])
    assert kms("ListRetirableGrants", RetiringPrincipal=USER)["Grants"] == []


def test_operations_that_the_key_cannot_do_are_not_granted(kms, key):
    asked = {"KeyId": key, "GranteePrincipal": USER}
    assert kms.refusal("CreateGrant", Operations=["Sign"], **asked)[0] == "ValidationException"
    mac = {**asked, "KeyId": kms.of("HMAC_256", "GENERATE_VERIFY_MAC")}
    constraints = {"EncryptionContextEquals": {"a": "b"}}
    refused = kms.refusal("CreateGrant", Operations=["GenerateMac"], Constraints=constraints, **mac)
    assert refused[0] == "ValidationException"


@pytest.fixture
def as_user(kms, monkeypatch):
    """Whoever calls from now on is a user whom no policy speaks of; `limits` are what a session's policies say."""

    def begin(*limits):
        inner = kms.inner
        inner.principal = replace(inner.principal, kind="user", arn=SESSION if limits else USER, identity=USER)
        own = [Decision("implicitDeny", "identity"), *limits]

        def decide(access, policy):
            guarded = Guarded("000000000000", PolicySet(policy.statements), alone=policy.sole)
            return together(guarded, Question(access.action, access.resource, dict), inner.principal, own)

        monkeypatch.setattr(inner, "decide", decide)

    return begin


def test_a_grant_lets_its_grantee_within_its_constraints(kms, key, as_user):
    blob, bare = kms.encrypt(key, EncryptionContext={"a": "1", "b": "2"}), kms.encrypt(key)
    constraints = {"EncryptionContextSubset": {"a": "1"}}
    kms("CreateGrant", KeyId=key, GranteePrincipal=USER, Operations=["Decrypt"], Constraints=constraints)
    as_user()
    assert kms.decrypt(blob, EncryptionContext={"a": "1", "b": "2"}) == b"secret"
    code, text = kms.refusal("Decrypt", CiphertextBlob=bare)
    asked = f"User: {USER} is not authorized to perform: kms:Decrypt on resource: {kms.arn(key)} "
    assert code == "AccessDeniedException"
    assert text == f"{asked}because no identity-based policy allows the kms:Decrypt action"
    assert kms.refusal("Encrypt", KeyId=key, Plaintext=b"x")[0] == "AccessDeniedException"


def test_a_session_of_a_grantee_keeps_to_its_own_policies(kms, key, as_user):
    blob = kms.encrypt(key)
    kms("CreateGrant", KeyId=key, GranteePrincipal=USER, Operations=["Decrypt"])
    as_user(Decision("allowed", "session"))
    assert kms.decrypt(blob) == b"secret"
    as_user(Decision("implicitDeny", "session"))
    assert kms.refusal("Decrypt", CiphertextBlob=blob)[0] == "AccessDeniedException"


def test_an_explicit_deny_is_stronger_than_a_grant(kms, key, as_user, monkeypatch):
    blob = kms.encrypt(key)
    kms("CreateGrant", KeyId=key, GranteePrincipal=USER, Operations=["Decrypt"])
    as_user()
    monkeypatch.setattr(kms.inner, "decide", lambda access, policy: Decision("explicitDeny", "resource"))
    assert kms.refusal("Decrypt", CiphertextBlob=blob)[1].endswith("with an explicit deny in a resource-based policy")


def test_who_may_grant_by_a_grant_gives_no_more_than_it_has(kms, key, as_user):
    operations = ["Decrypt", "CreateGrant"]
    constraints = {"EncryptionContextSubset": {"a": "1"}}
    kms("CreateGrant", KeyId=key, GranteePrincipal=USER, Operations=operations, Constraints=constraints)
    as_user()
    asked = {"KeyId": key, "GranteePrincipal": f"{USER}s"}
    within = {"EncryptionContextSubset": {"a": "1", "b": "2"}}
    kms("CreateGrant", Operations=["Decrypt"], Constraints=within, **asked)
    for more in ({"Operations": ["Encrypt"], "Constraints": within}, {"Operations": ["Decrypt"]}):
        assert kms.refusal("CreateGrant", **more, **asked)[0] == "AccessDeniedException"


def test_a_grantee_may_retire_only_where_the_grant_says_so(kms, key, as_user):
    keeps = kms("CreateGrant", KeyId=key, GranteePrincipal=USER, Operations=["Decrypt"])
    retires = kms("CreateGrant", KeyId=key, GranteePrincipal=USER, Operations=["Encrypt", "RetireGrant"])
    as_user()
    assert kms.refusal("RetireGrant", GrantToken=keeps["GrantToken"])[0] == "AccessDeniedException"
    kms("RetireGrant", KeyId=key, GrantId=retires["GrantId"])
