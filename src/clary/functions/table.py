"""What every edge knows of functions: published by control whenever a function, a version or an alias changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FILE = "functions.json"
LATEST = "$LATEST"

ACTIVE = "Active"
PENDING = "Pending"


def function_id(account: str, region: str, name: str) -> str:
    """The name under which a function is published."""
    return f"{account}/{region}/{name}"


@dataclass(frozen=True)
class Version:
    """One version, as it can be invoked."""

    number: str
    """`$LATEST`, or 1 and up."""
    revision: str
    """Environments of another revision are not used any more."""
    state: str
    reason: str
    timeout: float
    """Seconds."""
    memory: int
    """MB."""
    role: str = ""
    """The execution role's ARN."""
    dead_letters: str = ""
    """The ARN of the queue or the topic to which events go that were given up; empty where there is none."""


@dataclass(frozen=True)
class Alias:
    """A name for a version, or for two of them by weight."""

    version: str
    weights: Mapping[str, float] = field(default_factory=dict)
    """Of further versions; the rest is `version`'s."""


@dataclass(frozen=True)
class EventRules:
    """What becomes of asynchronous invocations
    (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html)."""

    retries: int = 2
    age: float = 21_600.0
    """Seconds after which an event is not tried again."""
    on_success: str = ""
    """The ARN of a function, a queue or a topic."""
    on_failure: str = ""


@dataclass(frozen=True)
class Url:
    """A function's own HTTP address."""

    id: str
    auth: str
    """`NONE` or `AWS_IAM`."""
    cors: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Function:
    """One function with all that its qualifiers mean."""

    account: str
    region: str
    name: str
    reserved: int | None
    versions: Mapping[str, Version]
    aliases: Mapping[str, Alias]
    events: Mapping[str, EventRules]
    """By qualifier."""
    policies: Mapping[str, tuple[Mapping[str, Any], ...]]
    """Statements by qualifier; those of the function itself under an empty one."""
    urls: Mapping[str, Url]
    """By qualifier, empty for the function itself."""

    @property
    def arn(self) -> str:
        """Without a qualifier."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    @classmethod
    def parse(cls, id_: str, raw: Mapping[str, Any]) -> Function:
        """From a published document."""
        account, region, name = id_.split("/", 2)
        return cls(
            account=account,
            region=region,
            name=name,
            reserved=raw["reserved"],
            versions={number: Version(**version) for number, version in raw["versions"].items()},
            aliases={alias: Alias(**said) for alias, said in raw["aliases"].items()},
            events={qualifier: EventRules(**said) for qualifier, said in raw["events"].items()},
            policies={qualifier: tuple(said) for qualifier, said in raw["policies"].items()},
            urls={qualifier: Url(**said) for qualifier, said in raw["urls"].items()},
        )


def chosen(function: Function, qualifier: str, point: float) -> Version | None:
    """The version that a qualifier means at `point` (0 ≤ point < 1); None where there is no such qualifier."""
    alias = function.aliases.get(qualifier)
    if alias is None:
        return function.versions.get(qualifier or LATEST)
    left = point
    for number, weight in alias.weights.items():
        left -= weight
        if left < 0:
            return function.versions.get(number)
    return function.versions.get(alias.version)
