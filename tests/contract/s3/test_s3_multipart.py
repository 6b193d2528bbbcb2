"""Multipart uploads, as boto3 sees them."""

import base64
import hashlib

import pytest

from clary.objects.checksums import composite, encode, new
from tests.contract.s3.refusals import refused

MIB = 2**20
ONE, TWO = b"1" * (5 * MIB), b"2" * 1000


def at(bucket, upload, key="k"):
    return {"Bucket": bucket, "Key": key, "UploadId": upload["UploadId"]}


def put_parts(client, target, bodies, **said):
    """The parts, named with their checksums where the upload was begun with an algorithm."""
    parts = []
    for number, body in bodies.items():
        answer = client.upload_part(**target, PartNumber=number, Body=body, **said)
        checksums = {name: value for name, value in answer.items() if name.startswith("Checksum")} if said else {}
        parts.append({"PartNumber": number, "ETag": answer["ETag"], **checksums})
    return parts


def test_parts_become_one_object(client, bucket, s3):
    upload = client.create_multipart_upload(Bucket=bucket, Key="k", ContentType="text/csv", Metadata={"m": "1"})
    target = at(bucket, upload)
    put_parts(client, target, {3: b"replaced" * MIB})
    parts = put_parts(client, target, {3: ONE, 7: TWO, 9: b"left out"})
    refused("NoSuchKey", 404, client.get_object, Bucket=bucket, Key="k")
    done = client.complete_multipart_upload(**target, MultipartUpload={"Parts": parts[:2]})
    digests = hashlib.md5(ONE).digest() + hashlib.md5(TWO).digest()
    assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-2"'
    got = client.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == ONE + TWO
    assert (got["ContentType"], got["Metadata"]) == ("text/csv", {"m": "1"})
    across = client.get_object(Bucket=bucket, Key="k", Range=f"bytes={5 * MIB - 2}-{5 * MIB + 1}")
    assert across["Body"].read() == b"1122"
    second = client.get_object(Bucket=bucket, Key="k", PartNumber=2)
    assert (second["Body"].read(), second["PartsCount"]) == (TWO, 2)
    assert client.head_object(Bucket=bucket, Key="k", PartNumber=1)["ContentLength"] == 5 * MIB
    refused("416", 416, client.head_object, Bucket=bucket, Key="k", PartNumber=3)
    s3.store.collector.collect(now=4e9)
    assert len(s3.files) == 2
    refused("NoSuchUpload", 404, client.list_parts, **target)


def test_completing_again_answers_the_same(client, bucket):
    upload = client.create_multipart_upload(Bucket=bucket, Key="k")
    parts = {"Parts": put_parts(client, at(bucket, upload), {1: TWO})}
    first = client.complete_multipart_upload(**at(bucket, upload), MultipartUpload=parts)
    again = client.complete_multipart_upload(**at(bucket, upload), MultipartUpload=parts)
    assert first["ETag"] == again["ETag"]
    client.put_object(Bucket=bucket, Key="k", Body=b"later")
    refused("NoSuchUpload", 404, client.complete_multipart_upload, **at(bucket, upload), MultipartUpload=parts)


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256"])
def test_a_composite_checksum(client, bucket, algorithm):
    upload = client.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm=algorithm)
    assert upload["ChecksumType"] == "COMPOSITE"
    target = at(bucket, upload)
    parts = put_parts(client, target, {1: ONE, 2: TWO}, ChecksumAlgorithm=algorithm)
    done = client.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
    member = f"Checksum{algorithm}"
    assert done[member] == composite(algorithm, [part[member] for part in parts])
    assert client.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")[member] == done[member]
    asked = ["ETag", "Checksum", "ObjectParts", "ObjectSize", "StorageClass"]
    told = client.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=asked)
    assert (told["ObjectSize"], told["ObjectParts"]["TotalPartsCount"]) == (len(ONE + TWO), 2)
    assert [part[member] for part in told["ObjectParts"]["Parts"]] == [part[member] for part in parts]


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_a_checksum_of_the_whole(client, bucket, algorithm):
    upload = client.create_multipart_upload(
        Bucket=bucket, Key="k", ChecksumAlgorithm=algorithm, ChecksumType="FULL_OBJECT"
    )
    target = at(bucket, upload)
    parts = put_parts(client, target, {1: ONE, 2: TWO}, ChecksumAlgorithm=algorithm)
    whole = new(algorithm)
    whole.update(ONE + TWO)
    member, value = f"Checksum{algorithm}", encode(whole.digest())
    wrong = {member: base64.b64encode(bytes(len(whole.digest()))).decode()}
    said = {"MultipartUpload": {"Parts": parts}, "ChecksumType": "FULL_OBJECT"}
    error = refused("BadDigest", 400, client.complete_multipart_upload, **target, **said, **wrong)
    assert error["Message"] == f"The {algorithm.lower()} you specified did not match the calculated checksum."
    if algorithm != "CRC64NVME":  # without a type it is taken for a composite one
        untyped = {"MultipartUpload": {"Parts": parts}, member: value}
        refused("BadDigest", 400, client.complete_multipart_upload, **target, **untyped)
    done = client.complete_multipart_upload(**target, **said, **{member: value})
    assert (done[member], done["ChecksumType"]) == (value, "FULL_OBJECT")
    assert client.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["Body"].read() == ONE + TWO


def test_a_client_that_knows_no_checksums(s3, bucket):
    client = s3.client(request_checksum_calculation="when_required")
    upload = client.create_multipart_upload(Bucket=bucket, Key="k")
    assert "ChecksumAlgorithm" not in upload
    parts = put_parts(client, at(bucket, upload), {1: ONE, 2: TWO})
    bare = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in parts]
    done = client.complete_multipart_upload(**at(bucket, upload), MultipartUpload={"Parts": bare})
    whole = new("CRC64NVME")
    whole.update(ONE + TWO)
    assert done["ChecksumCRC64NVME"] == encode(whole.digest())


def test_completions_that_are_refused(client, bucket):
    upload = client.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="CRC32")
    target = at(bucket, upload)
    small = put_parts(client, target, {1: b"small", 2: TWO}, ChecksumAlgorithm="CRC32")

    def complete(parts, **said):
        return client.complete_multipart_upload(**target, MultipartUpload={"Parts": parts}, **said)

    error = refused("EntityTooSmall", 400, complete, parts=small)
    assert (error["ProposedSize"], error["MinSizeAllowed"]) == ("5", str(5 * MIB))
    refused("InvalidPartOrder", 400, complete, parts=[small[1], small[0]])
    refused("InvalidPart", 400, complete, parts=[{**small[1], "ETag": "abc"}])
    refused("InvalidPart", 400, complete, parts=[{**small[1], "PartNumber": 3}])
    refused("InvalidPart", 400, complete, parts=[{**small[1], "ChecksumCRC32": "AAAAAA=="}])
    error = refused("BadDigest", 400, complete, parts=[{**small[1], "ChecksumSHA256": "AAAA"}])
    assert error["Message"] == "The sha256 you specified for part 2 did not match what we received."
    without = {name: value for name, value in small[1].items() if name != "ChecksumCRC32"}
    refused("InvalidRequest", 400, complete, parts=[without])
    refused("MalformedXML", 400, complete, parts=[])
    refused("InvalidRequest", 400, complete, parts=[small[1]], MpuObjectSize=5)
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    refused("PreconditionFailed", 412, complete, parts=[small[1]], IfNoneMatch="*")
    complete([small[1]], MpuObjectSize=1000)


def test_parts_that_are_refused(client, bucket, s3):
    upload = client.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="SHA256")
    target = at(bucket, upload)
    error = refused(
        "InvalidRequest", 400, client.upload_part, **target, PartNumber=1, Body=b"x", ChecksumAlgorithm="SHA1"
    )
    assert "expected checksum Type: sha256, actual checksum Type: sha1" in error["Message"]
    refused("InvalidArgument", 400, client.upload_part, **target, PartNumber=10_001, Body=b"x")
    refused("InvalidArgument", 400, client.upload_part, **target, PartNumber=0, Body=b"x")
    refused(
        "NoSuchUpload", 404, client.upload_part, Bucket=bucket, Key="other", UploadId=upload["UploadId"], PartNumber=1
    )
    refused("NoSuchUpload", 404, client.upload_part, Bucket=bucket, Key="k", UploadId="none", PartNumber=1, Body=b"x")
    assert s3.files == set()
    create = client.create_multipart_upload
    refused(
        "InvalidRequest",
        400,
        create,
        Bucket=bucket,
        Key="k",
        ChecksumAlgorithm="SHA256",
        ChecksumType="FULL_OBJECT",
    )


def test_checksum_types_that_are_refused(client, bucket):
    def create(**said):
        return client.create_multipart_upload(Bucket=bucket, Key="k", **said)

    error = refused("InvalidRequest", 400, create, ChecksumType="FULL_OBJECT")
    assert "can only be used with the x-amz-checksum-algorithm header" in error["Message"]
    error = refused("InvalidRequest", 400, create, ChecksumType="HALF", ChecksumAlgorithm="CRC32")
    assert error["Message"] == "Value for x-amz-checksum-type header is invalid."
    refused("InvalidRequest", 400, create, ChecksumType="COMPOSITE", ChecksumAlgorithm="CRC64NVME")
    target = at(bucket, create(ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT"))
    parts = {"Parts": put_parts(client, target, {1: TWO}, ChecksumAlgorithm="CRC32")}
    complete = client.complete_multipart_upload
    error = refused("InvalidRequest", 400, complete, **target, MultipartUpload=parts, ChecksumType="COMPOSITE")
    assert error["Message"].startswith("The upload was created using the FULL_OBJECT checksum mode.")
    assert complete(**target, MultipartUpload=parts, ChecksumType="FULL_OBJECT")["ChecksumType"] == "FULL_OBJECT"


def test_a_part_has_a_checksum_of_its_own(client, bucket):
    target = at(bucket, client.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="SHA256"))
    parts = put_parts(client, target, {1: ONE, 2: TWO}, ChecksumAlgorithm="SHA256")
    client.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
    second = client.get_object(Bucket=bucket, Key="k", PartNumber=2, ChecksumMode="ENABLED")
    assert second["Body"].read() == TWO
    assert second["ChecksumSHA256"] == parts[1]["ChecksumSHA256"]
    ranged = client.get_object(Bucket=bucket, Key="k", Range="bytes=0-9", ChecksumMode="ENABLED")
    assert "ChecksumSHA256" not in ranged


def test_an_aborted_upload_is_gone(client, bucket, s3):
    target = at(bucket, client.create_multipart_upload(Bucket=bucket, Key="k"))
    put_parts(client, target, {1: TWO})
    client.abort_multipart_upload(**target)
    refused("NoSuchUpload", 404, client.abort_multipart_upload, **target)
    refused("NoSuchUpload", 404, client.upload_part, **target, PartNumber=1, Body=b"x")
    s3.store.collector.collect(now=4e9)
    assert s3.files == set()


def test_parts_copied_from_objects(client, bucket):
    client.put_object(Bucket=bucket, Key="source", Body=ONE + TWO)
    target = at(bucket, client.create_multipart_upload(Bucket=bucket, Key="k"))
    first = client.upload_part_copy(**target, PartNumber=1, CopySource=f"{bucket}/source")["CopyPartResult"]
    last = client.upload_part_copy(
        **target, PartNumber=2, CopySource=f"{bucket}/source", CopySourceRange=f"bytes=0-{5 * MIB}"
    )["CopyPartResult"]
    refused(
        "InvalidArgument",
        400,
        client.upload_part_copy,
        **target,
        PartNumber=3,
        CopySource=f"{bucket}/source",
        CopySourceRange=f"bytes=0-{6 * MIB}",
    )
    parts = [
        {"PartNumber": number, **{name: part[name] for name in part if name != "LastModified"}}
        for number, part in ((1, first), (2, last))
    ]
    client.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == ONE + TWO + ONE + b"2"
    client.copy_object(Bucket=bucket, Key="joined", CopySource=f"{bucket}/k")
    joined = client.head_object(Bucket=bucket, Key="joined")
    assert joined["ETag"] == f'"{hashlib.md5(ONE + TWO + ONE + b"2").hexdigest()}"'


def test_lists_of_parts_and_uploads(client, bucket):
    keys = ["a", "b/1", "b/1", "b/2", "c"]
    uploads = [client.create_multipart_upload(Bucket=bucket, Key=key) for key in keys]
    target = at(bucket, uploads[0], "a")
    put_parts(client, target, dict.fromkeys((2, 4, 6), b"x"))
    pages = client.get_paginator("list_parts").paginate(**target, PaginationConfig={"PageSize": 2})
    assert [part["PartNumber"] for page in pages for part in page["Parts"]] == [2, 4, 6]
    for size in (1, 2, 1000):
        pages = client.get_paginator("list_multipart_uploads").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": size}
        )
        listed = [(entry["Key"], entry["UploadId"]) for page in pages for entry in page["Uploads"]]
        assert listed == [(upload["Key"], upload["UploadId"]) for upload in uploads]  # as they began
    grouped = client.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [entry["Key"] for entry in grouped["Uploads"]] == ["a", "c"]
    assert [entry["Prefix"] for entry in grouped["CommonPrefixes"]] == ["b/"]
    first = client.list_multipart_uploads(Bucket=bucket, Delimiter="/", MaxUploads=2)
    rest = client.list_multipart_uploads(Bucket=bucket, Delimiter="/", KeyMarker=first["NextKeyMarker"])
    assert [entry["Key"] for entry in rest["Uploads"]] == ["c"]
    assert "CommonPrefixes" not in rest
    below = client.list_multipart_uploads(Bucket=bucket, Prefix="b/", KeyMarker="a")
    assert len(below["Uploads"]) == 3


def test_a_list_of_uploads_goes_on_behind_the_marker_s_upload(client, bucket):
    uploads = [client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"] for key in "bbac"]
    first, second, other, last = uploads

    def listed(**markers):
        page = client.list_multipart_uploads(Bucket=bucket, **markers)
        return page["UploadIdMarker"], [entry["UploadId"] for entry in page.get("Uploads", [])]

    assert listed() == ("", [other, first, second, last])
    assert listed(KeyMarker="b", UploadIdMarker=first) == (first, [second, last])
    assert listed(KeyMarker="b") == ("", [last])
    assert listed(UploadIdMarker=first) == ("", [other, first, second, last])
    client.abort_multipart_upload(Bucket=bucket, Key="b", UploadId=first)
    assert listed(KeyMarker="b", UploadIdMarker=first) == (first, [second, last])
    for key, marker in (("b", other), ("a", second), ("b", "nonsense")):
        error = refused("InvalidArgument", 400, listed, KeyMarker=key, UploadIdMarker=marker)
        assert (error["Message"], error["ArgumentName"]) == ("Invalid uploadId marker", "upload-id-marker")
        assert error["ArgumentValue"] == marker


def test_of_an_object_of_five_tebibytes_no_more_is_read_than_is_asked_for(client, bucket, s3, tmp_path):
    """Its parts are one sparse file, of 5 GiB."""
    part, count = 5 * 2**30, 1024
    with (tmp_path / "part").open("w+b") as sparse:
        sparse.seek(part - 3)
        sparse.write(b"end")
        sparse.flush()
        file = s3.store.files.take(sparse.fileno())
    body = {"file": file, "size": part, "md5": "0" * 32, "algorithm": "CRC64NVME", "declared": False}
    body["checksums"] = {"CRC64NVME": "AAAAAAAAAAA="}
    target = at(bucket, client.create_multipart_upload(Bucket=bucket, Key="k"))
    for number in range(1, count + 1):
        s3.store.uploads.put_part(bucket, "k", target["UploadId"], number, body)
    chosen = [{"PartNumber": number, "ETag": body["md5"]} for number in range(1, count + 1)]
    client.complete_multipart_upload(**target, MultipartUpload={"Parts": chosen}, MpuObjectSize=count * part)

    def read(wanted):
        return client.get_object(Bucket=bucket, Key="k", Range=f"bytes={wanted}")["Body"].read()

    assert client.head_object(Bucket=bucket, Key="k")["ContentLength"] == 5 * 2**40
    assert client.list_objects_v2(Bucket=bucket)["Contents"][0]["Size"] == 5 * 2**40
    assert (read("-6"), read(f"{700 * part - 3}-{700 * part + 2}")) == (b"\0\0\0end", b"end\0\0\0")
    assert client.head_object(Bucket=bucket, Key="k", PartNumber=count)["ContentLength"] == part
    refused("InvalidRequest", 400, client.copy_object, Bucket=bucket, Key="c", CopySource=f"{bucket}/k")
    copied = at(bucket, client.create_multipart_upload(Bucket=bucket, Key="c"), "c")
    last = f"bytes={5 * 2**40 - 3}-{5 * 2**40 - 1}"
    source = {"CopySource": f"{bucket}/k", "CopySourceRange": last}
    part_copy = client.upload_part_copy(**copied, PartNumber=1, **source)["CopyPartResult"]
    assert part_copy["ETag"] == f'"{hashlib.md5(b"end").hexdigest()}"'
