"""What S3 promises to clients who ask at the same time, as a calculation: their calls happened in some order, each at
once and whole (https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel).

A call is applied to a state, which gives the next state and what the client is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

KEYS = ("a", "b")
UPLOAD_KEY = "a"
DONE = "done"


@dataclass(frozen=True)
class Entry:
    """A version; a content of None: a delete marker. `upload`: which upload it was completed from."""

    content: str | None
    null: bool
    upload: str = ""

    @property
    def etag(self) -> str:
        return etag_of(self.content or "", whole=not self.upload)


def etag_of(content: str, *, whole: bool = True) -> str:
    """Of an object that came in one piece, or of one part."""
    digest = hashlib.md5(content.encode())
    return f'"{digest.hexdigest()}"' if whole else f'"{hashlib.md5(digest.digest()).hexdigest()}-1"'


@dataclass(frozen=True)
class State:
    """Versions by key, the newest first; and the upload that is under way: its id, and contents by part's number."""

    versioning: str = ""
    keys: tuple[tuple[Entry, ...], ...] = ((),) * len(KEYS)
    upload: str = ""
    parts: tuple[tuple[int, str], ...] = ()

    def of(self, key: str) -> tuple[Entry, ...]:
        return self.keys[KEYS.index(key)]

    def current(self, key: str) -> Entry | None:
        newest = self.of(key)[:1]
        return newest[0] if newest and newest[0].content is not None else None

    def with_newest(self, key: str, content: str | None, upload: str = "") -> State:
        """Another one becomes the newest; without versions nothing remains of those before."""
        null = self.versioning != "Enabled"
        before = tuple(each for each in self.of(key) if not (null and each.null))
        entry = (Entry(content, null, upload),) if content is not None or self.versioning else ()
        return replace(self, keys=tuple(entry + before if k == key else self.of(k) for k in KEYS))


class Operation(Protocol):
    """One client's call."""

    def apply(self, state: State) -> tuple[State, object]:
        """What it does, and what the client is told."""
        ...

    def call(self, s3: Any, bucket: str) -> object:
        """Really. Raises ClientError."""
        ...


@dataclass(frozen=True)
class Put:
    key: str
    content: str
    if_match: str = ""
    """An entity tag, or `*` for none: only where there is no object."""

    def apply(self, state: State) -> tuple[State, object]:
        there = state.current(self.key)
        if self.if_match == "*" and there is not None:
            return state, "PreconditionFailed"
        if self.if_match not in ("", "*"):
            if there is None:
                return state, "NoSuchKey"
            if there.etag != self.if_match:
                return state, "PreconditionFailed"
        return state.with_newest(self.key, self.content), DONE

    def call(self, s3: Any, bucket: str) -> object:
        condition = {"IfNoneMatch": "*"} if self.if_match == "*" else {"IfMatch": self.if_match}
        s3.put_object(Bucket=bucket, Key=self.key, Body=self.content.encode(), **(condition if self.if_match else {}))
        return DONE


@dataclass(frozen=True)
class Written:
    """The second half of a copy: what was read is written, whatever has become of the source meanwhile."""

    key: str
    content: str

    def apply(self, state: State) -> tuple[State, object]:
        return state.with_newest(self.key, self.content), DONE


@dataclass(frozen=True)
class Copy:
    """Two keys have no order in common: it reads the one, and writes the other later."""

    source: str
    key: str

    def apply(self, state: State) -> tuple[State, object]:
        there = state.current(self.source)
        if there is None or there.content is None:
            return state, "NoSuchKey"
        return state, Written(self.key, there.content)

    def call(self, s3: Any, bucket: str) -> object:
        s3.copy_object(
            Bucket=bucket, Key=self.key, CopySource={"Bucket": bucket, "Key": self.source}, MetadataDirective="REPLACE"
        )
        return DONE


@dataclass(frozen=True)
class Delete:
    key: str

    def apply(self, state: State) -> tuple[State, object]:
        return state.with_newest(self.key, None), DONE

    def call(self, s3: Any, bucket: str) -> object:
        s3.delete_object(Bucket=bucket, Key=self.key)
        return DONE


@dataclass(frozen=True)
class Get:
    key: str

    def apply(self, state: State) -> tuple[State, object]:
        there = state.current(self.key)
        return state, there.content if there else "NoSuchKey"

    def call(self, s3: Any, bucket: str) -> object:
        return s3.get_object(Bucket=bucket, Key=self.key)["Body"].read().decode()


@dataclass(frozen=True)
class List:
    def apply(self, state: State) -> tuple[State, object]:
        found = ((key, state.current(key)) for key in KEYS)
        return state, tuple((key, entry.etag) for key, entry in found if entry)

    def call(self, s3: Any, bucket: str) -> object:
        return tuple((each["Key"], each["ETag"]) for each in s3.list_objects_v2(Bucket=bucket).get("Contents", []))


@dataclass(frozen=True)
class Part:
    upload: str
    number: int
    content: str

    def apply(self, state: State) -> tuple[State, object]:
        if state.upload != self.upload:
            return state, "NoSuchUpload"
        parts = {**dict(state.parts), self.number: self.content}
        return replace(state, parts=tuple(sorted(parts.items()))), DONE

    def call(self, s3: Any, bucket: str) -> object:
        where = {"Bucket": bucket, "Key": UPLOAD_KEY, "UploadId": self.upload}
        s3.upload_part(**where, PartNumber=self.number, Body=self.content.encode())
        return DONE


@dataclass(frozen=True)
class Complete:
    """By one part. Asked twice it answers twice, as long as the object is the current one."""

    upload: str
    number: int
    content: str

    def apply(self, state: State) -> tuple[State, object]:
        there = state.current(UPLOAD_KEY)
        if there is not None and there.upload == self.upload:
            return state, there.etag
        if state.upload != self.upload:
            return state, "NoSuchUpload"
        if dict(state.parts).get(self.number) != self.content:
            return state, "InvalidPart"
        done = state.with_newest(UPLOAD_KEY, self.content, self.upload)
        return replace(done, upload="", parts=()), etag_of(self.content, whole=False)

    def call(self, s3: Any, bucket: str) -> object:
        chosen = {"Parts": [{"PartNumber": self.number, "ETag": etag_of(self.content)}]}
        where = {"Bucket": bucket, "Key": UPLOAD_KEY, "UploadId": self.upload}
        return s3.complete_multipart_upload(**where, MultipartUpload=chosen)["ETag"]


@dataclass(frozen=True)
class Abort:
    upload: str

    def apply(self, state: State) -> tuple[State, object]:
        if state.upload != self.upload:
            return state, "NoSuchUpload"
        return replace(state, upload="", parts=()), DONE

    def call(self, s3: Any, bucket: str) -> object:
        s3.abort_multipart_upload(Bucket=bucket, Key=UPLOAD_KEY, UploadId=self.upload)
        return DONE


Shown = tuple[object, ...]


def shown(state: State) -> Shown:
    """A state as listings of versions, uploads and parts show it: versions and markers apart."""

    def of(key: str) -> Shown:
        entries = state.of(key)
        versions = tuple((each.etag, each.null) for each in entries if each.content is not None)
        markers = tuple(each.null for each in entries if each.content is None)
        return versions, markers, state.current(key) is not None

    return (*(of(key) for key in KEYS), state.upload, tuple((n, etag_of(content)) for n, content in state.parts))


class Step(Protocol):
    """Of what was asked for, as much as happens at once."""

    def apply(self, state: State) -> tuple[State, object]:
        """What it does, and what the client is told, or the next step."""
        ...


def explained(state: State, asked: Sequence[tuple[Step, object]], seen: Shown) -> State | None:
    """The state after all that was asked, in an order that explains what each client was told, and what is seen then;
    None where there is none."""
    if not asked:
        return state if shown(state) == seen else None
    for at, (step, told) in enumerate(asked):
        after, said = step.apply(state)
        others = [*asked[:at], *asked[at + 1 :]]
        if isinstance(said, Written):
            found = explained(after, [*others, (said, told)], seen)
        else:
            found = explained(after, others, seen) if said == told else None
        if found is not None:
            return found
    return None
