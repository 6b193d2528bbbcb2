"""The object store as one execution role may use it: a job's data and a model's are read and written with the role's
own rights, as SageMaker does it, and never with Clary's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from clary.calls import Access, Call, Principal
from clary.errors import AccessDenied, AWSError
from clary.objects import Attributes, ObjectStore
from clary.objects.archives import Archived, is_archived
from clary.objects.envelopes import KMS, DataKey, Question, Wanted, ask, generation, of_bucket, opening
from clary.objects.errors import ObjectSealed
from clary.objects.files import open_regular
from clary.objects.model import ObjectInfo, now_ms
from clary.objects.small import lies_in_files
from clary.wire.http import Segment
from clary.workload.errors import NotAllowed

Allow = Callable[[Access], None]
"""Raises AccessDenied where the right is not given."""

Rights = Callable[[str, str], Allow]
"""(role ARN, region) → what that role may do there; an empty ARN is nobody's."""

AsRole = Callable[[str], Principal]
"""Role ARN → a session of it, as SageMaker takes one."""

Invoke = Callable[[Call], Mapping[str, Any]]
"""Carries out an operation. Raises AWSError."""

_BUCKET = "arn:aws:s3:::"
_NO_CONDITIONS: Mapping[str, str] = {}
_OURS = 500


@dataclass(frozen=True)
class RoleStorage:
    """Each method asks first, and raises NotAllowed (a FailureReason) where the role may not: also where KMS does not
    let it have the key that an object is encrypted under, or is to be."""

    objects: ObjectStore
    allow: Allow
    session: Callable[[], Principal]
    """The role's, as whom KMS is asked."""
    invoke: Invoke

    def has_bucket(self, bucket: str) -> bool:
        """Whether there is such a bucket; the name says nothing of what is in it."""
        return self.objects.get_bucket(bucket) is not None

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        """Objects whose keys begin with `prefix`, in order: s3:ListBucket."""
        said = f"Data download failed:Unable to list objects under s3://{bucket}/{prefix}"
        self._ask("s3:ListBucket", bucket, said, {"s3:prefix": prefix})
        return self.objects.list(bucket, prefix)

    def head(self, bucket: str, key: str) -> ObjectInfo | None:
        """The object, or None: s3:GetObject."""
        self._ask_to_read(bucket, key)
        return self.objects.head(bucket, key)

    def read(self, info: ObjectInfo) -> Iterator[bytes]:
        """Its bytes: s3:GetObject."""
        return self.objects.read(info, self._key_of(info))

    def copy_to(self, info: ObjectInfo, target: Path, mode: int = 0o600) -> None:
        """Its bytes as a new file: s3:GetObject. Raises FileExistsError."""
        self.objects.copy_to(info, target, mode, self._key_of(info))

    def segments(self, info: ObjectInfo, plain: Path) -> tuple[Segment, ...]:
        """Where its bytes lie, for a child of ours to read: s3:GetObject. Those of an encrypted one, decrypted,
        and those of a small one, which lies in no file, in the new file `plain`."""
        key = self._key_of(info)
        if key is None and lies_in_files(info):
            return self.objects.segments(info)
        plain.unlink(missing_ok=True)
        self.objects.copy_to(info, plain, key=key)
        return ((plain, 0, info.size),)

    def link_to(self, info: ObjectInfo, target: Path) -> None:
        """A name for its very file, to be shown to containers without a way to change it: s3:GetObject. Of an encrypted
        one a copy, decrypted.

        Raises FileExistsError.
        """
        key = self._key_of(info)
        if key is None:
            self.objects.link_to(info, target)
        else:
            self.objects.copy_to(info, target, key=key)

    def put_file(self, bucket: str, key: str, path: Path, attributes: Attributes, kms_key: str = "") -> None:
        """A finished file as an object, encrypted under a KMS key where one is named or the bucket has one for all:
        s3:PutObject, kms:GenerateDataKey. Raises NoSuchBucket, OSError."""
        with open_regular(path) as file:
            self.put_open(bucket, key, file, attributes, kms_key)

    def put_open(self, bucket: str, key: str, file: BinaryIO, attributes: Attributes, kms_key: str = "") -> None:
        """As `put_file`, for a file that is open. Raises NoSuchBucket, OSError."""
        said = f"Artifact upload failed:Unable to upload object s3://{bucket}/{key}"
        self._ask("s3:PutObject", f"{bucket}/{key}", said)
        self.objects.put_open(bucket, key, file, attributes, self._new_key(bucket, key, kms_key, said))

    def delete(self, bucket: str, key: str) -> None:
        """Delete an object, if it is there: s3:DeleteObject. Raises NoSuchBucket."""
        said = f"Artifact upload failed:Unable to delete object s3://{bucket}/{key}"
        self._ask("s3:DeleteObject", f"{bucket}/{key}", said)
        self.objects.delete(bucket, [key])

    def _key_of(self, info: ObjectInfo) -> bytes | None:
        """The object's data key; None where it is not encrypted. What is archived, or needs a customer's key,
        nobody here can read, whatever the role may."""
        self._ask_to_read(info.bucket, info.key)
        said, attributes = _unread(info.bucket, info.key), info.attributes
        if is_archived(attributes, now_ms()):
            archived = Archived(attributes.storage_class)
            raise NotAllowed(f"ClientError: {said} ({archived.code}: {archived.message})")
        if attributes.wrapped:
            bucket = self.objects.bucket(info.bucket)
            return self._answer(opening(self.session(), bucket, info.key, attributes), said).plain
        if attributes.sealed:
            raise NotAllowed(f"ClientError: {said} (InvalidRequest: {ObjectSealed().message})")
        return None

    def _new_key(self, name: str, key: str, kms_key: str, said: str) -> DataKey | None:
        bucket = self.objects.bucket(name)
        wanted = Wanted(KMS, kms_key) if kms_key else of_bucket(bucket)
        return self._answer(generation(self.session(), bucket, key, wanted), said) if wanted else None

    def _answer(self, question: Question, said: str) -> DataKey:
        try:
            return ask(question, self.invoke)
        except AWSError as error:
            if error.status >= _OURS:
                raise
            raise NotAllowed(f"ClientError: {said} ({error.code}: {error.message})") from None

    def _ask_to_read(self, bucket: str, key: str) -> None:
        self._ask("s3:GetObject", f"{bucket}/{key}", _unread(bucket, key))

    def _ask(self, action: str, place: str, said: str, context: Mapping[str, str] = _NO_CONDITIONS) -> None:
        try:
            self.allow(Access(action, _BUCKET + place, context))
        except AccessDenied as error:
            raise NotAllowed(f"ClientError: {said} (AccessDenied: {error.message})") from None


def _unread(bucket: str, key: str) -> str:
    return f"Data download failed:Unable to download object s3://{bucket}/{key}"


@dataclass(frozen=True)
class Storage:
    """The object store, and what roles may do with it."""

    objects: ObjectStore
    rights: Rights
    session: AsRole
    invoke: Invoke

    def of(self, role: str, region: str) -> RoleStorage:
        """As that role may use it now: roles and policies may change while a job runs."""
        return RoleStorage(self.objects, self.rights(role, region), lambda: self.session(role), self.invoke)
