"""Which bytes of an object are asked for: `Range: bytes=…` (RFC 9110, section 14), or one of its parts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from clary.errors import AWSError
from clary.objects.model import ObjectInfo
from clary.services.s3.errors import invalid_argument, invalid_request

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_MAX_PART = 10_000


@dataclass(frozen=True)
class Span:
    """`length` bytes from byte `start` of `size`. `partial`: answered with 206 and a Content-Range."""

    start: int
    length: int
    size: int
    partial: bool = False

    @property
    def content_range(self) -> str | None:
        """The header's value; None for a whole object, and where there is no byte to name."""
        if not self.partial or not self.length:
            return None
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


def span(info: ObjectInfo, params: dict[str, Any]) -> Span:
    """Raises InvalidRange (416), InvalidPartNumber (416), InvalidArgument, InvalidRequest."""
    wanted, number = params.get("Range"), params.get("PartNumber")
    if number is not None:
        if wanted is not None:
            raise invalid_request("Cannot specify both Range header and partNumber query parameter")
        return _part(info, number)
    bounds = parse(wanted, info.size) if wanted else None
    if bounds is None:
        return Span(0, info.size, info.size)
    start, end = bounds
    if start >= end:
        raise _invalid_range(str(wanted), info.size)
    return Span(start, end - start, info.size, partial=True)


def parse(header: str, size: int) -> tuple[int, int] | None:
    """First byte and the byte behind the last; None where the header is to be ignored: not of one range in bytes."""
    found = _RANGE.fullmatch(header.strip())
    if not found or found.group(1, 2) == ("", ""):
        return None
    first, last = found.group(1, 2)
    if not first:
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return None
    return int(first), min(size, int(last) + 1) if last else size


def copy_span(header: str, size: int) -> tuple[int, int]:
    """For UploadPartCopy: `bytes=first-last`, both given inside the source. Raises InvalidArgument, InvalidRequest."""
    found = _RANGE.fullmatch(header)
    if not found or "" in found.group(1, 2) or int(found[2]) < int(found[1]):
        what = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
        raise invalid_argument(
            f"{what}zero-based offsets of the first and last bytes to copy", "x-amz-copy-source-range", header
        )
    if int(found[1]) >= size:
        raise invalid_request("The specified copy range is invalid for the source object size")
    if int(found[2]) >= size:
        what = f"Range specified is not valid for source object of size: {size}"
        raise invalid_argument(what, "x-amz-copy-source-range", header)
    return int(found[1]), int(found[2]) + 1


def _part(info: ObjectInfo, number: int) -> Span:
    if not 1 <= number <= _MAX_PART:
        what = "Part number must be an integer between 1 and 10000, inclusive"
        raise invalid_argument(what, "partNumber", str(number))
    pieces = info.pieces
    if number > len(pieces):
        raise AWSError(
            "InvalidPartNumber",
            "The requested partnumber is not satisfiable",
            status=416,
            members={"PartNumberRequested": str(number), "ActualPartCount": str(len(pieces))},
        )
    starts = [0, *accumulate(piece.size for piece in pieces)]
    return Span(starts[number - 1], pieces[number - 1].size, info.size, partial=True)


def _invalid_range(header: str, size: int) -> AWSError:
    return AWSError(
        "InvalidRange",
        "The requested range is not satisfiable",
        status=416,
        members={"ActualObjectSize": str(size), "RangeRequested": header},
    )
