"""What a request says about its body's checksums, in headers or, behind the body, in trailers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from clary.errors import AWSError
from clary.objects.body import received
from clary.objects.checksums import ALGORITHMS, DEFAULT_ALGORITHM, Digest, encode, new
from clary.objects.errors import BadChecksum, BadMD5, InvalidMD5
from clary.objects.model import Received

_HEADERS = {f"x-amz-checksum-{algorithm.lower()}": algorithm for algorithm in ALGORITHMS}


@dataclass(frozen=True)
class Expectation:
    """The checksum algorithm that a request names (S3's default where it names none), and its Content-MD5."""

    algorithm: str
    declared: bool
    md5: str | None
    """Hexadecimal."""

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Expectation:
        """From a request's headers, names in lower case. Raises InvalidMD5, InvalidRequest."""
        named = _named_algorithm(headers)
        return cls(named or DEFAULT_ALGORITHM, named is not None, _content_md5(headers))

    def check(self, received: Received, said: Mapping[str, str], *, whole: bool) -> None:
        """Compare with `said`, headers and trailers together. Raises BadDigest; of a wrong MD5 S3 speaks in hexadecimal
        where it is of the `whole` of an object, in base64 where it is a part's."""
        if self.md5 is not None and self.md5 != received["md5"]:
            expected = self.md5 if whole else _base64(self.md5)
            raise BadMD5(expected, _base64(received["md5"]))
        for header, algorithm in _HEADERS.items():
            value = said.get(header)
            if value is not None and value != received["checksums"].get(algorithm):
                raise BadChecksum(algorithm)


def check_document(body: bytes, headers: Mapping[str, str], *, checksums: bool) -> None:
    """A request's body that is no object. `checksums`: they are the body's, where its headers say any; else they are
    of something else. Raises InvalidMD5, InvalidRequest, BadDigest."""
    said = {name: headers[name] for name in ("content-md5", *_HEADERS) if name in headers}
    said = said if checksums else {name: value for name, value in said.items() if name not in _HEADERS}
    if said:
        expected = Expectation.of(said)
        digest = Digest(expected.algorithm)
        digest.update(body)
        expected.check(received("", digest), said, whole=True)


def _named_algorithm(headers: Mapping[str, str]) -> str | None:
    present = [algorithm for header, algorithm in _HEADERS.items() if header in headers]
    if len(present) > 1:
        what = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        raise AWSError("InvalidRequest", what)
    if present:
        _check_form(present[0], headers)
        return present[0]
    for trailer in headers.get("x-amz-trailer", "").lower().split(","):
        if trailer.strip() in _HEADERS:
            return _HEADERS[trailer.strip()]
    named = headers.get("x-amz-sdk-checksum-algorithm", "").upper()
    return named if named in ALGORITHMS else None


def _check_form(algorithm: str, headers: Mapping[str, str]) -> None:
    header = f"x-amz-checksum-{algorithm.lower()}"
    if len(_decoded(headers[header])) != len(new(algorithm).digest()):
        raise AWSError("InvalidRequest", f"Value for {header} header is invalid.")


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _content_md5(headers: Mapping[str, str]) -> str | None:
    value = headers.get("content-md5")
    if value is None:
        return None
    digest = _decoded(value)
    if len(digest) != 16:
        raise InvalidMD5(value)
    return digest.hex()


def _base64(hexadecimal: str) -> str:
    return encode(bytes.fromhex(hexadecimal))
