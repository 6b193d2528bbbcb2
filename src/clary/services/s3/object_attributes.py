"""GetObjectAttributes (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.objects.model import ObjectInfo, Piece
from clary.services.context import EdgeContext
from clary.services.s3.attributes import checksums
from clary.services.s3.data_keys import check_readable
from clary.services.s3.encryption import key_for
from clary.services.s3.listing import max_entries
from clary.services.s3.objects import Answer, allowed_to_decrypt
from clary.services.s3.service import SERVICE
from clary.services.s3.targets import require_visible, version_of


@SERVICE.operation("GetObjectAttributes", place="edge")
def get_object_attributes(context: EdgeContext, params: dict[str, Any]) -> Answer:
    """Only what is asked for. Parts are listed where their checksums were kept (COMPOSITE), as on AWS."""
    bucket, info = require_visible(context, params)
    key_for(info, params)
    attributes = info.attributes
    offered = {
        "ETag": info.etag,
        "Checksum": checksums(_bare(attributes.checksums), attributes.checksum_type) or None,
        "ObjectParts": _parts(info, params) if info.parts_count else None,
        "StorageClass": attributes.storage_class,
        "ObjectSize": info.size,
    }
    asked = params["ObjectAttributes"]
    said = {"LastModified": info.modified, **version_of(bucket, info)}
    shown = {**said, **{name: value for name, value in offered.items() if name in asked}}
    if "Checksum" in asked and check_readable(context, info):
        return allowed_to_decrypt(context, bucket, info, shown)
    return shown


def _bare(values: Mapping[str, str]) -> dict[str, str]:
    """A composite one without the number of its parts, which is said beside it."""
    return {algorithm: value.partition("-")[0] for algorithm, value in values.items()}


def _parts(info: ObjectInfo, params: dict[str, Any]) -> dict[str, Any]:
    output: dict[str, Any] = {"TotalPartsCount": info.parts_count}
    if info.attributes.checksum_type != "COMPOSITE":
        return output
    marker, limit = params.get("PartNumberMarker", 0), max_entries(params, "MaxParts")
    left = [piece for piece in info.pieces if piece.number > marker]
    page = left[:limit]
    return {
        **output,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1].number if page else 0,
        "MaxParts": limit,
        "IsTruncated": len(left) > len(page),
        "Parts": [_part(piece) for piece in page],
    }


def _part(piece: Piece) -> dict[str, Any]:
    return {"PartNumber": piece.number, "Size": piece.size, **checksums(piece.checksums)}
