"""Sign, Verify, GetPublicKey, DeriveSharedSecret, GenerateMac, VerifyMac
(https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html)."""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from clary.errors import AWSError
from clary.keys import asymmetric
from clary.keys.asymmetric import BadDigest
from clary.keys.material import Private, public, unpacked
from clary.keys.specs import AGREE, MAC, SIGN, SPECS
from clary.services.context import Context
from clary.services.kms.errors import invalid, unsupported
from clary.services.kms.key_view import algorithms
from clary.services.kms.keyed import check_usable, check_use, on_key, secret
from clary.services.resources import Output, Params
from clary.store.rows import Row

_RAW, _DIGEST = "RAW", "DIGEST"
_ED25519 = "ED25519_SHA_512"


def _prepared(context: Context, params: Params, row: Row, operation: str) -> tuple[Private, bool]:
    """The key, and whether the message is a digest."""
    algorithm, kind = params["SigningAlgorithm"], params.get("MessageType") or _RAW
    check_use(row, params, SIGN, operation, algorithm)
    if kind not in (_RAW, _DIGEST) or (algorithm == _ED25519 and kind != _RAW):
        raise invalid(f"MessageType {kind} is not valid for algorithm {algorithm}.")
    return unpacked(secret(context, row)), kind == _DIGEST


@on_key("Sign", aliases=True)
def sign(context: Context, params: Params, row: Row) -> Output:
    """Raises NotFoundException, DisabledException, KMSInvalidStateException, InvalidKeyUsageException."""
    key, digest = _prepared(context, params, row, "Sign")
    algorithm = params["SigningAlgorithm"]
    try:
        signature = asymmetric.sign(key, algorithm, params["Message"], digest=digest)
    except BadDigest as bad:
        raise invalid(str(bad)) from None
    return {"KeyId": row.arn, "Signature": signature, "SigningAlgorithm": algorithm}


@on_key("Verify", aliases=True)
def verify(context: Context, params: Params, row: Row) -> Output:
    """Raises KMSInvalidSignatureException, and what Sign does."""
    key, digest = _prepared(context, params, row, "Verify")
    algorithm = params["SigningAlgorithm"]
    try:
        good = asymmetric.verify(key, algorithm, params["Message"], params["Signature"], digest=digest)
    except BadDigest as bad:
        raise invalid(str(bad)) from None
    if not good:
        raise AWSError("KMSInvalidSignatureException", "")
    return {"KeyId": row.arn, "SignatureValid": True, "SigningAlgorithm": algorithm}


@on_key("GetPublicKey", aliases=True)
def get_public(context: Context, _params: Params, row: Row) -> Output:
    """DER. Raises NotFoundException, DisabledException, KMSInvalidStateException, UnsupportedOperationException."""
    check_usable(row)
    if not SPECS[row.spec["KeySpec"]].asymmetric:
        raise unsupported(f"{row.arn} KeySpec {row.spec['KeySpec']} is not valid for GetPublicKey.")
    return {
        "KeyId": row.arn,
        "PublicKey": public(unpacked(secret(context, row))),
        "CustomerMasterKeySpec": row.spec["KeySpec"],
        "KeySpec": row.spec["KeySpec"],
        "KeyUsage": row.spec["KeyUsage"],
        **algorithms(row),
    }


@on_key("DeriveSharedSecret", aliases=True)
def derive(context: Context, params: Params, row: Row) -> Output:
    """Raises ValidationException for a public key of another curve, and what Sign does."""
    algorithm = params["KeyAgreementAlgorithm"]
    check_use(row, params, AGREE, "DeriveSharedSecret", algorithm)
    key = unpacked(secret(context, row))
    assert isinstance(key, EllipticCurvePrivateKey)  # noqa: S101  no other has this usage
    try:
        shared = asymmetric.shared_secret(key, params["PublicKey"])
    except ValueError:
        raise invalid("") from None
    said = {"KeyId": row.arn, "SharedSecret": shared, "KeyAgreementAlgorithm": algorithm}
    return {**said, "KeyOrigin": row.spec["Origin"]}


@on_key("GenerateMac", aliases=True)
def generate_mac(context: Context, params: Params, row: Row) -> Output:
    """Raises what Sign does."""
    algorithm = params["MacAlgorithm"]
    check_use(row, params, MAC, "GenerateMac", algorithm)
    made = asymmetric.mac(secret(context, row), algorithm, params["Message"])
    return {"Mac": made, "MacAlgorithm": algorithm, "KeyId": row.arn}


@on_key("VerifyMac", aliases=True)
def verify_mac(context: Context, params: Params, row: Row) -> Output:
    """Raises KMSInvalidMacException, and what Sign does."""
    algorithm = params["MacAlgorithm"]
    check_use(row, params, MAC, "VerifyMac", algorithm)
    made = asymmetric.mac(secret(context, row), algorithm, params["Message"])
    if not hmac.compare_digest(made, params["Mac"]):
        raise AWSError("KMSInvalidMacException", "")
    return {"KeyId": row.arn, "MacValid": True, "MacAlgorithm": algorithm}
