"""What is told of a secret (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html)."""

from __future__ import annotations

from collections.abc import Mapping

from clary.services.resources import Output, moment, present
from clary.services.tags import listed_tags
from clary.store.rows import Row


def description(row: Row, tags: Mapping[str, str]) -> Output:
    """What Describe and a list have in common."""
    rotation = row.state.get("rotation") or {}
    return present(
        {
            "ARN": row.arn,
            "Name": row.key.name,
            "Description": row.spec.get("Description") or None,
            "KmsKeyId": row.spec.get("KmsKeyId"),
            "RotationEnabled": rotation.get("enabled"),
            "RotationLambdaARN": rotation.get("function"),
            "RotationRules": rotation.get("rules"),
            "LastRotatedDate": moment(rotation.get("rotated")),
            "NextRotationDate": moment(rotation.get("next")),
            "LastChangedDate": row.modified,
            "LastAccessedDate": moment(row.state.get("accessed")),
            "DeletedDate": moment(row.state.get("deleted")),
            "CreatedDate": row.created,
            "Tags": listed_tags(tags) or None,
        }
    )
