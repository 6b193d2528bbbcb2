"""What S3 answers where its documentation is silent, as recorded from it (localstack's snapshots)."""

import pytest

from clary.services.s3.encoded_words import decoded, encoded
from tests.contract.s3.refusals import refused


@pytest.mark.parametrize(
    ("meant", "written"),
    [
        ("plain text !\"#$%&'()*+,-./:;<=>?@[]^_`{|}~", "plain text !\"#$%&'()*+,-./:;<=>?@[]^_`{|}~"),
        ("test_—_file%E2%80%94_é_2?.pdf", "=?UTF-8?Q?test=5F=E2=80=94=5Ffile%E2%80%94=5F=C3=A9=5F2=3F.pdf?="),
        ("ÄMÄZÕÑ S3", "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?="),
        ("\0\1\2\3", "=?UTF-8?B?AAECAw==?="),
        ("\ufffd" * 7, "=?UTF-8?B?77+977+977+977+977+977+977+9?="),
        ("a\r\nb: c", "=?UTF-8?Q?a=0D=0Ab:_c?="),
    ],
)
def test_metadata_beyond_ascii_are_encoded_words(client, bucket, meant, written):
    client.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={"m": written})
    assert client.head_object(Bucket=bucket, Key="k")["Metadata"] == {"m": written}
    assert decoded(written) == meant


def test_words_that_are_none_stay_and_those_of_ascii_are_read(client, bucket):
    metadata = {"q": "=?UTF-8?Q?actually-ascii?=", "b": "=?UTF-8?B?YWJj?=", "none": "=?UTF-8?B?=GGG?=", "half": "=?a?b"}
    client.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata=metadata)
    read = {**metadata, "q": "actually-ascii", "b": "abc"}
    assert client.get_object(Bucket=bucket, Key="k")["Metadata"] == read


def test_long_words_are_cut_between_letters():
    written = encoded("é" * 100)
    assert all(len(word) <= 75 for word in written.split())
    assert decoded(written) == "é" * 100


def test_a_range_of_everything_has_the_whole_s_checksum(client, bucket):
    whole = client.put_object(Bucket=bucket, Key="k", Body=b"0123456789")["ChecksumCRC32"]
    for asked in ("bytes=0-100", "bytes=-10"):
        got = client.get_object(Bucket=bucket, Key="k", Range=asked)
        assert (got["ChecksumCRC32"], got["ResponseMetadata"]["HTTPStatusCode"]) == (whole, 206)
    assert "ChecksumCRC32" not in client.get_object(Bucket=bucket, Key="k", Range="bytes=0-8")


def test_tags_in_a_header(client, bucket):
    def kept(tagging):
        client.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging=tagging)
        return {tag["Key"]: tag["Value"] for tag in client.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]}

    assert kept("one&two") == {"one": "", "two": ""}
    assert kept("one&&&two=2") == {"one": "", "two": "2"}
    for wrong in ("a=1,b=2", "a=1&a=2"):
        error = refused("InvalidArgument", 400, client.put_object, Bucket=bucket, Key="k", Body=b"", Tagging=wrong)
        assert (error["ArgumentName"], error["ArgumentValue"]) == ("x-amz-tagging", wrong)


def test_tags_in_a_document(client, bucket):
    put = client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 204
    wrong = {"TagSet": [{"Key": "k", "Value": "a,b"}]}
    assert refused("InvalidTag", 400, client.put_bucket_tagging, Bucket=bucket, Tagging=wrong)["TagValue"] == "a,b"
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    ours = {"TagSet": [{"Key": "aws:k", "Value": ""}]}
    error = refused("InvalidTag", 400, client.put_object_tagging, Bucket=bucket, Key="k", Tagging=ours)
    assert error["Message"] == "Your TagKey cannot be prefixed with aws:"


def test_a_bucket_made_again_takes_no_tags(client):
    made = client.create_bucket(Bucket="tagged", CreateBucketConfiguration={"Tags": [{"Key": "k", "Value": "v"}]})
    assert made["BucketArn"] == "arn:aws:s3:::tagged"
    client.create_bucket(Bucket="tagged")
    tags = {"Tags": [{"Key": "k", "Value": "v"}]}
    refused("BucketAlreadyOwnedByYou", 409, client.create_bucket, Bucket="tagged", CreateBucketConfiguration=tags)


def test_a_new_bucket_s_reserved_tags_are_refused_in_other_words(client):
    tags = {"Tags": [{"Key": "aws:k", "Value": "v"}]}
    error = refused("InvalidTag", 400, client.create_bucket, Bucket="tagged", CreateBucketConfiguration=tags)
    assert (error["Message"].startswith("User-defined tag keys can't start with"), "TagKey" in error) == (True, False)


def test_an_empty_policy_is_malformed(client, bucket):
    error = refused("MalformedPolicy", 400, client.put_bucket_policy, Bucket=bucket, Policy="")
    assert error["Message"] == "Policies must be valid JSON and the first byte must be '{'"


def begun(client, at):
    """An upload of one part: what completes it."""
    upload = {**at, "UploadId": client.create_multipart_upload(**at)["UploadId"]}
    etag = client.upload_part(**upload, PartNumber=1, Body=b"part")["ETag"]
    return {**upload, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": etag}]}}


def test_what_was_written_during_an_upload_is_in_the_way_of_its_condition(client, bucket):
    at = {"Bucket": bucket, "Key": "k"}
    client.put_object(**at, Body=b"before")
    upload = begun(client, at)
    now = client.put_object(**at, Body=b"meanwhile")["ETag"]
    complete = client.complete_multipart_upload
    error = refused("ConditionalRequestConflict", 409, complete, **upload, IfMatch=now)
    assert (error["Condition"], error["Key"]) == ("If-Match", "k")
    refused("PreconditionFailed", 412, complete, **upload, IfNoneMatch="*")
    assert client.get_object(**at)["Body"].read() == b"meanwhile"
    complete(**begun(client, at), IfMatch=now)
    assert client.get_object(**at)["Body"].read() == b"part"


@pytest.mark.parametrize("status", [None, "Enabled"])
def test_what_was_deleted_during_an_upload_is_in_the_way_of_its_condition(client, bucket, status):
    if status:
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
    at, complete = {"Bucket": bucket, "Key": "k"}, client.complete_multipart_upload
    before = client.put_object(**at, Body=b"before")["ETag"]
    upload, other = begun(client, at), begun(client, {"Bucket": bucket, "Key": "other"})
    refused("PreconditionFailed", 412, complete, **upload, IfNoneMatch="*")
    client.delete_object(**at)
    error = refused("ConditionalRequestConflict", 409, complete, **upload, IfNoneMatch="*")
    assert (error["Condition"], error["Key"]) == ("If-None-Match", "k")
    refused("NoSuchKey", 404, complete, **upload, IfMatch=before)
    client.put_object(**at, Body=b"before")
    error = refused("ConditionalRequestConflict", 409, complete, **upload, IfMatch=before)
    assert error["Condition"] == "If-Match"
    client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}]})
    complete(**begun(client, at), IfNoneMatch="*")
    complete(**other, IfNoneMatch="*")
    complete(**upload)
    assert client.get_object(**at)["Body"].read() == b"part"


def test_an_older_version_that_came_back_during_an_upload_is_in_the_way_of_its_condition(client, bucket):
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    at, complete = {"Bucket": bucket, "Key": "k"}, client.complete_multipart_upload
    older = client.put_object(**at, Body=b"older")["ETag"]
    newer = client.put_object(**at, Body=b"newer")["VersionId"]
    upload = begun(client, at)
    client.delete_object(**at, VersionId=newer)
    refused("ConditionalRequestConflict", 409, complete, **upload, IfMatch=older)
    complete(**begun(client, at), IfMatch=older)


def test_a_copied_range_that_begins_behind_the_end(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    upload = {"Bucket": bucket, "Key": "u", "PartNumber": 1, "CopySource": f"{bucket}/k"}
    upload["UploadId"] = client.create_multipart_upload(Bucket=bucket, Key="u")["UploadId"]
    refused("InvalidRequest", 400, client.upload_part_copy, **upload, CopySourceRange="bytes=100-200")
    refused("InvalidArgument", 400, client.upload_part_copy, **upload, CopySourceRange="bytes=5-10")


def test_where_a_list_goes_on(client, bucket):
    for key in "abc":
        client.put_object(Bucket=bucket, Key=key, Body=b"")
    first = client.list_objects_v2(Bucket=bucket, StartAfter="a", MaxKeys=1)
    assert first["StartAfter"] == "a"
    token = first["NextContinuationToken"]
    second = client.list_objects_v2(Bucket=bucket, StartAfter="a", ContinuationToken=token)
    assert ("StartAfter" in second, [entry["Key"] for entry in second["Contents"]]) == (False, ["c"])
    upload = client.create_multipart_upload(Bucket=bucket, Key="u")["UploadId"]
    listed = client.list_multipart_uploads(Bucket=bucket)
    assert (listed["IsTruncated"], listed["NextKeyMarker"], listed["NextUploadIdMarker"]) == (False, "u", upload)


def test_an_owner_that_is_no_account(client, bucket):
    for owner in ("0000", "abcd", "0" * 13):
        error = refused("InvalidBucketOwnerAWSAccountID", 400, client.get_bucket_policy, Bucket=bucket,
                        ExpectedBucketOwner=owner)  # fmt: skip
        assert error["Message"].endswith(f"[{owner}]")


def test_a_copy_to_itself_where_the_bucket_encrypts(client, bucket):
    same = {"Bucket": bucket, "Key": "k", "CopySource": f"{bucket}/k"}
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    refused("InvalidRequest", 400, client.copy_object, **same)
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [default]})
    assert client.copy_object(**same)["ServerSideEncryption"] == "AES256"


def test_a_completed_upload_s_location_is_an_address(client, bucket):
    upload = {"Bucket": bucket, "Key": "é b"}
    upload["UploadId"] = client.create_multipart_upload(**upload)["UploadId"]
    part = {"PartNumber": 1, "ETag": client.upload_part(**upload, PartNumber=1, Body=b"x")["ETag"]}
    refused("InvalidRequest", 400, client.complete_multipart_upload, **upload)
    done = client.complete_multipart_upload(**upload, MultipartUpload={"Parts": [part]})
    assert done["Location"].endswith("/bucket/%C3%A9%20b")
    whole = client.head_object(Bucket=bucket, Key="é b", ChecksumMode="ENABLED")
    assert whole["ChecksumType"] == "FULL_OBJECT"
    one = client.head_object(Bucket=bucket, Key="é b", ChecksumMode="ENABLED", PartNumber=1)
    assert "ChecksumType" not in one


def test_an_upload_that_was_begun_without_an_algorithm_agrees_on_none(client, bucket):
    upload = {"Bucket": bucket, "Key": "k"}
    upload["UploadId"] = client.create_multipart_upload(**upload)["UploadId"]
    sent = client.upload_part(**upload, PartNumber=1, Body=b"aaa", ChecksumAlgorithm="CRC32C")
    bare, complete = {"PartNumber": 1, "ETag": sent["ETag"]}, client.complete_multipart_upload

    def parts(**checksum):
        return {"MultipartUpload": {"Parts": [{**bare, **checksum}]}}

    for checksum in ({"ChecksumCRC32C": sent["ChecksumCRC32C"]}, {"ChecksumSHA256": "AAAA"}):
        refused("InvalidPart", 400, complete, **upload, **parts(**checksum))
    for kind in ("FULL_OBJECT", "COMPOSITE"):
        error = refused("InvalidRequest", 400, complete, **upload, **parts(), ChecksumType=kind)
        assert error["Message"].startswith("The upload was created using the null checksum mode.")
    done = complete(**upload, **parts(), ChecksumCRC32C="AAAAAA==-2")  # which nobody looks at
    assert (done["ChecksumCRC64NVME"], done["ChecksumType"]) == ("Rnr2/5P7Gsk=", "FULL_OBJECT")


def test_completions_that_name_no_upload_no_order_or_no_parts(client, bucket):
    upload = {"Bucket": bucket, "Key": "k"}
    refused("NoSuchUpload", 404, client.complete_multipart_upload, **upload, UploadId="fakeid")
    upload["UploadId"] = client.create_multipart_upload(**upload)["UploadId"]
    parts = [{"PartNumber": number, "ETag": "e"} for number in (2, 1)]
    unordered = {**upload, "MultipartUpload": {"Parts": parts}}
    error = refused("InvalidPartOrder", 400, client.complete_multipart_upload, **unordered)
    assert error["UploadId"] == upload["UploadId"]


def test_a_composite_checksum_s_attributes_are_without_the_number_of_parts(client, bucket):
    upload = {"Bucket": bucket, "Key": "k"}
    upload["UploadId"] = client.create_multipart_upload(**upload, ChecksumAlgorithm="CRC32")["UploadId"]
    sent = client.upload_part(**upload, PartNumber=1, Body=b"aaa", ChecksumAlgorithm="CRC32")
    part = {"PartNumber": 1, "ETag": sent["ETag"], "ChecksumCRC32": sent["ChecksumCRC32"]}
    whole = client.complete_multipart_upload(**upload, MultipartUpload={"Parts": [part]})["ChecksumCRC32"]
    told = client.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["Checksum"])["Checksum"]
    assert (f"{told['ChecksumCRC32']}-1", told["ChecksumType"]) == (whole, "COMPOSITE")
    assert client.head_object(Bucket=bucket, Key="k", ChecksumMode="enabled")["ChecksumCRC32"] == whole


def test_customers_keys_and_other_encryption_in_one_copy(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    copy = {"Bucket": bucket, "Key": "c", "CopySource": f"{bucket}/k"}
    error = refused("InvalidArgument", 400, client.copy_object, **copy, **key, ServerSideEncryption="AES256")
    assert (error["ArgumentName"], error["ArgumentValue"]) == ("x-amz-server-side-encryption", "AES256")
    error = refused("InvalidArgument", 400, client.copy_object, **copy, SSECustomerAlgorithm="AES256")
    assert (error["ArgumentName"], "ArgumentValue" in error) == ("x-amz-server-side-encryption", False)
    upload = {"Bucket": bucket, "Key": "u"}
    upload["UploadId"] = client.create_multipart_upload(**upload, **key)["UploadId"]
    part = {"PartNumber": 1, "ETag": client.upload_part(**upload, PartNumber=1, Body=b"x", **key)["ETag"]}
    done = client.complete_multipart_upload(**upload, MultipartUpload={"Parts": [part]}, **key)
    assert [name for name in done if name.startswith("Checksum")] == []


def test_locks_that_lack_something(client, bucket):
    put = {"Bucket": bucket, "Key": "k", "Body": b"x"}
    error = refused("InvalidArgument", 400, client.put_object, **put, ObjectLockMode="BAD-VALUE")
    assert error["ArgumentName"] == "x-amz-object-lock-retain-until-date"
    client.put_object(**put)
    refused("MalformedXML", 400, client.put_object_legal_hold, Bucket=bucket, Key="k")
    hold = {"Status": "ON"}
    refused("InvalidRequest", 400, client.put_object_legal_hold, Bucket=bucket, Key="k", LegalHold=hold)
