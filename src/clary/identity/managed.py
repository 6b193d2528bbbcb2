"""AWS-managed policies, by ARN, with AWS's content: one JSON file each in `managed/`
(https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("managed")


@dataclass(frozen=True)
class Managed:
    """One policy that AWS keeps; `created` is when its current version was made."""

    name: str
    path: str
    version: str
    created: datetime
    document: str
    """JSON, without blanks."""

    @property
    def arn(self) -> str:
        """`arn:aws:iam::aws:policy/NAME`."""
        return f"arn:aws:iam::aws:policy{self.path}{self.name}"

    @property
    def id(self) -> str:
        """An id that is always the same, in IAM's style."""
        letters = base64.b32encode(hashlib.sha256(self.arn.encode()).digest()).decode()
        return f"ANPA{letters[:17]}"


@cache
def managed_policies() -> Mapping[str, Managed]:
    """All that are known here, by ARN."""
    policies = (_read(file) for file in sorted(_FOLDER.glob("*.json")))
    return {policy.arn: policy for policy in policies}


def _read(file: Path) -> Managed:
    raw = json.loads(file.read_text())
    return Managed(
        name=file.stem,
        path=raw["Path"],
        version=raw["VersionId"],
        created=datetime.fromisoformat(raw["CreateDate"]),
        document=json.dumps(raw["Document"], separators=(",", ":")),
    )
