"""What a session is begun with: policies that narrow it, tags, a source identity
(https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clary.calls import Principal
from clary.errors import AWSError
from clary.identity.grammar import check_identity_policy
from clary.identity.managed import managed_policies
from clary.identity.policy import MalformedPolicy
from clary.identity.sealing import Credentials, Sealer
from clary.services.context import Context
from clary.services.iam.attachments import policy_row
from clary.services.iam.entities import Rows

_PACKED_BYTES = 2048
"""Session policies and tags together, packed; AWS's packing is its own, and this counts letters."""

_TAGS_AT_MOST = 50


@dataclass(frozen=True)
class Terms:
    """Of one session."""

    policies: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive: tuple[str, ...] = ()
    source_identity: str = ""
    context: Mapping[str, str] = field(default_factory=dict)
    """Further condition keys."""

    def packed(self) -> dict[str, int]:
        """`PackedPolicySize`: percent of what fits. Raises PackedPolicyTooLarge."""
        used = sum(map(len, self.policies)) + sum(len(name) + len(value) for name, value in self.tags.items())
        percent = -(-used * 100 // _PACKED_BYTES)
        if percent > 100:
            raise AWSError("PackedPolicyTooLarge", f"Serialized token too large for session: {percent}% of its limit")
        return {"PackedPolicySize": percent} if used else {}


def issued(context: Context, principal: Principal, seconds: int, terms: Terms) -> Credentials:
    """Credentials on these terms."""
    return Sealer.of(context.settings.data_dir).issue(
        principal,
        seconds,
        policies=terms.policies,
        tags=terms.tags,
        source_identity=terms.source_identity,
        transitive=terms.transitive,
        context=terms.context,
    )


def session_policies(rows: Rows, account: str, params: Mapping[str, Any]) -> tuple[str, ...]:
    """The document that a request brings, and the ARNs that it names. Raises MalformedPolicyDocument."""
    return tuple(_policies(rows, account, params))


def _policies(rows: Rows, account: str, params: Mapping[str, Any]) -> Iterator[str]:
    if params.get("Policy"):
        yield _checked(params["Policy"])
    for descriptor in params.get("PolicyArns") or ():
        yield _existing(rows, account, descriptor.get("arn", ""))


def _checked(text: str) -> str:
    try:
        check_identity_policy(text)
    except MalformedPolicy as error:
        raise AWSError("MalformedPolicyDocument", str(error)) from error
    return text


def _existing(rows: Rows, account: str, arn: str) -> str:
    if arn not in managed_policies() and policy_row(rows, account, arn) is None:
        raise AWSError("MalformedPolicyDocument", f"Policy {arn} does not exist or is not attachable.")
    return arn


def session_tags(params: Mapping[str, Any], inherited: Mapping[str, str]) -> dict[str, str]:
    """The tags of a request besides those that the caller's session hands on. Names are the same whatever their case.

    Raises InvalidParameterValue.
    """
    asked = [(tag["Key"], tag["Value"]) for tag in params.get("Tags") or ()]
    names = [name.lower() for name, _ in asked]
    if len(set(names)) < len(names):
        raise AWSError(
            "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    if any(name.startswith("aws:") for name in names):
        raise AWSError("InvalidParameterValue", "Tag keys may not begin with aws:")
    if set(names) & {name.lower() for name in inherited}:
        raise AWSError(
            "InvalidParameterValue",
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from "
            "the calling session.",
        )
    if len(asked) + len(inherited) > _TAGS_AT_MOST:
        raise AWSError("InvalidParameterValue", f"A session has at most {_TAGS_AT_MOST} tags.")
    return {**inherited, **dict(asked)}


def transitive_names(
    params: Mapping[str, Any], tags: Mapping[str, str], inherited: Mapping[str, str]
) -> tuple[str, ...]:
    """Which of the tags go on to the next role: those asked for, and those that came that way. Raises
    InvalidParameterValue where one is no tag of the session."""
    asked: Sequence[str] = params.get("TransitiveTagKeys") or ()
    known = {name.lower(): name for name in tags}
    if not all(name.lower() in known for name in asked):
        raise AWSError(
            "InvalidParameterValue",
            "The specified transitive tag key must be included in the requested tags.",
        )
    return tuple(dict.fromkeys([*inherited, *(known[name.lower()] for name in asked)]))
