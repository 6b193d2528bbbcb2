"""What a multipart upload becomes: S3's rules for CompleteMultipartUpload, as a pure function
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise

from clary.errors import AWSError
from clary.objects.checksums import DEFAULT_ALGORITHM, combined, composite
from clary.objects.errors import BadChecksum, BadPartChecksum
from clary.objects.model import ObjectInfo, Part, Piece, Upload, dump_pieces

MIN_PART_BYTES = 5 * 2**20


@dataclass(frozen=True)
class ChosenPart:
    """A part as the request names it. `etag` is without quotes."""

    number: int
    etag: str
    checksums: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Completion:
    """What the request says: the parts, and what it expects of the whole."""

    parts: Sequence[ChosenPart]
    checksums: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    checksum_type: str | None = None


def assemble(upload: Upload, kept: Mapping[int, Part], asked: Completion, now: datetime) -> ObjectInfo:
    """The object. Raises MalformedXML, InvalidPartOrder, InvalidPart, EntityTooSmall, InvalidRequest, BadDigest."""
    _check_order(upload, asked.parts)
    _check_type(upload, asked.checksum_type)
    parts = [_match(upload, chosen, kept.get(chosen.number)) for chosen in asked.parts]
    _check_sizes(parts)
    size = sum(part.size for part in parts)
    _check_size(asked.size, size)
    pieces = tuple(Piece(part.file, part.size, part.number, _own(upload, part)) for part in parts)
    return ObjectInfo(
        bucket=upload.bucket,
        key=upload.key,
        etag=_etag(parts),
        size=size,
        modified=now,
        attributes=replace(upload.attributes, checksums=_checksum(upload, parts, asked), upload=upload.id),
        layout=dump_pieces(pieces),
    )


def _check_order(upload: Upload, parts: Sequence[ChosenPart]) -> None:
    if not parts:
        what = "The XML you provided was not well-formed or did not validate against our published schema"
        raise AWSError("MalformedXML", what)
    numbers = [part.number for part in parts]
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        what = "The list of parts was not in ascending order. Parts must be ordered by part number."
        raise AWSError("InvalidPartOrder", what, members={"UploadId": upload.id})


def _check_type(upload: Upload, said: str | None) -> None:
    kind = upload.attributes.checksum_type if upload.declared else "null"
    if said is not None and said != kind:
        what = f"The upload was created using the {kind} checksum mode. The complete request must use the same "
        raise AWSError("InvalidRequest", f"{what}checksum mode.")


def _match(upload: Upload, chosen: ChosenPart, part: Part | None) -> Part:
    if part is None or part.etag != chosen.etag:
        raise _invalid_part(upload, chosen)
    for algorithm, value in chosen.checksums.items():
        _check_part(upload, part, chosen, algorithm, value)
    if upload.declared and upload.attributes.checksum_type == "COMPOSITE" and upload.algorithm not in chosen.checksums:
        raise AWSError(
            "InvalidRequest",
            f"The upload was created using a {upload.algorithm.lower()} checksum. The complete request must include "
            f"the checksum for each part. It was missing for part {chosen.number} in the request.",
        )
    return part


def _check_part(upload: Upload, part: Part, chosen: ChosenPart, algorithm: str, value: str) -> None:
    """What a part is named with is of the upload's algorithm, and nothing where the upload was begun without one."""
    ours = algorithm == upload.algorithm
    if upload.declared and not ours:
        raise BadPartChecksum(algorithm, chosen.number)
    if not ours or part.checksums.get(algorithm) != value:
        raise _invalid_part(upload, chosen)


def _invalid_part(upload: Upload, chosen: ChosenPart) -> AWSError:
    return AWSError(
        "InvalidPart",
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified "
        "entity tag may not match the part's entity tag.",
        members={"UploadId": upload.id, "PartNumber": str(chosen.number), "ETag": chosen.etag},
    )


def _check_sizes(parts: Sequence[Part]) -> None:
    for part in parts[:-1]:
        if part.size < MIN_PART_BYTES:
            raise AWSError(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                members={
                    "ETag": part.etag,
                    "MinSizeAllowed": str(MIN_PART_BYTES),
                    "PartNumber": str(part.number),
                    "ProposedSize": str(part.size),
                },
            )


def _check_size(said: int | None, size: int) -> None:
    if said is not None and said != size:
        raise AWSError(
            "InvalidRequest",
            f"The provided 'x-amz-mp-object-size' header value {said} does not match what was computed: {size}",
        )


def _etag(parts: Sequence[Part]) -> str:
    """The MD5 of the parts' MD5s, and their number."""
    digests = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"


def _own(upload: Upload, part: Part) -> dict[str, str]:
    value = part.checksums.get(upload.algorithm)
    return {upload.algorithm: value} if value else {}


def _checksum(upload: Upload, parts: Sequence[Part], asked: Completion) -> dict[str, str]:
    """The whole's checksum, the same as the request says, if it does. What is said without a type S3 takes for a
    composite one, where the algorithm has those."""
    values = [part.checksums[upload.algorithm] for part in parts]
    if upload.attributes.checksum_type == "COMPOSITE":
        whole, known = composite(upload.algorithm, values), True
    else:
        whole = combined(upload.algorithm, zip(values, (part.size for part in parts), strict=True))
        known = asked.checksum_type is not None or upload.algorithm == DEFAULT_ALGORITHM
    for algorithm, value in asked.checksums.items():
        if not upload.declared and algorithm != upload.algorithm:
            continue  # S3 passes over what was not agreed on
        if not known or algorithm != upload.algorithm or value not in (whole, whole.partition("-")[0]):
            raise BadChecksum(upload.algorithm.lower())
    return {upload.algorithm: whole}
