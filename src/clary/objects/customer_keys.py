"""Keys that customers bring with each request: SSE-C
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping

from clary.errors import AWSError
from clary.objects.sealing import KEY_BYTES

ALGORITHM = "AES256"
_HEADER = "x-amz-server-side-encryption"
_SAYS = "Requests specifying Server Side Encryption with Customer provided keys must provide"


def key_of_headers(headers: Mapping[str, str]) -> bytes | None:
    """As `customer_key`, from a request's headers, names in lower case."""
    names = (f"{_HEADER}-customer-{name}" for name in ("algorithm", "key", "key-md5"))
    return customer_key(*(headers.get(name) for name in names))


def customer_key(algorithm: str | None, key: str | None, md5: str | None) -> bytes | None:
    """The key, where the three headers bring one. Raises InvalidArgument, InvalidEncryptionAlgorithmError."""
    if algorithm is None and key is None and md5 is None:
        return None
    if not algorithm:
        raise _invalid(f"{_SAYS} a valid encryption algorithm.")
    if algorithm != ALGORITHM:
        what = "The Encryption request you specified is not valid. Supported value: AES256."
        members = {"ArgumentName": _HEADER, "ArgumentValue": algorithm}
        raise AWSError("InvalidEncryptionAlgorithmError", what, members=members)
    if not key:
        raise _invalid(f"{_SAYS} an appropriate secret key.")
    if md5 is None:
        raise _invalid(f"{_SAYS} the client calculated MD5 of the secret key.")
    return _checked(key, md5)


def _checked(text: str, md5: str) -> bytes:
    key = _decoded(text)
    if len(key) != KEY_BYTES:
        raise _invalid("The secret key was invalid for the specified algorithm.")
    if hashlib.md5(key, usedforsecurity=False).digest() != _decoded(md5):
        raise _invalid("The calculated MD5 hash of the key did not match the hash that was provided.")
    return key


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _invalid(what: str) -> AWSError:
    """AWS names this header in all of them."""
    return AWSError("InvalidArgument", what, members={"ArgumentName": _HEADER})
