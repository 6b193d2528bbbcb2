"""S3: uploads in parts, completed, dropped, written again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from tests.durability.witness import Hand, Idle, Register, digest
from tests.running import RunningClary

LARGE = 5 * 2**20
UNKNOWN = "an upload whose id nobody was told"
Parts = tuple[tuple[int, str], ...]


class Uploads(Hand):
    """State of a key: the object's content, and its upload: None, or its id and its parts' numbers and tags."""

    def __init__(self, clary: RunningClary, seed: str, number: int) -> None:
        super().__init__(clary, seed)
        self._s3 = clary.client("s3")
        self._bucket = f"uploads-{number}"
        self._s3.create_bucket(Bucket=self._bucket)
        self._s3.put_object(Bucket=self._bucket, Key="source", Body=b"copied")
        self._keys = [Register(f"u{each}", (None, None)) for each in range(3)]
        self._bodies: dict[str, bytes] = {}
        """Of parts, by tag."""

    def steps(self) -> Sequence[Callable[[], None]]:
        return (
            self._begin,
            self._part,
            self._part,
            self._part,
            self._copied_part,
            self._complete,
            self._complete,
            self._abort,
        )

    def check(self) -> None:
        for register in self._keys:
            uploads = self._s3.list_multipart_uploads(Bucket=self._bucket, Prefix=register.name).get("Uploads", [])
            assert len(uploads) <= 1, uploads
            upload = self._seen(register, uploads[0]["UploadId"]) if uploads else None
            register.is_((self._content(register.name), upload))
            if upload and upload[0] == UNKNOWN:
                self._s3.abort_multipart_upload(Bucket=self._bucket, Key=register.name, UploadId=uploads[0]["UploadId"])
                register.allowed = [(register.state[0], None)]
        named = {tag for each in self._keys if each.state[1] for _, tag in each.state[1][1]}
        self._bodies = {tag: body for tag, body in self._bodies.items() if tag in named}

    def _open(self, *, begun: bool) -> Register:
        return self.any_of([each for each in self._keys if not each.lost and (each.state[1] is not None) == begun])

    def _where(self, register: Register) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": register.name, "UploadId": register.state[1][0]}

    def _begin(self) -> None:
        register = self._open(begun=False)
        content = register.state[0]
        begun = register.becomes(
            (content, (UNKNOWN, ())), self._s3.create_multipart_upload, Bucket=self._bucket, Key=register.name
        )
        register.allowed = [(content, (begun["UploadId"], ()))]

    def _part(self) -> None:
        register = self._open(begun=True)
        number = self.chance.choice((1, 1, 2, 10_000))
        body = self.chance.randbytes(self.chance.choice((30, 30, LARGE) if number == 1 else (1, 70_000)))
        self._becomes(register, number, body, self._s3.upload_part, Body=body)

    def _copied_part(self) -> None:
        register = self._open(begun=True)
        source = {"Bucket": self._bucket, "Key": "source"}
        self._becomes(register, 10_000, b"copied", self._s3.upload_part_copy, CopySource=source)

    def _becomes(self, register: Register, number: int, body: bytes, call: Callable[..., Any], **params: Any) -> None:
        tag = f'"{hashlib.md5(body).hexdigest()}"'
        self._bodies[tag] = body
        content, (upload, parts) = register.state
        state = (content, (upload, tuple(sorted({**dict(parts), number: tag}.items()))))
        register.becomes(state, call, **self._where(register), PartNumber=number, **params)

    def _complete(self) -> None:
        register = self._open(begun=True)
        parts = list(register.state[1][1])
        if not parts:
            raise Idle
        if len(self._bodies[parts[0][1]]) < LARGE:
            parts = parts[:1]
        elif len(parts) > 2:
            parts = [parts[0], parts[-1]]
        whole = b"".join(self._bodies[tag] for _, tag in parts)
        chosen = {"Parts": [{"PartNumber": number, "ETag": tag} for number, tag in parts]}
        complete = self._s3.complete_multipart_upload
        register.becomes((digest(whole), None), complete, **self._where(register), MultipartUpload=chosen)

    def _abort(self) -> None:
        register = self._open(begun=True)
        state = (register.state[0], None)
        register.becomes(state, self._s3.abort_multipart_upload, **self._where(register))

    def _seen(self, register: Register, upload: str) -> tuple[str, Parts]:
        """The upload's id, where somebody was told it, and its parts."""
        listed = self._s3.list_parts(Bucket=self._bucket, Key=register.name, UploadId=upload).get("Parts", [])
        for part in listed:
            assert part["Size"] == len(self._bodies[part["ETag"]]), part
        known = {state[1][0] for state in register.allowed if state[1]}  # type: ignore[index]
        parts = tuple((part["PartNumber"], part["ETag"]) for part in listed)
        return (upload if upload in known else UNKNOWN), parts

    def _content(self, key: str) -> str | None:
        try:
            return digest(self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        except self._s3.exceptions.NoSuchKey:
            return None
