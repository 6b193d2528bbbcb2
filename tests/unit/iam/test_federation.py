"""Sessions of federated users, chains of roles, web identities, and refusals that are decoded."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from clary.calls import Access, Call, Principal
from clary.errors import AccessDenied, AWSError
from clary.services.sts.web_identity import keys_path

from .conftest import ACCOUNT, Cloud
from .test_roles import refused
from .test_users import policy

ROLE = f"arn:aws:iam::{ACCOUNT}:role/Train"
TWO = f"arn:aws:iam::{ACCOUNT}:role/Two"
OBJECT = "arn:aws:s3:::b/k"


def trusting(*actions: str, **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": list(actions), **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


ALL = "sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"


@pytest.fixture
def roles(cloud: Cloud) -> None:
    for name in ("Train", "Two"):
        cloud.ask("CreateRole", RoleName=name, AssumeRolePolicyDocument=trusting(*ALL))
        cloud.ask("PutRolePolicy", RoleName=name, PolicyName="p", PolicyDocument=policy("sts:*"))


def assume(cloud: Cloud, who: Principal | None = None, /, role: str = ROLE, **more: Any) -> Principal:
    answer = cloud.ask("AssumeRole", who, RoleArn=role, RoleSessionName="me", **more)
    return cloud.principal(answer["Credentials"])


class TestFederation:
    def test_a_federated_user_may_do_what_both_allow(self, cloud: Cloud) -> None:
        ann = cloud.user("ann", "AmazonS3FullAccess")
        cloud.ask("PutUserPolicy", UserName="ann", PolicyName="p", PolicyDocument=policy("sts:GetFederationToken"))
        answer = cloud.ask("GetFederationToken", ann, Name="guest", Policy=policy("s3:Get*"))
        assert answer["FederatedUser"] == {
            "FederatedUserId": f"{ACCOUNT}:guest",
            "Arn": f"arn:aws:sts::{ACCOUNT}:federated-user/guest",
        }
        guest = cloud.principal(answer["Credentials"])
        assert cloud.may(guest, "s3:GetObject", OBJECT)
        assert not cloud.may(guest, "s3:PutObject", OBJECT)
        assert not cloud.may(guest, "sqs:SendMessage")
        assert cloud.ask("GetCallerIdentity", guest)["UserId"] == f"{ACCOUNT}:guest"
        cloud.ask("DetachUserPolicy", UserName="ann", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
        assert not cloud.may(guest, "s3:GetObject", OBJECT)

    def test_without_a_policy_it_may_do_nothing(self, cloud: Cloud) -> None:
        ann = cloud.user("ann", "AdministratorAccess")
        guest = cloud.principal(cloud.ask("GetFederationToken", ann, Name="guest")["Credentials"])
        assert not cloud.may(guest, "s3:GetObject", OBJECT)

    def test_what_a_federated_user_may_not_ask(self, cloud: Cloud, roles: None) -> None:
        ann = cloud.user("ann", "AdministratorAccess")
        guest = cloud.principal(cloud.ask("GetFederationToken", ann, Name="guest", Policy=policy("*"))["Credentials"])
        with refused("InvalidClientTokenId", 403):
            cloud.ask("ListUsers", guest)
        for operation, more in (("GetFederationToken", {"Name": "other"}), ("GetSessionToken", {})):
            with pytest.raises(AWSError, match=f"Cannot call {operation} with session credentials"):
                cloud.ask(operation, guest, **more)
        with refused("AccessDenied", 403):
            assume(cloud, guest)

    def test_it_needs_the_right_on_the_name(self, cloud: Cloud) -> None:
        ann = cloud.user("ann")
        document = policy("sts:GetFederationToken", f"arn:aws:sts::{ACCOUNT}:federated-user/g*")
        cloud.ask("PutUserPolicy", UserName="ann", PolicyName="p", PolicyDocument=document)
        assert cloud.ask("GetFederationToken", ann, Name="guest")
        with pytest.raises(AccessDenied):
            cloud.ask("GetFederationToken", ann, Name="boss")
        with pytest.raises(AccessDenied, match="sts:TagSession"):
            cloud.ask("GetFederationToken", ann, Name="guest", Tags=[{"Key": "a", "Value": "b"}])


class TestChains:
    def test_transitive_tags_go_on_and_others_do_not(self, cloud: Cloud, roles: None) -> None:
        tags = [{"Key": "team", "Value": "red"}, {"Key": "stage", "Value": "one"}]
        one = assume(cloud, Tags=tags, TransitiveTagKeys=["team"])
        two = assume(cloud, one, role=TWO)
        assert two.session_context["aws:PrincipalTag/team"] == "red"
        assert "aws:PrincipalTag/stage" not in two.session_context
        three = assume(cloud, two, Tags=[{"Key": "stage", "Value": "three"}])
        assert three.session_context["aws:PrincipalTag/team"] == "red"
        assert three.session_context["aws:PrincipalTag/stage"] == "three"
        with refused("InvalidParameterValue", 400):
            assume(cloud, two, Tags=[{"Key": "TEAM", "Value": "blue"}])

    @pytest.mark.parametrize(
        "more",
        [
            {"TransitiveTagKeys": ["nothing"]},
            {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]},
            {"Tags": [{"Key": "aws:x", "Value": "1"}]},
        ],
    )
    def test_tags_that_are_refused(self, cloud: Cloud, roles: None, more: dict[str, Any]) -> None:
        with refused("InvalidParameterValue", 400):
            assume(cloud, **more)

    def test_the_trust_may_ask_which_tags_are_transitive(self, cloud: Cloud, roles: None) -> None:
        block = {
            "ForAllValues:StringEquals": {"sts:TransitiveTagKeys": ["team"]},
            "StringLike": {"aws:RequestTag/team": "*"},
        }
        cloud.ask("UpdateAssumeRolePolicy", RoleName="Train", PolicyDocument=trusting(*ALL, Condition=block))
        tags = [{"Key": "team", "Value": "red"}, {"Key": "x", "Value": "y"}]
        assert assume(cloud, Tags=tags, TransitiveTagKeys=["team"])
        with refused("AccessDenied", 403):
            assume(cloud, Tags=tags, TransitiveTagKeys=["x"])

    def test_a_source_identity_stays_what_it_is(self, cloud: Cloud, roles: None) -> None:
        one = assume(cloud, SourceIdentity="ann")
        two = assume(cloud, one, role=TWO)
        assert two.session_context["aws:SourceIdentity"] == "ann"
        assert assume(cloud, two, SourceIdentity="ann")
        with refused("AccessDenied", 403):
            assume(cloud, two, SourceIdentity="eve")
        cloud.ask("UpdateAssumeRolePolicy", RoleName="Two", PolicyDocument=trusting("sts:AssumeRole"))
        with refused("AccessDenied", 403):
            assume(cloud, one, role=TWO)

    def test_tags_of_a_role_are_condition_keys(self, cloud: Cloud, roles: None) -> None:
        ann = cloud.user("ann")
        block = {"StringEquals": {"iam:ResourceTag/team": "${aws:PrincipalTag/team}"}}
        cloud.ask("PutUserPolicy", UserName="ann", PolicyName="p", PolicyDocument=policy("sts:*", Condition=block))
        cloud.ask("TagUser", UserName="ann", Tags=[{"Key": "team", "Value": "red"}])
        with refused("AccessDenied", 403):
            assume(cloud, ann)
        cloud.ask("TagRole", RoleName="Train", Tags=[{"Key": "team", "Value": "red"}])
        assert assume(cloud, ann)


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Provider:
    """Signs tokens, as an identity provider does."""

    issuer = "https://id.example.com/realm"

    def __init__(self) -> None:
        self.rsa = rsa.generate_private_key(65537, 2048)
        self.curve = ec.generate_private_key(ec.SECP256R1())

    def keys(self) -> str:
        n, point = self.rsa.public_key().public_numbers(), self.curve.public_key().public_numbers()
        one = {"kty": "RSA", "kid": "r", "use": "sig", "n": _number(n.n), "e": _number(n.e)}
        two = {"kty": "EC", "kid": "c", "crv": "P-256", "x": _number(point.x), "y": _number(point.y)}
        return json.dumps({"keys": [one, two]})

    def token(self, algorithm: str = "RS256", **claims: Any) -> str:
        now = time.time()
        said = {"iss": self.issuer, "aud": "app", "sub": "user-ann", "iat": now, "exp": now + 600} | claims
        header = {"alg": algorithm, "kid": "r" if algorithm == "RS256" else "c"}
        signed = ".".join(_text(json.dumps(part).encode()) for part in (header, said))
        return f"{signed}.{_text(self._sign(algorithm, signed.encode()))}"

    def _sign(self, algorithm: str, signed: bytes) -> bytes:
        if algorithm == "RS256":
            return self.rsa.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        numbers = decode_dss_signature(self.curve.sign(signed, ec.ECDSA(hashes.SHA256())))
        return b"".join(each.to_bytes(32, "big") for each in numbers)


PROVIDER = Provider()
STRANGER = Provider()


class TestWebIdentity:
    nobody = Principal("anonymous", "", "", "", "")

    @pytest.fixture
    def provider(self, cloud: Cloud) -> str:
        asked = {"Url": PROVIDER.issuer, "ClientIDList": ["app"]}
        arn = cloud.ask("CreateOpenIDConnectProvider", **asked)["OpenIDConnectProviderArn"]
        file = keys_path(cloud.settings.data_dir, "id.example.com/realm")
        file.parent.mkdir()
        file.write_text(PROVIDER.keys())
        statement = {
            "Effect": "Allow",
            "Principal": {"Federated": arn},
            "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
            "Condition": {"StringEquals": {"id.example.com/realm:aud": "app", "id.example.com/realm:sub": "user-ann"}},
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        cloud.ask("CreateRole", RoleName="Train", AssumeRolePolicyDocument=document)
        cloud.ask("PutRolePolicy", RoleName="Train", PolicyName="p", PolicyDocument=policy("s3:*"))
        return arn

    def ask(self, cloud: Cloud, token: str, **more: Any) -> dict[str, Any]:
        asked = {"RoleArn": ROLE, "RoleSessionName": "web", "WebIdentityToken": token, **more}
        return cloud.ask("AssumeRoleWithWebIdentity", self.nobody, **asked)

    @pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
    def test_whom_a_provider_vouches_for(self, cloud: Cloud, provider: str, algorithm: str) -> None:
        answer = self.ask(cloud, PROVIDER.token(algorithm))
        assert (answer["SubjectFromWebIdentityToken"], answer["Audience"], answer["Provider"]) == (
            "user-ann",
            "app",
            provider,
        )
        web = cloud.principal(answer["Credentials"])
        assert web.session_context["id.example.com/realm:sub"] == "user-ann"
        assert cloud.may(web, "s3:GetObject", OBJECT)

    def test_tags_come_with_the_token(self, cloud: Cloud, provider: str) -> None:
        said = {"principal_tags": {"team": ["red"]}, "transitive_tag_keys": ["team"]}
        answer = self.ask(cloud, PROVIDER.token(**{"https://aws.amazon.com/tags": said}))
        web = cloud.principal(answer["Credentials"])
        assert (web.session_context["aws:PrincipalTag/team"], dict(web.transitive_tags)) == ("red", {"team": "red"})

    @pytest.mark.parametrize(  # made when they are asked with: they expire
        ("token", "text"),
        [
            (STRANGER.token, "not a valid JWT"),
            (lambda: STRANGER.token("ES256"), "not a valid JWT"),
            (lambda: "a.b.c", "not a valid JWT"),
            (lambda: PROVIDER.token()[:-8] + "AAAAAAAA", "not a valid JWT"),
            (lambda: ".".join([_text(b'{"alg":"none"}'), PROVIDER.token().split(".")[1], ""]), "not a valid JWT"),
            (lambda: PROVIDER.token(aud="other"), "Incorrect token audience"),
            (lambda: PROVIDER.token(iss="https://elsewhere.example.com"), "No OpenIDConnect provider found"),
            (lambda: PROVIDER.token(iat=time.time() + 9999), "not yet valid"),
            (lambda: PROVIDER.token(exp=float("nan")), "required claim"),
            (lambda: PROVIDER.token(exp="soon"), "required claim"),
        ],
    )
    def test_tokens_that_prove_nothing(self, cloud: Cloud, provider: str, token: Callable[[], str], text: str) -> None:
        with refused("InvalidIdentityToken", 400) as error:
            self.ask(cloud, token())
        assert text in error.value.message

    def test_a_token_of_yesterday(self, cloud: Cloud, provider: str) -> None:
        with refused("ExpiredTokenException", 400):
            self.ask(cloud, PROVIDER.token(exp=time.time() - 1))

    def test_somebody_whom_the_role_does_not_trust(self, cloud: Cloud, provider: str) -> None:
        with refused("AccessDenied", 403) as error:
            self.ask(cloud, PROVIDER.token(sub="user-eve"))
        assert error.value.message == "Not authorized to perform sts:AssumeRoleWithWebIdentity"

    def test_a_provider_whose_keys_are_not_here(self, cloud: Cloud, provider: str) -> None:
        keys_path(cloud.settings.data_dir, "id.example.com/realm").unlink()
        with refused("InvalidIdentityToken", 400) as error:
            self.ask(cloud, PROVIDER.token())
        assert error.value.message.startswith("Couldn't retrieve verification key from your identity provider")
        assert "oidc/id.example.com%2Frealm.json" in error.value.message


class TestEncodedMessages:
    def refusal(self, cloud: Cloud, who: Principal) -> AWSError:
        call = Call(who, "ec2", "RunInstances", {}, "us-east-1")
        with pytest.raises(AWSError) as error:
            cloud.identity.authorise(call, [Access("ec2:RunInstances", "*", {"ec2:InstanceType": "m5.large"})])
        return error.value

    def test_ec2s_refusals_are_decoded_by_those_who_may(self, cloud: Cloud) -> None:
        ann = cloud.user("ann")
        error = self.refusal(cloud, ann)
        assert error.code == "UnauthorizedOperation"
        text, _, encoded = error.message.partition(" Encoded authorization failure message: ")
        assert text.startswith("You are not authorized to perform this operation. User: ")
        message = json.loads(cloud.ask("DecodeAuthorizationMessage", EncodedMessage=encoded)["DecodedMessage"])
        assert (message["allowed"], message["explicitDeny"]) == (False, False)
        assert message["context"]["principal"]["arn"] == ann.arn
        assert message["context"]["action"] == "ec2:RunInstances"
        (item,) = message["context"]["conditions"]["items"]
        assert item == {"key": "ec2:InstanceType", "values": {"items": [{"value": "m5.large"}]}}
        with pytest.raises(AccessDenied):
            cloud.ask("DecodeAuthorizationMessage", ann, EncodedMessage=encoded)

    def test_a_message_that_was_not_made_here(self, cloud: Cloud) -> None:
        with refused("InvalidAuthorizationMessageException", 400):
            cloud.ask("DecodeAuthorizationMessage", EncodedMessage="AAAA")


def test_a_trust_that_asks_for_a_device(cloud: Cloud, roles: None) -> None:
    block = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    cloud.ask("UpdateAssumeRolePolicy", RoleName="Train", PolicyDocument=trusting(*ALL, Condition=block))
    with refused("AccessDenied", 403):
        assume(cloud)
