"""AWS-managed policies, by ARN, with AWS's content: one line each of `managed_policies.tsv`, with ARN, version, when
the policy was made, when this version was, and the document. Public archives of
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html had them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("managed_policies.tsv")
_PREFIX = "arn:aws:iam::aws:policy"


@dataclass(frozen=True, slots=True)
class Managed:
    """One policy that AWS keeps."""

    arn: str
    """`arn:aws:iam::aws:policy/NAME`, or with a path before the name: `/service-role/`."""
    version: str
    first: str
    """When the policy was made, as ISO 8601."""
    last: str
    """When its current version was made."""
    document: str
    """JSON, without blanks."""

    @property
    def name(self) -> str:
        """`AmazonS3FullAccess`."""
        return self.arn.rpartition("/")[2]

    @property
    def path(self) -> str:
        """`/`, `/service-role/`, `/aws-service-role/` or `/job-function/`."""
        return self.arn.removeprefix(_PREFIX).rpartition("/")[0] + "/"

    @property
    def created(self) -> datetime:
        """When the policy was made."""
        return datetime.fromisoformat(self.first)

    @property
    def updated(self) -> datetime:
        """When its current version was made."""
        return datetime.fromisoformat(self.last)

    @property
    def id(self) -> str:
        """An id that is always the same, in IAM's style."""
        letters = base64.b32encode(hashlib.sha256(self.arn.encode()).digest()).decode()
        return f"ANPA{letters[:17]}"


@cache
def managed_policies() -> Mapping[str, Managed]:
    """All that are known here, by ARN."""
    policies = (Managed(*line.split("\t")) for line in _FILE.read_text().splitlines())
    return {policy.arn: policy for policy in policies}
