"""Bodies that are streamed: in chunks with and without signatures, with trailers, torn and forged."""

import base64
import hashlib
import hmac
import io
import zlib

import pytest
from botocore.httpchecksum import AwsChunkedWrapper

from clary.gateway import sigv4

ROOT = "http://127.0.0.1:4599"
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
URL = f"{ROOT}/bucket/key"


async def put(world, signed, headers, sent, announced=None):
    headers = {"content-length": str(sum(map(len, sent)) if announced is None else announced), **headers}
    url, headers = signed("v4", "s3", "PUT", URL, headers)
    return await world.ask("PUT", url, headers, chunks=sent)


async def test_a_plain_body_reaches_the_store_and_the_operation(world, signed):
    digest = hashlib.sha256(b"hello world").hexdigest()
    answer = await put(
        world, signed, {"x-amz-content-sha256": digest, "content-type": "text/plain"}, [b"hello ", b"world"]
    )
    assert answer.status == 200 and world.bodies.kept == [b"hello world"]
    params = world.calls[0].params
    assert params["Body"] == {"file": 1, "size": 11}
    assert (params["Bucket"], params["Key"], params["ContentType"]) == ("bucket", "key", "text/plain")
    assert answer.headers["x-amz-request-id"] and answer.headers["x-amz-id-2"]


async def test_another_body_than_the_signed_hash_is_refused(world, signed):
    digest = hashlib.sha256(b"other").hexdigest()
    answer = await put(world, signed, {"x-amz-content-sha256": digest}, [b"hello"])
    assert answer.status == 400 and b"<Code>XAmzContentSHA256Mismatch</Code>" in answer.body
    assert not world.calls and not world.bodies.kept


@pytest.mark.parametrize("announced", [4, 6])
async def test_another_length_than_announced_is_refused(world, signed, announced):
    answer = await put(world, signed, {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, [b"hello"], announced)
    assert answer.status == 400 and b"<Code>IncompleteBody</Code>" in answer.body
    assert not world.calls


async def test_an_unknown_length_is_refused(open_world):
    messages = [{"type": "http.request", "body": b"", "more_body": False}]
    scope = {
        "type": "http",
        "method": "PUT",
        "path": "/b/k",
        "raw_path": b"/b/k",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:4599"), (b"transfer-encoding", b"chunked")],
    }
    answer = await open_world.talk(scope, messages)
    assert answer.status == 411 and b"<Code>MissingContentLength</Code>" in answer.body


def crc32(data):
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


class Crc:
    def __init__(self):
        self.data = b""

    def update(self, data):
        self.data += data

    def b64digest(self):
        return crc32(self.data)


def unsigned_chunks(data):
    wrapper = AwsChunkedWrapper(
        io.BytesIO(data), checksum_cls=Crc, checksum_name="x-amz-checksum-crc32", chunk_size=1000
    )
    return b"".join(iter(wrapper.read, b""))


TRAILER_HEADERS = {
    "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "x-amz-trailer": "x-amz-checksum-crc32",
    "content-encoding": "gzip,aws-chunked",
}


@pytest.mark.parametrize("step", [1, 7, 100_000])
async def test_botocores_chunks_are_unwrapped_wherever_they_are_cut(world, signed, step):
    data = bytes(range(256)) * 9
    wire = unsigned_chunks(data)
    headers = TRAILER_HEADERS | {"x-amz-decoded-content-length": str(len(data))}
    answer = await put(world, signed, headers, [wire[at : at + step] for at in range(0, len(wire), step)])
    assert answer.status == 200 and world.bodies.kept == [data]
    params = world.calls[0].params
    assert params["ChecksumCRC32"] == crc32(data) and params["ContentEncoding"] == "gzip"


@pytest.mark.parametrize("cut", [1, 3, 40, 900])
async def test_chunks_that_end_early_are_refused(world, signed, cut):
    data = b"x" * 2000
    wire = unsigned_chunks(data)[:-cut]
    answer = await put(world, signed, TRAILER_HEADERS | {"x-amz-decoded-content-length": "2000"}, [wire])
    assert answer.status == 400 and b"<Code>IncompleteBody</Code>" in answer.body
    assert not world.calls


@pytest.mark.parametrize(
    "wire",
    [
        b"zz\r\n",
        b"-5\r\n",
        b"5\r\nhelloXX0\r\n\r\n",
        b"9" * 5000,
        b"0\r\nno colon\r\n\r\n",
        b"ffffffffffffff\r\n",
        b" 5 \r\n",
        b"0\r\n" + b"a:b\r\n" * 99,
    ],
)
async def test_broken_chunks_are_refused(world, signed, wire):
    answer = await put(world, signed, TRAILER_HEADERS | {"x-amz-decoded-content-length": "5"}, [wire])
    assert answer.status == 400
    assert not world.calls


def signed_chunks(seed, stamp, scope, pieces, trailer=None):
    """As https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html describes them."""
    date, region, service, _ = scope.split("/")
    key, last, wire = sigv4.signing_key(SECRET, date, region, service), seed, b""
    empty = hashlib.sha256().hexdigest()
    for piece in [*pieces, b""]:
        hashed = hashlib.sha256(piece).hexdigest()
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{stamp}\n{scope}\n{last}\n{empty}\n{hashed}"
        last = hmac.digest(key, text.encode(), "sha256").hex()
        wire += b"%x;chunk-signature=%s\r\n" % (len(piece), last.encode()) + (piece + b"\r\n" if piece else b"")
    if trailer:
        line = f"{trailer[0]}:{trailer[1]}\n"
        text = f"AWS4-HMAC-SHA256-TRAILER\n{stamp}\n{scope}\n{last}\n{hashlib.sha256(line.encode()).hexdigest()}"
        last = hmac.digest(key, text.encode(), "sha256").hex()
        wire += f"{trailer[0]}:{trailer[1]}\r\nx-amz-trailer-signature:{last}\r\n".encode()
    return wire + b"\r\n"


async def put_signed(world, signed, pieces, trailer=None, forge=lambda wire: wire):
    word = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
    size = sum(map(len, pieces))
    headers = {
        "x-amz-content-sha256": word,
        "x-amz-decoded-content-length": str(size),
        "content-encoding": "aws-chunked",
    }
    if trailer:
        headers["x-amz-trailer"] = trailer[0]
    url, headers = signed("v4", "s3", "PUT", URL, headers)
    seed = headers["authorization"].rpartition("Signature=")[2]
    scope = headers["authorization"].partition("Credential=")[2].partition(",")[0].partition("/")[2]
    wire = forge(signed_chunks(seed, headers["x-amz-date"], scope, pieces, trailer))
    return await world.ask("PUT", url, headers, wire)


async def test_signed_chunks_are_verified(world, signed):
    answer = await put_signed(world, signed, [b"a" * 65536, b"b" * 1024])
    assert answer.status == 200 and world.bodies.kept == [b"a" * 65536 + b"b" * 1024]
    assert "ContentEncoding" not in world.calls[0].params


async def test_signed_trailers_are_verified(world, signed):
    trailer = ("x-amz-checksum-crc32", crc32(b"hello"))
    assert (await put_signed(world, signed, [b"hello"], trailer)).status == 200
    assert world.calls[0].params["ChecksumCRC32"] == trailer[1]
    forged = await put_signed(world, signed, [b"hello"], trailer, lambda w: w.replace(trailer[1].encode(), b"AAAAAA=="))
    assert forged.status == 403 and len(world.calls) == 1


async def test_a_forged_chunk_is_refused(world, signed):
    answer = await put_signed(world, signed, [b"a" * 100, b"b" * 100], forge=lambda wire: wire.replace(b"bb", b"bc", 1))
    assert answer.status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in answer.body
    assert not world.calls and not world.bodies.kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-amz-acl", "public-read"),
        ("x-amz-tagging", "a=b"),
        ("x-amz-object-lock-legal-hold", "ON"),
        ("x-amz-website-redirect-location", "https://elsewhere.example/"),
    ],
)
async def test_trailers_cannot_ask_for_more_than_was_authorised(world, signed, name, value):
    """Rights are decided before the body comes."""
    wire = unsigned_chunks(b"hello")[:-2] + f"{name}:{value}\r\n\r\n".encode()
    answer = await put(world, signed, TRAILER_HEADERS | {"x-amz-decoded-content-length": "5"}, [wire])
    assert answer.status == 400 and b"<Code>MalformedTrailerError</Code>" in answer.body
    assert not world.calls and not world.bodies.kept
