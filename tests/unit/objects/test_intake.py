"""Taking in bodies, and what is left when that goes wrong: nothing."""

import asyncio
import base64
import errno
import hashlib
import os

import pytest

from clary.errors import AWSError
from clary.objects.checksums import digest_file, encode, new
from clary.objects.errors import BadDigest, EntityTooLarge
from clary.objects.files import Files
from clary.objects.intake import SMALL
from clary.wire.http import HttpRequest

PIECE = 200_000


def request(trailers=None, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpRequest("PUT", "/bucket/key", headers=named, trailers=trailers or {})


async def pieces(body, then=None):
    for start in range(0, len(body), PIECE):
        yield body[start : start + PIECE]
    if then:
        raise then


def checksum(algorithm, body):
    made = new(algorithm)
    made.update(body)
    return encode(made.digest())


def left(root):
    return [file for file, _ in Files(root).all()]


async def settled(intake, root):
    """Files left once the intake's threads have done what they were asked to."""
    await asyncio.to_thread(intake.close)
    return left(root)


@pytest.mark.parametrize("size", [0, 1, 199_999, 2**20, 2**20 + 1, 5_000_000])
async def test_a_body_is_a_file_with_its_sums(intake, root, size):
    body = os.urandom(size)
    received = await intake.receive(pieces(body), request())
    assert Files(root).path(received["file"]).read_bytes() == body
    assert received == {
        "file": received["file"],
        "size": size,
        "md5": hashlib.md5(body).hexdigest(),
        "algorithm": "CRC64NVME",
        "checksums": {"CRC64NVME": checksum("CRC64NVME", body)},
        "declared": False,
    }


async def test_the_checksum_of_a_header_is_kept(intake):
    said = checksum("SHA256", b"body")
    received = await intake.receive(pieces(b"body"), request(x_amz_checksum_sha256=said))
    assert (received["algorithm"], received["declared"], received["checksums"]["SHA256"]) == ("SHA256", True, said)


async def test_the_checksum_of_a_trailer_is_kept(intake):
    body = os.urandom(3_000_000)
    said = checksum("CRC32C", body)
    asked = request({"x-amz-checksum-crc32c": said}, x_amz_trailer="x-amz-checksum-crc32c")
    assert (await intake.receive(pieces(body), asked))["checksums"]["CRC32C"] == said


@pytest.mark.parametrize(
    "asked",
    [
        request(x_amz_checksum_crc32="AAAAAA=="),
        request({"x-amz-checksum-crc32": "AAAAAA=="}, x_amz_trailer="x-amz-checksum-crc32"),
        request(content_md5=base64.b64encode(bytes(16)).decode()),
    ],
)
async def test_a_wrong_checksum_leaves_nothing(intake, root, asked):
    with pytest.raises(BadDigest):
        await intake.receive(pieces(b"body" * 10**6), asked)
    assert await settled(intake, root) == []


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content_md5": "short"}, "InvalidDigest"),
        ({"x_amz_checksum_crc32": "short"}, "InvalidRequest"),
        ({"x_amz_checksum_crc32": "AAAAAA==", "x_amz_checksum_sha1": "A"}, "InvalidRequest"),
    ],
)
async def test_a_checksum_that_is_none_is_refused_before_the_body(intake, root, headers, code):
    with pytest.raises(AWSError) as caught:
        await intake.receive(pieces(b"body"), request(**headers))
    assert caught.value.code == code
    assert left(root) == []


async def test_a_body_announced_too_large_is_refused_before_it_is_read(intake):
    with pytest.raises(EntityTooLarge):
        await intake.receive(pieces(b"body"), request(content_length=str(5 * 2**30 + 1)))


@pytest.mark.parametrize("size", [1000, 5_000_000])
async def test_a_body_that_breaks_off_leaves_nothing(intake, root, size):
    with pytest.raises(AWSError, match="IncompleteBody"):
        await intake.receive(pieces(os.urandom(size), AWSError("IncompleteBody", "")), request())
    assert await settled(intake, root) == []


async def test_a_request_that_is_cancelled_leaves_nothing(intake, root):
    begun = asyncio.Event()

    async def endless():
        while True:
            yield bytes(PIECE)
            if left(root):
                begun.set()
                await asyncio.Event().wait()

    task = asyncio.create_task(intake.receive(endless(), request()))
    await asyncio.wait_for(begun.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await settled(intake, root) == []


async def test_many_at_once(intake, store, bucket):
    bodies = [os.urandom(300_000 + n) for n in range(20)]
    received = await asyncio.gather(*(intake.receive(pieces(body), request()) for body in bodies))
    for number, one in enumerate(received):
        store.put(bucket, str(number), one)
    for number, body in enumerate(bodies):
        info = store.head(bucket, str(number))
        assert b"".join(store.read(info)) == body


def test_a_file_is_digested_as_a_body(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"x" * 3_000_000)
    with path.open("rb") as file:
        digest = digest_file(file, "SHA1")
    assert digest.size == 3_000_000
    assert digest.checksums()["SHA1"] == encode(hashlib.sha1(b"x" * 3_000_000).digest())


@pytest.mark.parametrize("size", [0, 1, SMALL, SMALL + 1])
async def test_a_body_that_is_here_is_kept_as_one_that_comes(intake, root, size):
    body = os.urandom(size)
    kept, received = await intake.keep(body, request()), await intake.receive(pieces(body), request())
    assert Files(root).path(kept["file"]).read_bytes() == body
    assert {**kept, "file": ""} == {**received, "file": ""}


async def test_a_body_that_is_here_and_not_what_was_said_leaves_nothing(intake, root):
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    with pytest.raises(BadDigest):
        await intake.keep(b"body", request(content_md5=wrong))
    assert await settled(intake, root) == []


async def test_a_body_that_is_here_whose_request_is_cancelled_leaves_nothing(intake, root):
    keeping = asyncio.create_task(intake.keep(b"body", request()))
    await asyncio.sleep(0)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert await settled(intake, root) == []


async def test_a_disk_that_is_full_leaves_nothing_of_a_body_that_is_here(intake, root, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        await intake.keep(b"body", request())
    monkeypatch.undo()
    assert await settled(intake, root) == []
