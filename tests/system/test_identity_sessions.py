"""Sessions and identities as boto3 sees them, beyond AssumeRole: federation, devices, web identities, paths."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from clary.identity import totp
from tests.running import RunningClary

from .test_identity import ACCOUNT, TRUST, clients, document, iam, refused, user

__all__ = ["clients", "iam", "user"]

pytestmark = pytest.mark.system


def test_a_federated_user(iam: Any, clients: Any, user: dict[str, Any]) -> None:
    statement = {"Effect": "Allow", "Action": ["sts:GetFederationToken", "s3:List*"], "Resource": "*"}
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=document(statement))
    asked = document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    federated = clients("sts", user).get_federation_token(Name="guest", Policy=asked)
    credentials = federated["Credentials"]
    assert clients("sts", credentials).get_caller_identity()["Arn"] == f"arn:aws:sts::{ACCOUNT}:federated-user/guest"
    assert "Buckets" in clients("s3", credentials).list_buckets()
    with refused("AccessDenied", 403):
        clients("s3", credentials).create_bucket(Bucket="guests")
    with refused("InvalidClientTokenId", 403):
        clients("iam", credentials).list_users()


def test_a_session_with_a_code_of_a_device(iam: Any, clients: Any, user: dict[str, Any]) -> None:
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]
    serial, seed = device["SerialNumber"], device["Base32StringSeed"].decode()
    step = int(time.time()) // totp.STEP_SECONDS
    iam.enable_mfa_device(
        UserName="ann",
        SerialNumber=serial,
        AuthenticationCode1=totp.code(seed, step - 4),
        AuthenticationCode2=totp.code(seed, step - 3),
    )
    block = {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}
    statement = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*", "Condition": block}
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=document(statement))
    with refused("AccessDenied", 403):
        clients("s3", user).list_buckets()
    code = totp.code(seed, int(time.time()) // totp.STEP_SECONDS)
    session = clients("sts", user).get_session_token(SerialNumber=serial, TokenCode=code)["Credentials"]
    assert "Buckets" in clients("s3", session).list_buckets()
    iam.deactivate_mfa_device(UserName="ann", SerialNumber=serial)
    iam.delete_virtual_mfa_device(SerialNumber=serial)


def test_a_role_below_a_path_is_meant_by_its_whole_arn(iam: Any, clients: Any, user: dict[str, Any]) -> None:
    for name, path in (("Below", "/ml/"), ("Beside", "/")):
        iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=document(TRUST))
    below = {"Effect": "Allow", "Action": "iam:*", "Resource": f"arn:aws:iam::{ACCOUNT}:role/ml/*"}
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=document(below))
    assert clients("iam", user).get_role(RoleName="Below")["Role"]["Path"] == "/ml/"
    with refused("AccessDenied", 403):
        clients("iam", user).get_role(RoleName="Beside")
    clients("iam", user).delete_role(RoleName="Below")
    iam.delete_role(RoleName="Beside")


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _token(key: rsa.RSAPrivateKey) -> str:
    said = {
        "iss": "https://id.example.org",
        "aud": "app",
        "sub": "build-7",
        "iat": time.time(),
        "exp": time.time() + 600,
    }
    signed = ".".join(_text(json.dumps(part).encode()) for part in ({"alg": "RS256"}, said))
    return f"{signed}.{_text(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def test_a_web_identity_signs_nothing(shared: RunningClary, iam: Any, clients: Any) -> None:
    key = rsa.generate_private_key(65537, 2048)
    n = key.public_key().public_numbers().n
    keys = shared.data_dir / "oidc" / "id.example.org.json"
    keys.parent.mkdir(exist_ok=True)
    keys.write_text(json.dumps({"keys": [{"kty": "RSA", "n": _text(n.to_bytes(256, "big")), "e": "AQAB"}]}))
    provider = iam.create_open_id_connect_provider(Url="https://id.example.org", ClientIDList=["app"])
    arn = provider["OpenIDConnectProviderArn"]
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringLike": {"id.example.org:sub": "build-*"}},
    }
    role = iam.create_role(RoleName="Web", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    unsigned = boto3.client(
        "sts", endpoint_url=shared.endpoint_url, region_name="us-east-1", config=Config(signature_version=UNSIGNED)
    )
    asked = {"RoleArn": role, "RoleSessionName": "web-1"}
    answer = unsigned.assume_role_with_web_identity(**asked, WebIdentityToken=_token(key))
    assert answer["SubjectFromWebIdentityToken"] == "build-7"
    who = clients("sts", answer["Credentials"]).get_caller_identity()["Arn"]
    assert who == f"arn:aws:sts::{ACCOUNT}:assumed-role/Web/web-1"
    with pytest.raises(ClientError, match="InvalidIdentityToken"):
        unsigned.assume_role_with_web_identity(**asked, WebIdentityToken=_token(rsa.generate_private_key(65537, 2048)))
    iam.delete_role(RoleName="Web")
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
