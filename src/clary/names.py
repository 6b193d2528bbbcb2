"""Names: ARNs and random ids, made and taken apart in one place."""

from __future__ import annotations

import hashlib
import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

PRIMARY = "primary"
"""What the container of a model that has no other is called."""

_ID_LETTERS = string.ascii_uppercase + string.digits


@dataclass(frozen=True)
class Arn:
    """`arn:partition:service:region:account:resource`
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html)."""

    service: str
    region: str
    account: str
    resource: str
    partition: str = "aws"

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"

    @classmethod
    def parse(cls, text: str) -> Arn:
        """Raises ValueError where `text` is no ARN."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or not parts[5]:
            raise ValueError(f"not an ARN: {text!r}")
        return cls(partition=parts[1], service=parts[2], region=parts[3], account=parts[4], resource=parts[5])


def account_of(arn: str) -> str:
    """The account that an ARN names; empty where it names none, or `arn` is no ARN."""
    return (arn.split(":", 5) + [""] * 5)[4] if arn.startswith("arn:") else ""


@lru_cache(maxsize=1024)
def sagemaker_arn(region: str, account: str, resource_type: str, name: str) -> str:
    """SageMaker's ARNs carry the name in lower case, whatever the request said."""
    return str(Arn("sagemaker", region, account, f"{resource_type}/{name.lower()}"))


def container_names(definitions: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the containers of a model are called in errors, logs and metrics: by ContainerHostname, else by position
    (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html)."""
    if len(definitions) == 1:
        return [PRIMARY]
    return [each.get("ContainerHostname") or f"container-{number}" for number, each in enumerate(definitions, 1)]


def model_name(target: str) -> str:
    """What a container of many models calls the one that requests name as TargetModel: opaque, and a folder's name."""
    return hashlib.sha256(target.encode()).hexdigest()[:32]


def unique_id(prefix: str, letters: int = 17) -> str:
    """An id in IAM's style (`AIDA…`, `AROA…`, `AKIA…`): the prefix and random capitals and digits."""
    return prefix + "".join(secrets.choice(_ID_LETTERS) for _ in range(letters))


def random_hex(bytes_: int = 16) -> str:
    """A random id for files and containers: never made from what a request brought."""
    return secrets.token_hex(bytes_)
