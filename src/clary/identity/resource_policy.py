"""Policies that a resource has of its own, and what they add to those of whoever asks, within one account
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-resource-id.html).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clary.calls import Principal
from clary.identity.policy import Decision, Question, Statement
from clary.identity.trust import trust_of_principal


@dataclass(frozen=True)
class ResourcePolicy:
    """The policy of one resource, compiled."""

    statements: tuple[Statement, ...] = ()
    sole: bool = False
    """Nobody may do anything but by this policy: the account's own policies count where it lets the account in, as a
    KMS key's does (https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html)."""


def decide_with(
    policy: ResourcePolicy, question: Question, who: Principal, own: Decision, narrowed: Callable[[], Decision]
) -> Decision:
    """The decision on a resource that has a policy.

    `own` is that of the principal's policies; `narrowed` that of its boundary and session alone: who is named by the
    resource needs no policy of its own, but gets no further than these.
    """
    if own.effect == "explicitDeny":
        return own
    trust = trust_of_principal(policy.statements, question, who)
    if trust == "denied":
        return Decision("explicitDeny", "resource")
    if trust == "principal":
        return narrowed()
    if policy.sole and trust == "none":
        return Decision("implicitDeny", "resource")
    return own
