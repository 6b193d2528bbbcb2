"""Who has signed the policy of a form, by either of S3's signatures
(https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html)."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence

from clary.calls import Principal
from clary.errors import AWSError
from clary.gateway.keyring import Keyring
from clary.gateway.sigv4 import ALGORITHM, mismatch, signing_key
from clary.services.s3.errors import invalid_argument

_NOBODY = Principal(kind="anonymous", account="", arn="", identity="", user_id="")
_V4 = ("X-Amz-Signature", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date")
_V2 = ("Signature", "AWSAccessKeyId")
_TOKEN = "x-amz-security-token"  # noqa: S105  a field's name
_SCOPE_PARTS = 5

Fields = Mapping[str, str]
"""By name in lower case."""


def signer(keyring: Keyring, fields: Fields) -> Principal:
    """Nobody where there is no policy. Raises InvalidArgument, AccessDenied, SignatureDoesNotMatch, and as `find`."""
    if "policy" not in fields:
        return _NOBODY
    for names, verify in ((_V4, _by_v4), (_V2, _by_v2)):
        if any(name.lower() in fields for name in names):
            _check_all(fields, names)
            return verify(keyring, fields)
    raise AWSError("AccessDenied", "Access Denied", status=403)


def _check_all(fields: Fields, names: Sequence[str]) -> None:
    for name in names:
        if not fields.get(name.lower()):
            text = f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of "
            raise invalid_argument(f"{text}the fields.", name, "")


def _by_v4(keyring: Keyring, fields: Fields) -> Principal:
    scope = fields["x-amz-credential"].rsplit("/", 4)
    if fields["x-amz-algorithm"] != ALGORITHM or len(scope) != _SCOPE_PARTS or scope[4] != "aws4_request":
        raise mismatch(s3=True)
    key_id, date, region, service, _ = scope
    credential = keyring.find(key_id, fields.get(_TOKEN))
    if service != "s3" or not fields["x-amz-date"].startswith(date):
        raise mismatch(s3=True)
    key = signing_key(credential.secret_key, date, region, service)
    expected = hmac.digest(key, fields["policy"].encode(), "sha256").hex()
    _compare(expected, fields["x-amz-signature"])
    return credential.principal


def _by_v2(keyring: Keyring, fields: Fields) -> Principal:
    credential = keyring.find(fields["awsaccesskeyid"], fields.get(_TOKEN))
    digest = hmac.digest(credential.secret_key.encode(), fields["policy"].encode(), "sha1")
    _compare(base64.b64encode(digest).decode(), fields["signature"])
    return credential.principal


def _compare(expected: str, given: str) -> None:
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise mismatch(s3=True)
