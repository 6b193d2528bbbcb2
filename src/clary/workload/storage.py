"""The object store as one execution role may use it: a job's data and a model's are read and written with the role's
own rights, as SageMaker does it, and never with Clary's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from clary.calls import Access
from clary.errors import AccessDenied
from clary.objects import Attributes, ObjectStore
from clary.objects.errors import ObjectSealed
from clary.objects.files import open_regular
from clary.objects.model import ObjectInfo
from clary.wire.http import Segment
from clary.workload.errors import NotAllowed

Allow = Callable[[Access], None]
"""Raises AccessDenied where the right is not given."""

Rights = Callable[[str, str], Allow]
"""(role ARN, region) → what that role may do there; an empty ARN is nobody's."""

_BUCKET = "arn:aws:s3:::"
_NO_CONDITIONS: Mapping[str, str] = {}


@dataclass(frozen=True)
class RoleStorage:
    """Each method asks first, and raises NotAllowed (a FailureReason) where the role may not."""

    objects: ObjectStore
    allow: Allow

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
        self._ask_for(info)
        return self.objects.read(info)

    def copy_to(self, info: ObjectInfo, target: Path, mode: int = 0o600) -> None:
        """Its bytes as a new file: s3:GetObject. Raises FileExistsError."""
        self._ask_for(info)
        self.objects.copy_to(info, target, mode)

    def segments(self, info: ObjectInfo) -> tuple[Segment, ...]:
        """Where its bytes lie, for a child of ours to read: s3:GetObject."""
        self._ask_for(info)
        return self.objects.segments(info)

    def link_to(self, info: ObjectInfo, target: Path) -> None:
        """A name for its very file, to be shown to containers without a way to change it: s3:GetObject.

        Raises FileExistsError.
        """
        self._ask_for(info)
        self.objects.link_to(info, target)

    def put_file(self, bucket: str, key: str, path: Path, attributes: Attributes) -> None:
        """A finished file as an object: s3:PutObject. Raises NoSuchBucket, OSError."""
        with open_regular(path) as file:
            self.put_open(bucket, key, file, attributes)

    def put_open(self, bucket: str, key: str, file: BinaryIO, attributes: Attributes) -> None:
        """As `put_file`, for a file that is open: s3:PutObject. Raises NoSuchBucket, OSError."""
        said = f"Artifact upload failed:Unable to upload object s3://{bucket}/{key}"
        self._ask("s3:PutObject", f"{bucket}/{key}", said)
        self.objects.put_open(bucket, key, file, attributes)

    def delete(self, bucket: str, key: str) -> None:
        """Delete an object, if it is there: s3:DeleteObject. Raises NoSuchBucket."""
        said = f"Artifact upload failed:Unable to delete object s3://{bucket}/{key}"
        self._ask("s3:DeleteObject", f"{bucket}/{key}", said)
        self.objects.delete(bucket, [key])

    def _ask_for(self, info: ObjectInfo) -> None:
        """What a customer's key is needed for nobody here can read, whatever the role may."""
        self._ask_to_read(info.bucket, info.key)
        if info.attributes.sealed:
            said = f"Data download failed:Unable to download object s3://{info.bucket}/{info.key}"
            raise NotAllowed(f"ClientError: {said} (InvalidRequest: {ObjectSealed().message})")

    def _ask_to_read(self, bucket: str, key: str) -> None:
        said = f"Data download failed:Unable to download object s3://{bucket}/{key}"
        self._ask("s3:GetObject", f"{bucket}/{key}", said)

    def _ask(self, action: str, place: str, said: str, context: Mapping[str, str] = _NO_CONDITIONS) -> None:
        try:
            self.allow(Access(action, _BUCKET + place, context))
        except AccessDenied as error:
            raise NotAllowed(f"ClientError: {said} (AccessDenied: {error.message})") from None


@dataclass(frozen=True)
class Storage:
    """The object store, and what roles may do with it."""

    objects: ObjectStore
    rights: Rights

    def of(self, role: str, region: str) -> RoleStorage:
        """As that role may use it now: roles and policies may change while a job runs."""
        return RoleStorage(self.objects, self.rights(role, region))
