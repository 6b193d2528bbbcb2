"""What the object store refuses, in S3's words (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html)."""

from __future__ import annotations

from collections.abc import Mapping

from clary.errors import AWSError


class NoSuchBucket(AWSError):
    """404: the bucket is not there."""

    def __init__(self, bucket: str) -> None:
        super().__init__(
            "NoSuchBucket", "The specified bucket does not exist", status=404, members={"BucketName": bucket}
        )


class BucketAlreadyExists(AWSError):
    """409: the name is taken by another account; bucket names are one space for all."""

    def __init__(self, bucket: str) -> None:
        super().__init__(
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
            "Please select a different name and try again.",
            status=409,
            members={"BucketName": bucket},
        )


class BucketAlreadyOwnedByYou(AWSError):
    """409: the account has this bucket already."""

    def __init__(self, bucket: str) -> None:
        super().__init__(
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
            status=409,
            members={"BucketName": bucket},
        )


class BucketNotEmpty(AWSError):
    """409: objects are left in the bucket, or versions of them."""

    def __init__(self, bucket: str, *, versioned: bool = False) -> None:
        more = ". You must delete all versions in the bucket." if versioned else ""
        super().__init__(
            "BucketNotEmpty",
            f"The bucket you tried to delete is not empty{more}",
            status=409,
            members={"BucketName": bucket},
        )


class NoSuchKey(AWSError):
    """404: the object is not there."""

    def __init__(self, key: str) -> None:
        super().__init__("NoSuchKey", "The specified key does not exist.", status=404, members={"Key": key})


class NoSuchUpload(AWSError):
    """404: the multipart upload was completed, aborted, or never there."""

    def __init__(self, upload: str) -> None:
        super().__init__(
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted "
            "or completed.",
            status=404,
            members={"UploadId": upload},
        )


class BadDigest(AWSError):
    """400: the body is not the one that its checksum was made of."""

    def __init__(self, said: str, received: str, members: Mapping[str, str] | None = None) -> None:
        super().__init__("BadDigest", f"The {said} did not match {received}.", members=members)


class BadChecksum(BadDigest):
    """`name` is the algorithm's."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} you specified", "the calculated checksum")


class BadPartChecksum(BadDigest):
    """A part is named with a checksum of an algorithm that is not its upload's."""

    def __init__(self, algorithm: str, number: int) -> None:
        super().__init__(f"{algorithm.lower()} you specified for part {number}", "what we received")


class BadMD5(BadDigest):
    """`expected` as S3 writes it where it is asked, `calculated` in base64."""

    def __init__(self, expected: str, calculated: str) -> None:
        members = {"ExpectedDigest": expected, "CalculatedDigest": calculated}
        super().__init__("Content-MD5 you specified", "what we received", members)


class InvalidMD5(AWSError):
    """400: a Content-MD5 that is none."""

    def __init__(self, said: str) -> None:
        super().__init__("InvalidDigest", "The Content-MD5 you specified was invalid.", members={"Content-MD5": said})


class EntityTooLarge(AWSError):
    """400: a body of more bytes than one request may bring."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
            members={"ProposedSize": str(size), "MaxSizeAllowed": str(limit)},
        )


class BodyLost(AWSError):
    """503: the body that was received has gone before it became an object; SDKs send it again on their own."""

    def __init__(self) -> None:
        super().__init__("ServiceUnavailable", "Please reduce your request rate.", status=503)


class ObjectSealed(AWSError):
    """400: the object is encrypted under a customer's key, and nobody has brought it."""

    def __init__(self) -> None:
        super().__init__(
            "InvalidRequest",
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to "
            "retrieve the object.",
        )


class StoreUnavailable(AWSError):
    """503: there is no object database to read yet; SDKs try again on their own."""

    def __init__(self) -> None:
        super().__init__("ServiceUnavailable", "Reduce your request rate.", status=503)
