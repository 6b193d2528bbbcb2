"""Encryption, as boto3 sees it: S3's own, and under keys that customers bring."""

import base64
import hashlib
import os

import pytest

from clary.objects.errors import ObjectSealed
from tests.contract.s3.refusals import refused
from tests.folders import contents
from tests.kms import ARN

MIB = 2**20
KEY, OTHER = bytes(range(32)), bytes(32)
SEALED = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}
WRONG = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": OTHER}
FROM = {"CopySourceSSECustomerAlgorithm": "AES256", "CopySourceSSECustomerKey": KEY}
MD5 = base64.b64encode(hashlib.md5(KEY).digest()).decode()
SPELLED = {**SEALED, "SSECustomerKey": base64.b64encode(KEY).decode(), "SSECustomerKeyMD5": MD5}
"""As headers: boto3 does not spell them out for GetObjectAttributes."""
TEXT = b"nobody shall read this"


def kept(s3):
    """All that lies on the disk, the database too."""
    return b"".join(said for _, said in contents(s3.settings.data_dir))


@pytest.fixture
def sealed(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=TEXT, **SEALED)
    return {"Bucket": bucket, "Key": "k"}


class TestS3sOwn:
    def test_every_object_has_it(self, client, bucket):
        assert client.put_object(Bucket=bucket, Key="k", Body=b"x")["ServerSideEncryption"] == "AES256"
        assert client.head_object(Bucket=bucket, Key="k")["ServerSideEncryption"] == "AES256"
        assert client.get_object(Bucket=bucket, Key="k")["ServerSideEncryption"] == "AES256"
        copied = client.copy_object(Bucket=bucket, Key="l", CopySource=f"{bucket}/k")
        assert copied["ServerSideEncryption"] == "AES256"
        assert client.create_multipart_upload(Bucket=bucket, Key="m")["ServerSideEncryption"] == "AES256"

    def test_a_bucket_says_what_is_the_default(self, client, bucket):
        def rule():
            return client.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]

        own = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
        assert rule() == own
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/mine"}
        said = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
        client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [said]})
        assert rule() == said
        put = client.put_object(Bucket=bucket, Key="k", Body=b"x")
        shown = ("aws:kms", ARN, True)
        assert (put["ServerSideEncryption"], put["SSEKMSKeyId"], put["BucketKeyEnabled"]) == shown
        asked = client.put_object(Bucket=bucket, Key="l", Body=b"x", ServerSideEncryption="AES256")
        assert asked["ServerSideEncryption"] == "AES256" and "SSEKMSKeyId" not in asked
        client.copy_object(Bucket=bucket, Key="m", CopySource=f"{bucket}/l")
        assert client.head_object(Bucket=bucket, Key="m")["ServerSideEncryption"] == "aws:kms"
        client.delete_bucket_encryption(Bucket=bucket)
        assert rule() == own
        copied = client.copy_object(Bucket=bucket, Key="n", CopySource=f"{bucket}/k")
        assert copied["ServerSideEncryption"] == "AES256" and "SSEKMSKeyId" not in copied

    def test_what_is_refused(self, client, bucket, s3):
        put, named = client.put_object, {"Bucket": bucket, "Key": "k", "Body": b"x"}
        error = refused("InvalidArgument", 400, put, **named, ServerSideEncryption="rot13")
        assert error["Message"] == "The encryption method specified is not supported"
        refused("InvalidArgument", 400, put, **named, ServerSideEncryption="AES256", SSEKMSKeyId="alias/mine")
        refused("InvalidArgument", 400, put, **named, SSEKMSKeyId="alias/mine")
        refused("InvalidArgument", 400, put, **named, **SEALED, ServerSideEncryption="AES256")
        assert s3.files == set()
        configure = client.put_bucket_encryption
        for rules in ([], [{}], [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "rot13"}}]):
            said = {"Rules": rules}
            refused("MalformedXML", 400, configure, Bucket=bucket, ServerSideEncryptionConfiguration=said)
        default = {"SSEAlgorithm": "AES256", "KMSMasterKeyID": "alias/mine"}
        said = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
        refused("InvalidArgument", 400, configure, Bucket=bucket, ServerSideEncryptionConfiguration=said)

    def test_a_bucket_may_take_no_customers_keys(self, client, bucket):
        said = {"Rules": [{"BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}]}
        client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=said)
        refused("AccessDenied", 403, client.put_object, Bucket=bucket, Key="k", Body=b"x", **SEALED)
        client.put_object(Bucket=bucket, Key="k", Body=b"x")


class TestCustomersKeys:
    def test_neither_the_content_nor_the_key_is_on_the_disk(self, client, s3, sealed):
        assert client.get_object(**sealed, **SEALED)["Body"].read() == TEXT
        disk = kept(s3)
        assert TEXT not in disk and KEY not in disk and base64.b64encode(KEY) not in disk
        assert MD5.encode() not in disk and hashlib.md5(TEXT).hexdigest().encode() not in disk

    def test_answers_name_the_key_by_its_md5(self, client, bucket, sealed):
        put = client.put_object(**sealed, Body=TEXT, **SEALED)
        got, head = client.get_object(**sealed, **SEALED), client.head_object(**sealed, **SEALED)
        for answer in (put, got, head):
            assert (answer["SSECustomerAlgorithm"], answer["SSECustomerKeyMD5"]) == ("AES256", MD5)
            assert "ServerSideEncryption" not in answer
        assert put["ETag"] == got["ETag"] == head["ETag"] != f'"{hashlib.md5(TEXT).hexdigest()}"'
        assert head["ContentLength"] == len(TEXT)
        asked = {"ObjectAttributes": ["ObjectSize"]}
        assert client.get_object_attributes(**sealed, **asked, **SPELLED)["ObjectSize"] == len(TEXT)

    def test_without_the_key_nothing_is_read(self, client, bucket, sealed):
        error = refused("InvalidRequest", 400, client.get_object, **sealed)
        assert error["Message"].startswith("The object was stored using a form of Server Side Encryption.")
        refused("AccessDenied", 403, client.get_object, **sealed, **WRONG)
        refused("400", 400, client.head_object, **sealed)
        refused("403", 403, client.head_object, **sealed, **WRONG)
        copy = client.copy_object
        refused("InvalidRequest", 400, copy, Bucket=bucket, Key="l", CopySource=f"{bucket}/k")
        refused("InvalidRequest", 400, client.get_object_attributes, **sealed, ObjectAttributes=["ETag"])
        client.put_object(Bucket=bucket, Key="plain", Body=b"x")
        error = refused("InvalidRequest", 400, client.get_object, Bucket=bucket, Key="plain", **SEALED)
        assert error["Message"] == "The encryption parameters are not applicable to this object."

    def test_nobody_inside_takes_what_is_encrypted_for_the_content(self, s3, client, sealed, tmp_path):
        info = s3.store.head("bucket", "k")
        for read in (s3.store.segments, lambda one: list(s3.store.read(one))):
            with pytest.raises(ObjectSealed):
                read(info)
        with pytest.raises(ObjectSealed):
            s3.store.link_to(info, tmp_path / "k")
        with pytest.raises(ObjectSealed):
            s3.store.copy(info, "bucket", "l", info.attributes)

    @pytest.mark.parametrize(
        ("said", "text"),
        [
            ({"SSECustomerAlgorithm": "DES", "SSECustomerKey": KEY}, "Supported value: AES256."),
            ({"SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"short"}, "The secret key was invalid"),
            ({"SSECustomerAlgorithm": "AES256"}, "must provide an appropriate secret key."),
            ({"SSECustomerKey": KEY}, "must provide a valid encryption algorithm."),
            (
                {**SPELLED, "SSECustomerKeyMD5": "AAAA"},
                "The calculated MD5 hash of the key did not match",
            ),
        ],
    )
    def test_headers_that_bring_no_key(self, client, bucket, s3, said, text):
        code = "InvalidEncryptionAlgorithmError" if "DES" in said.values() else "InvalidArgument"
        assert text in refused(code, 400, client.put_object, Bucket=bucket, Key="k", Body=b"x", **said)["Message"]
        assert s3.files == set()

    def test_any_range_of_a_large_one(self, client, bucket):
        body = os.urandom(MIB) + os.urandom(3 * MIB + 17)
        client.put_object(Bucket=bucket, Key="k", Body=body, **SEALED)
        assert client.get_object(Bucket=bucket, Key="k", **SEALED)["Body"].read() == body
        for start, end in (
            (0, 1),
            (65_535, 65_537),
            (65_536, 131_072),
            (500_000, 2_500_000),
            (len(body) - 1, len(body)),
        ):
            span = f"bytes={start}-{end - 1}"
            answer = client.get_object(Bucket=bucket, Key="k", Range=span, **SEALED)
            assert answer["Body"].read() == body[start:end]
            assert answer["ContentRange"] == f"bytes {start}-{end - 1}/{len(body)}"

    def test_an_empty_one(self, client, bucket):
        client.put_object(Bucket=bucket, Key="k", Body=b"", **SEALED)
        assert client.get_object(Bucket=bucket, Key="k", **SEALED)["Body"].read() == b""

    def test_checksums_are_of_the_content(self, client, bucket):
        said = {"ChecksumAlgorithm": "SHA256", "ContentMD5": base64.b64encode(hashlib.md5(TEXT).digest()).decode()}
        put = client.put_object(Bucket=bucket, Key="k", Body=TEXT, **said, **SEALED)
        assert put["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(TEXT).digest()).decode()
        got = client.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED", **SEALED)
        assert got["Body"].read() == TEXT and got["ChecksumSHA256"] == put["ChecksumSHA256"]

    def test_copies_into_out_of_and_between_keys(self, client, bucket, sealed):
        source = {"CopySource": f"{bucket}/k", "Bucket": bucket}
        client.copy_object(**source, Key="plain", **FROM)
        plain = client.get_object(Bucket=bucket, Key="plain")
        assert plain["Body"].read() == TEXT and plain["ETag"] == f'"{hashlib.md5(TEXT).hexdigest()}"'
        client.copy_object(**source, Key="other", **FROM, **WRONG)
        assert client.get_object(Bucket=bucket, Key="other", **WRONG)["Body"].read() == TEXT
        client.copy_object(Bucket=bucket, Key="in", CopySource=f"{bucket}/plain", **SEALED)
        assert client.get_object(Bucket=bucket, Key="in", **SEALED)["Body"].read() == TEXT
        refused("InvalidRequest", 400, client.get_object, Bucket=bucket, Key="in")
        client.copy_object(**source, Key="k", **FROM, **WRONG)  # to itself, under another key
        assert client.get_object(Bucket=bucket, Key="k", **WRONG)["Body"].read() == TEXT

    def test_a_file_that_was_changed_is_not_sent(self, client, s3, sealed):
        [file] = s3.files
        path = s3.store.files.path(file)
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        with pytest.raises(Exception, match=r"(?i)connection|internal|5\d\d"):
            client.get_object(**sealed, **SEALED)["Body"].read()


class TestUploads:
    @pytest.fixture
    def target(self, client, bucket):
        upload = client.create_multipart_upload(Bucket=bucket, Key="k", **SEALED)
        assert (upload["SSECustomerKeyMD5"], "ServerSideEncryption" in upload) == (MD5, False)
        return {"Bucket": bucket, "Key": "k", "UploadId": upload["UploadId"]}

    def test_parts_become_one_object(self, client, bucket, target):
        client.put_object(Bucket=bucket, Key="source", Body=b"copied" * 10, **SEALED)
        one = client.upload_part(**target, PartNumber=1, Body=b"1" * (5 * MIB + 3), **SEALED)
        assert one["SSECustomerKeyMD5"] == MD5
        said = {"CopySource": f"{bucket}/source", "CopySourceRange": "bytes=3-50"}
        two = client.upload_part_copy(**target, PartNumber=2, **said, **FROM, **SEALED)["CopyPartResult"]
        parts = [{"PartNumber": n, "ETag": part["ETag"]} for n, part in ((1, one), (2, two))]
        client.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
        whole = b"1" * (5 * MIB + 3) + (b"copied" * 10)[3:51]
        assert client.get_object(Bucket=bucket, Key="k", **SEALED)["Body"].read() == whole
        across = client.get_object(Bucket=bucket, Key="k", Range=f"bytes={5 * MIB}-{5 * MIB + 9}", **SEALED)
        assert across["Body"].read() == whole[5 * MIB : 5 * MIB + 10]
        second = client.get_object(Bucket=bucket, Key="k", PartNumber=2, **SEALED)
        assert second["Body"].read() == (b"copied" * 10)[3:51]
        refused("InvalidRequest", 400, client.get_object, Bucket=bucket, Key="k")

    def test_a_part_under_no_key_or_another_one_is_refused(self, client, bucket, target, s3):
        part = {**target, "PartNumber": 1, "Body": b"x"}
        error = refused("InvalidRequest", 400, client.upload_part, **part)
        assert error["Message"].startswith("The multipart upload initiate requested encryption.")
        error = refused("InvalidRequest", 400, client.upload_part, **part, **WRONG)
        assert error["Message"] == "The provided encryption parameters did not match the ones used originally."
        plain = client.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
        refused("InvalidRequest", 400, client.upload_part, **{**part, "UploadId": plain}, **SEALED)
        assert s3.files == set()
