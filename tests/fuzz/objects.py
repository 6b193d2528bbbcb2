"""S3: keys of any bytes, ranges, conditions and parts in any order, held against a dictionary; and bodies in chunks
that are signed, framed or announced wrongly: whatever is not as it was sent is never kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import zlib
from dataclasses import dataclass
from random import Random
from urllib.parse import quote_from_bytes
from xml.sax.saxutils import escape

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest

from tests.fuzz.attacker import Answer, Attacker
from tests.running import RunningClary

STEPS = 40
"""In one round."""

BUCKET = "fuzz-objects"
SIZES = (0, 1, 2, 10, 1000, 65_535, 65_536, 70_000)
ODD = ("..", ".", "", "a", " ", "+", "%", "%2F", "ü", "☃", "\U0001f600", "~", "&", "\\", "?x", "#", "\x01", "\x7f", ":")
EMPTY_HASH = hashlib.sha256().hexdigest()
SIGNED, UNSIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


@dataclass
class Upload:
    """A multipart upload under way."""

    key: str
    id: str
    parts: dict[int, tuple[bytes, str]]
    """Data and entity tag by number."""


class Objects:
    """One bucket, and what ought to be in it."""

    def __init__(self, clary: RunningClary, chance: Random) -> None:
        self._attacker = Attacker(clary, chance)
        self._chance = chance
        self._kept: dict[str, bytes] = {}
        self._uploads: list[Upload] = []
        self._keys = [self._key() for _ in range(4)]

    def round(self) -> None:
        self._ask("PUT", "")
        for key in self._keys:
            self._ask("DELETE", key)
        steps = (self._put, self._get, self._range, self._condition, self._delete, self._begin, self._part)
        steps += (self._complete, self._abort, self._chunked, self._chunked)
        for _ in range(STEPS):
            self._chance.choice(steps)()
        for key in self._keys:
            self._is_kept(key)

    def _key(self) -> str:
        return "k" + "/".join(self._chance.choice(ODD) for _ in range(self._chance.randrange(1, 5)))

    def _some(self) -> str:
        return self._chance.choice(self._keys)

    def _data(self) -> bytes:
        return self._chance.randbytes(self._chance.choice(SIZES))

    def _ask(
        self, method: str, key: str, query: str = "", headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        request = AWSRequest(method, self._url(key, query), headers or {}, body)
        try:
            answer = self._attacker.send("s3", request)
        except TimeoutError:
            raise AssertionError(f"no answer to {method} {key!r} {query} {headers}") from None
        assert answer.status < 500 or answer.status == 501, (answer, method, key, query, headers)
        return answer

    def _url(self, key: str, query: str = "") -> str:
        path = f"/{BUCKET}/{quote_from_bytes(key.encode(), safe='/~')}" if key else f"/{BUCKET}"
        return f"{self._attacker.host}{path}{query and '?' + query}"

    def _is_kept(self, key: str) -> None:
        answer = self._ask("GET", key)
        if key in self._kept:
            assert (answer.status, answer.body) == (200, self._kept[key]), (key, answer.status, answer.headers)
        else:
            assert answer.status == 404, (key, answer)

    # whole objects

    def _put(self) -> None:
        key, data = self._some(), self._data()
        headers = self._chance.choice(({}, {"If-None-Match": "*"}, {"If-Match": self._tag(key)}, {"If-Match": '"x"'}))
        expected = 200
        if "If-None-Match" in headers and key in self._kept:
            expected = 412
        if "If-Match" in headers:
            expected = 404 if key not in self._kept else 412 if headers["If-Match"] == '"x"' else 200
        answer = self._ask("PUT", key, headers=headers, body=data)
        assert answer.status == expected, (answer, key, headers)
        if expected == 200:
            self._kept[key] = data

    def _tag(self, key: str) -> str:
        """The entity tag that the server says."""
        return str(self._ask("HEAD", key).headers.get("etag", '"y"'))

    def _get(self) -> None:
        self._is_kept(self._some())

    def _delete(self) -> None:
        key = self._some()
        assert self._ask("DELETE", key).status == 204
        self._kept.pop(key, None)
        self._is_kept(key)

    def _range(self) -> None:
        """As Python slices; what is no range is none."""
        key = self._some()
        first, last = (self._chance.choice(("", "0", "1", "9", "999", "65536", "9" * 30)) for _ in range(2))
        unit = self._chance.choice(("bytes=", "bytes=", "bytes=", "bytes:", "lines=", "Bytes =", "bytes=x"))
        answer = self._ask("GET", key, headers={"Range": f"{unit}{first}-{last}"})
        data = self._kept.get(key)
        if data is None:
            assert answer.status in {404, 416}, answer
            return
        assert answer.status in {200, 206, 416}, (answer, first, last)
        if answer.status == 200:
            assert answer.body == data, (key, unit, first, last)
        if answer.status == 206:
            begin = int(first) if first else max(len(data) - int(last), 0)
            end = len(data) if not first or not last else int(last) + 1
            assert answer.body == data[begin:end], (key, unit, first, last, answer.headers)

    def _condition(self) -> None:
        key = self._some()
        tag = self._tag(key)
        name, right = self._chance.choice((("If-Match", 200), ("If-None-Match", 304)))
        wrong = 412 if right == 200 else 200
        given, expected = self._chance.choice(((tag, right), ('"x"', wrong), (f'"x", {tag}', right), ("*", right)))
        answer = self._ask("GET", key, headers={name: given})
        assert answer.status == (expected if key in self._kept else 404), (answer.status, key, name, given)

    # parts

    def _begin(self) -> None:
        key = self._some()
        said = self._ask("POST", key, "uploads")
        self._uploads.append(Upload(key, said.body.partition(b"<UploadId>")[2].partition(b"<")[0].decode(), {}))

    def _part(self) -> None:
        if not self._uploads:
            return
        upload, number = self._chance.choice(self._uploads), self._chance.choice((1, 2, 3, 10_000, 0, 10_001))
        data = self._data()
        answer = self._ask("PUT", upload.key, f"partNumber={number}&uploadId={upload.id}", body=data)
        assert (answer.status == 200) == (1 <= number <= 10_000), (answer, number)
        if answer.status == 200:
            upload.parts[number] = data, answer.headers["etag"]

    def _complete(self) -> None:
        """In any order, with parts that are not there, too small ones, none."""
        if not self._uploads:
            return
        upload = self._chance.choice(self._uploads)
        named = [(number, tag) for number, (_, tag) in upload.parts.items()]
        self._chance.shuffle(named)
        if self._chance.random() < 0.7:
            named.sort()
        named += self._chance.choice(([], [], [(7, '"0"')]))
        parts = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{escape(tag)}</ETag></Part>" for n, tag in named)
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        answer = self._ask("POST", upload.key, f"uploadId={upload.id}", body=body)
        whole = len(named) == 1 and named[0][0] in upload.parts  # two would need five megabytes
        assert ((answer.status, b"<Error>" in answer.body) == (200, False)) == whole, (answer, named)
        if whole:
            self._kept[upload.key] = upload.parts[named[0][0]][0]
            self._uploads.remove(upload)
        self._is_kept(upload.key)

    def _abort(self) -> None:
        if self._uploads:
            upload = self._uploads.pop()
            assert self._ask("DELETE", upload.key, f"uploadId={upload.id}").status == 204
            assert self._ask("GET", upload.key, f"uploadId={upload.id}").status == 404

    # chunks

    def _chunked(self) -> None:
        """As it should be, or with a byte that is not: then it is refused, or what is kept is the same all the same."""
        key, data = self._some(), self._data()
        kind = self._chance.choice((SIGNED, UNSIGNED))
        headers, wire = self._in_chunks(key, data, kind)
        harmed = self._chance.random() < 0.6
        sent = self._harmed(wire) if harmed else wire
        answer = self._raw(key, headers, sent)
        if not harmed or sent == wire:
            assert answer.status == 200, (answer, headers, sent[:300])
        assert answer.status in {0, 200} or 400 <= answer.status < 500, (answer, headers, sent)
        if answer.status == 200:
            self._kept[key] = data
        self._is_kept(key)

    def _in_chunks(self, key: str, data: bytes, kind: str) -> tuple[dict[str, str], bytes]:
        request = AWSRequest("PUT", self._url(key), {})
        request.headers["X-Amz-Decoded-Content-Length"] = str(len(data))
        request.headers["Content-Encoding"] = "aws-chunked"
        if kind == UNSIGNED:
            request.headers["X-Amz-Trailer"] = "x-amz-checksum-crc32"
        signer = _Streaming(self._attacker.credentials, "s3", "us-east-1")
        signer.word = kind
        signer.add_auth(request)
        headers = {name: str(value) for name, value in request.headers.items()}
        cut = self._chance.choice((8192, 65_536, 10**6))
        pieces = [data[at : at + cut] for at in range(0, len(data), cut)]
        return headers, self._signed(headers, pieces) if kind == SIGNED else _unsigned(pieces, data)

    def _signed(self, headers: dict[str, str], pieces: list[bytes]) -> bytes:
        said = re.search(r"Credential=[^/]+/(\S+), .*Signature=(\w+)", headers["Authorization"])
        assert said is not None
        scope, last = said.groups()
        key = f"AWS4{self._attacker.credentials.secret_key}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        wire = b""
        for piece in [*pieces, b""]:
            hashes = f"{EMPTY_HASH}\n{hashlib.sha256(piece).hexdigest()}"
            text = f"AWS4-HMAC-SHA256-PAYLOAD\n{headers['X-Amz-Date']}\n{scope}\n{last}\n{hashes}"
            last = hmac.digest(key, text.encode(), "sha256").hex()
            wire += b"%x;chunk-signature=%s\r\n%s\r\n" % (len(piece), last.encode(), piece)
        return wire

    def _harmed(self, wire: bytes) -> bytes:
        at = self._chance.choice((self._chance.randrange(len(wire)), self._chance.randrange(min(len(wire), 90))))
        match self._chance.randrange(4):
            case 0:
                return wire[:at] + bytes([wire[at] ^ (1 << self._chance.randrange(8))]) + wire[at + 1 :]
            case 1:
                return wire[:at]
            case 2:
                return wire[:at] + self._chance.randbytes(2) + wire[at:]
        return wire + self._chance.choice((b"\r\n", b"x", wire))

    def _raw(self, key: str, headers: dict[str, str], body: bytes) -> Answer:
        request = AWSRequest("PUT", self._url(key), headers, body)
        try:
            return self._attacker.raw(self._attacker.wire(request))
        except TimeoutError:
            raise AssertionError(f"no answer to {headers} {body[:300]!r}") from None


class _Streaming(S3SigV4Auth):
    """Signs the word that stands for the chunks."""

    word = ""

    def payload(self, request: AWSRequest) -> str:
        return self.word


def _unsigned(pieces: list[bytes], data: bytes) -> bytes:
    checksum = base64.b64encode(zlib.crc32(data).to_bytes(4, "big"))
    framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return framed + b"0\r\nx-amz-checksum-crc32:" + checksum + b"\r\n\r\n"
