"""A call of an operation: who, what, with which parameters. The one door to every effect, for clients and for Clary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

PrincipalKind = Literal["root", "user", "assumed-role", "federated-user", "anonymous"]


@dataclass(frozen=True)
class Principal:
    """Who calls.

    `arn` is what GetCallerIdentity answers (`arn:aws:sts::…:assumed-role/NAME/SESSION` for a role);
    `identity` is the IAM user's or role's own ARN, to which policies are attached (equal to `arn` for users and root).
    """

    kind: PrincipalKind
    account: str
    arn: str
    identity: str
    user_id: str
    access_key_id: str = ""
    session_policies: tuple[str, ...] = ()
    """Policy documents (JSON) or ARNs passed to AssumeRole: the session may do only what they allow as well."""
    session_context: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Condition keys fixed when the session began: `aws:TokenIssueTime`, `aws:PrincipalTag/…`."""
    transitive_tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Session tags that a role assumed with this session has as well."""
    subject_id: str = ""
    """The id of the user whose policies count, where `user_id` does not begin with it: a federated user's."""


def account_root(account: str) -> Principal:
    """Clary itself, acting in an account as AWS's service-linked roles do."""
    arn = f"arn:aws:iam::{account}:root"
    return Principal("root", account, arn, arn, account)


def service_principal(account: str, name: str) -> Principal:
    """An AWS service by its own name, which resources' policies let in (`apigateway.amazonaws.com`)."""
    return Principal("root", account, name, name, account)


@dataclass(init=False)
class Call:
    """One operation asked for by one principal. `params` are parsed and validated by the service's model.

    One is made for each request: frozen, or with the constructor that `dataclass` would write, it would take three
    times as long.
    """

    principal: Principal
    service: str
    """The name of botocore's service model: `sagemaker`, `sagemaker-runtime`, `s3`, …"""
    operation: str
    params: dict[str, Any]
    region: str
    request_id: str = ""
    source_ip: str = "127.0.0.1"
    invocation_id: str = ""
    """What SDKs call a call: the same each time that they try it again (`amz-sdk-invocation-id`)."""
    transport: Mapping[str, str] = field(default_factory=dict)
    """Condition keys that HTTP brings: `aws:SecureTransport`, `aws:Referer`, `s3:authType`, …"""
    parent: str = ""
    """What makes the call, where that is no client: the tuning job's name, for its training jobs."""

    def __init__(  # noqa: PLR0913, PLR0917  its fields
        self,
        principal: Principal,
        service: str,
        operation: str,
        params: dict[str, Any],
        region: str,
        request_id: str = "",
        source_ip: str = "127.0.0.1",
        invocation_id: str = "",
        transport: Mapping[str, str] | None = None,
        parent: str = "",
    ) -> None:
        self.principal = principal
        self.service = service
        self.operation = operation
        self.params = params
        self.region = region
        self.request_id = request_id
        self.source_ip = source_ip
        self.invocation_id = invocation_id
        self.transport = transport or {}
        self.parent = parent


@dataclass(frozen=True)
class Access:
    """One right that a call needs: `action` (`s3:GetObject`) on `resource` (an ARN or `*`), with condition keys."""

    action: str
    resource: str
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)


class Door(Protocol):
    """Whatever carries out a call where it belongs: the gateway's way to control, and control's own inner way."""

    async def __call__(self, call: Call) -> dict[str, Any]:
        """The operation's output, or AWSError raised."""
        ...
