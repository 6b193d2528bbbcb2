"""SSE-KMS, as boto3 sees it, with a KMS that has one key: what is asked of it, and what becomes of its answers."""

import base64
import hashlib
import json
import os
import urllib.request

import pytest
from botocore import UNSIGNED

from clary.errors import AWSError
from clary.objects.errors import ObjectSealed
from tests.contract.s3.refusals import refused
from tests.folders import contents
from tests.kms import ARN

MIB = 2**20
TEXT = b"nobody shall read this without KMS"
KMS = {"ServerSideEncryption": "aws:kms"}
CUSTOMERS = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": bytes(range(32))}
FROM_CUSTOMERS = {f"CopySource{name}": value for name, value in CUSTOMERS.items()}


def disabled():
    return AWSError("DisabledException", f"{ARN} is disabled.")


def asked(s3):
    """What KMS was asked since the last time: operation, key and encryption context."""
    said = [(call.operation, call.params.get("KeyId"), call.params["EncryptionContext"]) for call in s3.kms.calls]
    assert {(call.region, call.parent) for call in s3.kms.calls} <= {("us-east-1", "s3.us-east-1.amazonaws.com")}
    s3.kms.calls.clear()
    return said


def of(key):
    return {"aws:s3:arn": f"arn:aws:s3:::bucket/{key}" if key else "arn:aws:s3:::bucket"}


def kept(s3):
    return b"".join(said for _, said in contents(s3.settings.data_dir))


@pytest.fixture
def sealed(client, bucket, s3):
    client.put_object(Bucket=bucket, Key="k", Body=TEXT, **KMS)
    s3.kms.calls.clear()
    return {"Bucket": bucket, "Key": "k"}


@pytest.mark.parametrize("kind", ["aws:kms", "aws:kms:dsse"])
def test_the_content_is_not_on_the_disk_and_any_range_is_read(client, bucket, s3, kind):
    body = TEXT + os.urandom(MIB + 17)
    put = client.put_object(Bucket=bucket, Key="k", Body=body, ServerSideEncryption=kind)
    got = client.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got["Body"].read() == body and got["ChecksumCRC32"] == put["ChecksumCRC32"]
    for answer in (put, got, client.head_object(Bucket=bucket, Key="k")):
        assert (answer["ServerSideEncryption"], answer["SSEKMSKeyId"]) == (kind, ARN)
        assert answer["ETag"] == put["ETag"] != f'"{hashlib.md5(body).hexdigest()}"'
    for first, last in ((0, 0), (65_535, 65_536), (70_000, 900_000), (len(body) - 1, len(body) - 1)):
        part = client.get_object(Bucket=bucket, Key="k", Range=f"bytes={first}-{last}")
        assert part["Body"].read() == body[first : last + 1]
    assert TEXT not in kept(s3)


def test_two_layers_are_under_two_keys(client, bucket, s3):
    for key, kind in (("one", "aws:kms"), ("two", "aws:kms:dsse")):
        client.put_object(Bucket=bucket, Key=key, Body=TEXT, ServerSideEncryption=kind)
    sizes = [s3.store.files.path(s3.store.head(bucket, key).pieces[0].file).stat().st_size for key in ("one", "two")]
    assert sizes == [32 + len(TEXT) + 16, 32 + len(TEXT) + 2 * 16]
    assert [call.params["NumberOfBytes"] for call in s3.kms.calls] == [32, 64]


def test_what_kms_is_asked(client, bucket, s3):
    client.put_object(Bucket=bucket, Key="k", Body=b"x", **KMS)
    assert asked(s3) == [("GenerateDataKey", "alias/aws/s3", of("k"))]
    client.get_object(Bucket=bucket, Key="k", Range="bytes=0-0")["Body"].read()
    assert asked(s3) == [("Decrypt", None, of("k"))]
    client.head_object(Bucket=bucket, Key="k")
    client.list_objects_v2(Bucket=bucket)
    assert asked(s3) == []
    client.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    client.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["Checksum"])
    assert asked(s3) == [("Decrypt", None, of("k"))] * 2
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert asked(s3) == []


def test_an_encryption_context_of_the_request(client, bucket, s3):
    said = base64.b64encode(json.dumps({"stage": "test"}).encode()).decode()
    put = client.put_object(Bucket=bucket, Key="k", Body=b"x", SSEKMSEncryptionContext=said, **KMS)
    assert put["SSEKMSEncryptionContext"] == said
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    assert [context for _, _, context in asked(s3)] == [{"stage": "test", **of("k")}] * 2
    client.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k", **KMS)  # it is not the copy's
    assert [context for _, _, context in asked(s3)] == [{"stage": "test", **of("k")}, of("copy")]
    half = base64.b64encode(b'{"a": "\\ud800"}').decode()
    for wrong in ("?", base64.b64encode(b"[1]").decode(), base64.b64encode(b'{"a": 1}').decode(), half):
        put = {"Bucket": bucket, "Key": "l", "Body": b"x", "SSEKMSEncryptionContext": wrong}
        error = refused("InvalidArgument", 400, client.put_object, **put, **KMS)
        assert "shall be Base64-encoded UTF-8 string holding JSON" in error["Message"]


def test_a_bucket_key_is_bound_to_the_bucket(client, bucket, s3):
    put = client.put_object(Bucket=bucket, Key="k", Body=b"x", BucketKeyEnabled=True, **KMS)
    got = client.get_object(Bucket=bucket, Key="k")
    assert put["BucketKeyEnabled"] is got["BucketKeyEnabled"] is True and got["Body"].read() == b"x"
    assert [context for _, _, context in asked(s3)] == [of("")] * 2
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/its"}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert client.put_object(Bucket=bucket, Key="l", Body=b"x")["BucketKeyEnabled"] is True
    assert asked(s3) == [("GenerateDataKey", "alias/its", of(""))]
    assert "BucketKeyEnabled" not in client.put_object(Bucket=bucket, Key="m", Body=b"x", BucketKeyEnabled=False)
    assert asked(s3) == [("GenerateDataKey", "alias/its", of("m"))]
    client.put_object(Bucket=bucket, Key="n", Body=b"x", ServerSideEncryption="AES256")
    assert asked(s3) == []


def test_what_kms_refuses_is_said_in_s3s_words_and_nothing_is_kept(client, bucket, s3, sealed):
    before = s3.files
    upload = client.create_multipart_upload(**sealed, **KMS)["UploadId"]
    client.put_object(Bucket=bucket, Key="plain", Body=b"x")
    before = s3.files
    calls = (
        (client.get_object, sealed),
        (client.put_object, {**sealed, "Body": b"x", **KMS}),
        (client.upload_part, {**sealed, "UploadId": upload, "PartNumber": 1, "Body": b"x"}),
        (client.create_multipart_upload, {**sealed, **KMS}),
        (client.copy_object, {"Bucket": bucket, "Key": "l", "CopySource": f"{bucket}/k"}),
        (client.copy_object, {"Bucket": bucket, "Key": "l", "CopySource": f"{bucket}/plain", **KMS}),
        (client.get_object_attributes, {**sealed, "ObjectAttributes": ["Checksum"]}),
    )
    for code, status, refusal in (
        ("KMS.DisabledException", 400, disabled()),
        ("KMS.KMSInvalidStateException", 400, AWSError("KMSInvalidStateException", f"{ARN} is pending deletion.")),
        ("AccessDenied", 403, AWSError("AccessDeniedException", "not authorized to perform: kms:X", status=403)),
    ):
        s3.kms.refuses = refusal
        for call, params in calls:
            assert refused(code, status, call, **params)["Message"] == refusal.message
        refused(str(status), status, client.head_object, **sealed, ChecksumMode="ENABLED")
        assert client.head_object(**sealed)["ContentLength"] == len(TEXT)
    assert s3.files == before


def test_kms_is_not_asked_for_nobody_and_by_no_old_signature(client, bucket, s3, sealed):
    s3.rules.open = True
    nobody = s3.client(signature_version=UNSIGNED)
    old = s3.client(signature_version="s3")
    for one in (nobody, old):
        for call, params in ((one.get_object, sealed), (one.put_object, {**sealed, "Body": b"x", **KMS})):
            error = refused("InvalidArgument", 400, call, **params)
            assert error["Message"].endswith("with AWS KMS managed keys require AWS Signature Version 4.")
            assert (error["ArgumentName"], error["ArgumentValue"]) == ("Authorization", "null")
        assert one.head_object(**sealed)["SSEKMSKeyId"] == ARN
    assert s3.kms.calls == []


def test_customers_keys_have_no_place_here(client, sealed, bucket):
    error = refused("InvalidRequest", 400, client.get_object, **sealed, **CUSTOMERS)
    assert error["Message"] == "The encryption parameters are not applicable to this object."
    refused("InvalidArgument", 400, client.put_object, **sealed, Body=b"x", **CUSTOMERS, **KMS)


def test_nobody_inside_takes_what_is_encrypted_for_the_content(s3, sealed, tmp_path):
    info = s3.store.head("bucket", "k")
    for read in (s3.store.segments, lambda one: list(s3.store.read(one)), lambda one: s3.store.link_to(one, tmp_path)):
        with pytest.raises(ObjectSealed):
            read(info)


def test_copies_between_encryptions(client, bucket, sealed, s3):
    source = {"Bucket": bucket, "CopySource": f"{bucket}/k"}
    plain = client.copy_object(**source, Key="plain")
    assert (plain["ServerSideEncryption"], "SSEKMSKeyId" in plain) == ("AES256", False)
    assert plain["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(TEXT).hexdigest()}"'
    assert asked(s3) == [("Decrypt", None, of("k"))]
    other = client.copy_object(**source, Key="other", SSEKMSKeyId="alias/other", **KMS)
    assert (other["SSEKMSKeyId"], other["CopyObjectResult"]["ETag"]) != (ARN, plain["CopyObjectResult"]["ETag"])
    assert asked(s3) == [("Decrypt", None, of("k")), ("GenerateDataKey", "alias/other", of("other"))]
    client.copy_object(**source, Key="customers", **CUSTOMERS)
    back = {"Bucket": bucket, "CopySource": f"{bucket}/customers", **FROM_CUSTOMERS}
    client.copy_object(**back, Key="back", ServerSideEncryption="aws:kms:dsse")
    client.copy_object(**source, Key="k", ServerSideEncryption="AES256")  # to itself
    assert "SSEKMSKeyId" not in client.head_object(**sealed)
    for key in ("plain", "other", "back", "k"):
        assert client.get_object(Bucket=bucket, Key=key)["Body"].read() == TEXT
    assert client.get_object(Bucket=bucket, Key="customers", **CUSTOMERS)["Body"].read() == TEXT


def test_versions_keep_the_encryption_that_they_were_written_with(client, bucket):
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    said = [{}, KMS, {"ServerSideEncryption": "aws:kms:dsse"}, CUSTOMERS, {}]
    made = [
        client.put_object(Bucket=bucket, Key="k", Body=str(number).encode(), **how)["VersionId"]
        for number, how in enumerate(said)
    ]
    for number, (version, how) in enumerate(zip(made, said, strict=True)):
        key = how if how is CUSTOMERS else {}
        got = client.get_object(Bucket=bucket, Key="k", VersionId=version, **key)
        assert got["Body"].read() == str(number).encode()
        assert got.get("ServerSideEncryption") == (None if key else how.get("ServerSideEncryption", "AES256"))


def test_a_default_that_comes_does_not_change_what_is_there(client, bucket, s3):
    client.put_object(Bucket=bucket, Key="before", Body=b"before")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    client.put_object(Bucket=bucket, Key="after", Body=TEXT)
    client.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/before")
    kinds = [client.head_object(Bucket=bucket, Key=key)["ServerSideEncryption"] for key in ("before", "after", "copy")]
    assert kinds == ["AES256", "aws:kms", "aws:kms"]
    s3.kms.refuses = disabled()
    assert client.get_object(Bucket=bucket, Key="before")["Body"].read() == b"before"
    refused("KMS.DisabledException", 400, client.get_object, Bucket=bucket, Key="copy")


def test_parts_are_encrypted_under_the_uploads_key(client, bucket, s3):
    client.put_object(Bucket=bucket, Key="source", Body=b"copied" * 10, **KMS)
    made = client.create_multipart_upload(Bucket=bucket, Key="k", BucketKeyEnabled=True, **KMS)
    assert (made["SSEKMSKeyId"], made["BucketKeyEnabled"]) == (ARN, True)
    s3.kms.calls.clear()
    target = {"Bucket": bucket, "Key": "k", "UploadId": made["UploadId"]}
    first = TEXT + b"1" * (5 * MIB)
    one = client.upload_part(**target, PartNumber=1, Body=first)
    said = {"CopySource": f"{bucket}/source", "CopySourceRange": "bytes=3-50"}
    two = client.upload_part_copy(**target, PartNumber=2, **said)
    for answer in (one, two):
        assert (answer["SSEKMSKeyId"], answer["BucketKeyEnabled"]) == (ARN, True)
    assert asked(s3) == [("Decrypt", None, of("")), ("Decrypt", None, of("source")), ("Decrypt", None, of(""))]
    refused("InvalidRequest", 400, client.upload_part, **target, PartNumber=1, Body=b"x", **CUSTOMERS)
    s3.kms.calls.clear()
    parts = [{"PartNumber": 1, "ETag": one["ETag"]}, {"PartNumber": 2, "ETag": two["CopyPartResult"]["ETag"]}]
    done = client.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
    assert done["SSEKMSKeyId"] == ARN and done["ETag"].endswith('-2"') and asked(s3) == []
    whole = first + (b"copied" * 10)[3:51]
    got = client.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == whole and got["ETag"] == done["ETag"]
    across = client.get_object(Bucket=bucket, Key="k", Range=f"bytes={len(first) - 5}-{len(first) + 4}")
    assert across["Body"].read() == whole[len(first) - 5 : len(first) + 5]
    assert client.get_object(Bucket=bucket, Key="k", PartNumber=2)["Body"].read() == (b"copied" * 10)[3:51]
    assert TEXT not in kept(s3)


def test_an_object_that_was_moved_by_hand_is_not_decrypted(client, bucket, s3, sealed):
    """Its key is bound to its name."""
    client.put_object(Bucket=bucket, Key="other", Body=b"x", **KMS)
    wrapped = s3.store.head(bucket, "other").attributes.wrapped
    s3.store.revise(bucket, "k", lambda kept: type(kept)(**{**vars(kept), "wrapped": wrapped}))
    refused("KMS.InvalidCiphertextException", 400, client.get_object, **sealed)


def test_a_presigned_url_reads_it(client, sealed, s3):
    url = s3.client(signature_version="s3v4").generate_presigned_url("get_object", Params=sealed)
    with urllib.request.urlopen(url, timeout=60) as answer:
        assert answer.read() == TEXT
