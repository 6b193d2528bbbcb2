"""What control publishes about identities for every process that authenticates and authorises: keys, and whose policies
they bring. Secrets stand in it: the file is readable by its owner only."""

from __future__ import annotations

from pathlib import Path
from typing import NotRequired, TypedDict

from clary.calls import PrincipalKind


class Key(TypedDict):
    """A long-lived access key that is active."""

    secret: str
    kind: PrincipalKind
    arn: str
    identity: str
    user_id: str


class Subject(TypedDict):
    """A user or a role, by ARN."""

    id: str
    """AIDA… or AROA…: a session of a role that was deleted and made anew is not one of the new role's."""
    name: str
    policies: list[str]
    """Names into `policies` and ARNs of AWS's own, those of the user's groups included."""
    boundary: str | None
    """Likewise: the permissions boundary."""
    tags: dict[str, str]


class Policy(TypedDict):
    """A policy, inline or the customer's own: what simulations and error texts call it, and its document as JSON."""

    type: str
    """SourcePolicyType of SimulatePrincipalPolicy: `IAM Policy`, `user`, `role`, `group`, …"""
    document: str


class Organization(TypedDict):
    """The organization of accounts."""

    id: str
    path: str
    """`o-a1b2c3d4e5/r-ab12/`: all accounts are right below its root."""
    accounts: list[str]


class Identities(TypedDict):
    """The whole document: of every account."""

    account: str
    """The one that this Clary began with."""
    keys: dict[str, Key]
    subjects: dict[str, Subject]
    policies: dict[str, Policy]
    organization: NotRequired[Organization | None]
    others: NotRequired[list[str]]
    """ARNs of what else has a path and no policies: instance profiles, server certificates."""


def identities_path(run_dir: Path) -> Path:
    """Where it is published."""
    return run_dir / "identity.json"
