"""Where entities of IAM are: calls name them without their path, which is part of their ARN and so of what policies
speak of (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from clary.calls import Access
from clary.identity.published import Identities

_IAM = "arn:aws:iam:"
_MADE = frozenset(
    {
        *(f"iam:Create{noun}" for noun in ("User", "Role", "Group", "Policy", "InstanceProfile", "ServiceLinkedRole")),
        "iam:CreateVirtualMFADevice",
        "iam:UploadServerCertificate",
    }
)
"""These say where what they make will be."""


def _bare(arn: str) -> str:
    """Without the path, and whatever its case: `arn:aws:iam::1:role/ml/Train` → `arn:aws:iam::1:role/train`."""
    head, _, name = arn.rpartition("/")
    return f"{head.partition('/')[0]}/{name}".lower()


class Places:
    """The entities of one publication."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities

    @cached_property
    def _arns(self) -> Mapping[str, str]:
        """By bare ARN: made when a call of IAM first asks."""
        return {_bare(arn): arn for arn in (*self._identities["subjects"], *self._identities.get("others", ()))}

    def located(self, access: Access) -> Access:
        """The right on the entity where it really is, with what is known of it: its tags and its boundary."""
        if not access.resource.startswith(_IAM) or access.action in _MADE:
            return access
        arn = self._arns.get(_bare(access.resource))
        if arn is None:
            return access
        return replace(access, resource=arn, context={**self._keys(arn), **access.context})

    def _keys(self, arn: str) -> dict[str, str | Sequence[str]]:
        subject = self._identities["subjects"].get(arn)
        if subject is None:
            return {}
        keys: dict[str, str | Sequence[str]] = {}
        for name, value in subject["tags"].items():
            keys[f"aws:ResourceTag/{name}"] = keys[f"iam:ResourceTag/{name}"] = value
        if subject["boundary"]:
            keys["iam:PermissionsBoundary"] = subject["boundary"]
        return keys
