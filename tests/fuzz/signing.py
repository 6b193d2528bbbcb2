"""Signatures: botocore's hold for any path, query and header; one that is changed anywhere does not."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from urllib.parse import quote, quote_from_bytes

from botocore.auth import HmacV1Auth, HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest

from tests.fuzz.attacker import Answer, Attacker
from tests.running import RunningClary

REQUESTS = 30
"""In one round; each is then sent changed as well."""

LETTERS = "abcxyzABCXYZ0123456789"
ODD = " /%+=&?#~!$'()*,;:@-._ü☃\\^`|\"<>[]{}\t"


class Signing:
    """Requests signed by botocore, as they are and changed."""

    def __init__(self, clary: RunningClary, chance: Random) -> None:
        self._attacker = Attacker(clary, chance)
        self._chance = chance

    def round(self) -> None:
        bucket = AWSRequest("PUT", f"{self._attacker.host}/fuzz-signed", {}, b"")
        assert self._attacker.send("s3", bucket).status == 200
        for _ in range(REQUESTS):
            self._chance.choice((self._json, self._object, self._object, self._presigned, self._version_2))()

    def _json(self) -> None:
        body = b'{"NameContains":"%s"}' % "".join(self._chance.choices(LETTERS, k=8)).encode()
        headers = {"X-Amz-Target": "SageMaker.ListModels", "Content-Type": "application/x-amz-json-1.1"}
        request = AWSRequest("POST", self._attacker.host + "/", headers, body)
        SigV4Auth(self._attacker.credentials, "sagemaker", "us-east-1").add_auth(request)
        self._tell(request, lambda answer: answer.status == 200)

    def _object(self) -> None:
        headers = {"x-amz-meta-a": self._latin(), "Range": "bytes=0-1"} if self._chance.random() < 0.5 else {}
        request = AWSRequest(self._method(), self._url(), headers, b"")
        S3SigV4Auth(self._attacker.credentials, "s3", "us-east-1").add_auth(request)
        self._tell(request, _came_in)

    def _presigned(self) -> None:
        request = AWSRequest(self._method(), self._url(), {}, b"")
        S3SigV4QueryAuth(self._attacker.credentials, "s3", "us-east-1", expires=60).add_auth(request)
        self._tell(request, _came_in)

    def _version_2(self) -> None:
        signer = self._chance.choice((HmacV1Auth, HmacV1QueryAuth))
        request = AWSRequest(self._method(), self._url(odd_query=False), {}, b"")
        signer(self._attacker.credentials).add_auth(request)
        self._tell(request, _came_in)

    def _tell(self, request: AWSRequest, holds: Callable[[Answer], bool]) -> None:
        wire = self._attacker.wire(request)
        answer = self._attacker.raw(wire)
        assert holds(answer), (answer, wire)
        for changed in (self._changed(wire) for _ in range(3)):
            self._forged(wire, changed)

    def _forged(self, wire: bytes, changed: bytes) -> None:
        """Refused, in whichever words: some changes leave nothing that could be signed."""
        answer = self._attacker.raw(changed)
        assert 400 <= answer.status < 500 or answer.status == 501, (answer, changed, wire)
        assert not _came_in(answer), (answer, changed, wire)

    def _changed(self, wire: bytes) -> bytes:
        """One letter of the target, of what is signed, or of the signature is another."""
        at = self._chance.choice(_signed_places(wire))
        other = self._chance.choice([each for each in LETTERS.encode() if not _same(each, wire[at])])
        return wire[:at] + bytes([other]) + wire[at + 1 :]

    def _method(self) -> str:
        return self._chance.choice(("GET", "HEAD", "DELETE", "PUT"))

    def _url(self, *, odd_query: bool = True) -> str:
        """A key of the bucket, and a query that no operation minds."""
        key = self._word(12)
        path = quote_from_bytes(key.encode(), safe=self._chance.choice(("/~", "/~-._", "~")))
        pairs = [(self._word(6), self._word(6)) for _ in range(self._chance.randrange(3))] if odd_query else []
        query = "&".join(f"x{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs)
        return f"{self._attacker.host}/fuzz-signed/k{path}" + (f"?{query}" if query else "")

    def _word(self, most: int) -> str:
        return "".join(self._chance.choices(LETTERS + ODD, k=self._chance.randrange(1, most)))

    def _latin(self) -> str:
        return "".join(self._chance.choices(LETTERS + "  ~=;,/", k=self._chance.randrange(1, 12)))


def _came_in(answer: Answer) -> bool:
    """The signature held: there is no such key, or now there is."""
    return answer.status in (200, 204, 416) or (
        answer.status == 404 and (not answer.body or b"NoSuchKey" in answer.body)
    )


def _same(one: int, other: int) -> bool:
    """In whichever case: that of an escape, or of a header's name in a list, may not matter."""
    return bytes([one]).lower() == bytes([other]).lower()


def _signed_places(wire: bytes) -> list[int]:
    """Of letters and digits in the target, in signed headers' values and in the body."""
    head = wire.index(b"\r\n\r\n")
    places = list(range(wire.index(b" /") + 2, wire.index(b" HTTP/1.1"))) + list(range(head + 4, len(wire)))
    start = wire.index(b"\r\n") + 2
    while start < head:
        end = wire.index(b"\r\n", start)
        name, _, value = wire[start:end].partition(b": ")
        if name.lower().startswith((b"authorization", b"x-amz-")):
            places += range(end - len(value), end)
        start = end + 2
    return [at for at in places if wire[at : at + 1].isalnum()]
